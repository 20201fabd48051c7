//! evaluation: takes jobs from Kafka, has them judged by runners and reviewed, and says what happens as stream events.
//!
//! Two roles, deployable apart: `judge` never waits for a review, `review` never holds a runner. Owns the claims of jobs
//! (attempt, lease), the review cache and the budget; never keeps a learner's code, never runs it, never serves browsers.
//!
//! ```text
//!   submissions ─► judge ─┬─► events (judging … verdict)         reviews ─► review ──► events (review.started … done)
//!                 │       └─► reviews                                        │
//!                 └─ HTTP ─► runner                                          └─ HTTPS ─► a language model, or our own rules
//! ```
//! In reading order: [`Config`]; `consumer` (from deliveries to jobs); `judge` with `fleet` (the runners) and `review` with
//! `reviewer`; under both `attempt` (what is said, in which order), `lease` (who may say it) and `store` (SQL).

pub mod audit;

mod attempt;
mod config;
mod consumer;
mod error;
mod fleet;
mod jitter;
mod judge;
mod lease;
mod review;
mod reviewer;
mod store;
mod texts;
mod upkeep;

use std::{sync::Arc, time::Duration};

use contract::topic::RETRY_DELAY;
use queue::{Consumer, Producer, Stop, admin::Admin};
use service::{Listeners, Ops, Shutdown, Start, token::Minter};
use sqlx::PgPool;
use tokio_util::task::TaskTracker;

pub use self::{
    config::{Config, ReviewConfig, ReviewerKind, Role, Secret},
    error::EvaluationError,
    store::MIGRATOR,
};
use self::{
    fleet::{Fleet, Lane, Place},
    judge::Judge,
    review::Reviews,
    reviewer::Reviewer,
};

/// The service's name: that of its key, its schema and its clients.
const NAME: &str = "evaluation";

/// Works until the end.
pub async fn run(
    config: Config,
    listeners: Listeners,
    shutdown: Shutdown,
) -> Result<(), EvaluationError> {
    let reviewer = config.review.build()?;
    let ops = Ops::new(NAME);
    let start = Start::begin(&ops, &listeners, &shutdown)?;
    let (key, _) = start.keys(|| config.keys.load(NAME)).await?;
    let pool = start.database(&config.database, NAME, &MIGRATOR).await?;
    let topics = ops.part("topics");
    shutdown.tracker().spawn(
        Admin::new(&config.kafka)?
            .watch_topics(shutdown.soft().clone(), move |found| topics.tell(found)),
    );
    let parts = Parts {
        producer: Producer::start(&config.kafka, NAME)?,
        working: TaskTracker::new(),
        reviewer,
        pool,
        database_patience: config.database.database_patience,
        ops: ops.clone(),
        shutdown: shutdown.clone(),
    };
    if config.role.judges() {
        parts.start_judging(&config, &Minter::new(key))?;
    }
    upkeep::start(parts.pool.clone(), parts.database_patience, &shutdown);
    if config.role.reviews() {
        parts.start_reviewing(&config)?;
    }
    start.done().await;
    service::serve(listeners, router(), ops, shutdown).await?;
    Ok(())
}

/// Nobody asks evaluation anything: its work comes from Kafka.
pub fn router() -> axum::Router {
    axum::Router::new()
}

/// What both roles are made of.
struct Parts {
    pool: PgPool,
    database_patience: Duration,
    producer: Producer,
    reviewer: Reviewer,
    /// Counts the jobs that are being worked on.
    working: TaskTracker,
    ops: Ops,
    shutdown: Shutdown,
}

impl Parts {
    fn start_judging(&self, config: &Config, minter: &Minter) -> Result<(), EvaluationError> {
        let places = config
            .runner_urls
            .iter()
            .filter(|url| !url.is_empty())
            .map(|url| Place::new(url))
            .collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            let text = "set CODEMENTOR_RUNNER_URLS: without a runner nothing is judged";
            return Err(EvaluationError::Setting(text.into()));
        }
        let fleet = Fleet::new(places, minter.clone());
        fleet.watch(&self.shutdown);
        let judge = Arc::new(Judge {
            pool: self.pool.clone(),
            database_patience: self.database_patience,
            producer: self.producer.clone(),
            fleet,
            minter: minter.clone(),
            question_url: config.question_url.clone(),
            silence: Duration::from_millis(config.runner_silence_ms),
            reviewed: !matches!(self.reviewer, Reviewer::Off),
            working: self.working.clone(),
            shutdown: self.shutdown.clone(),
        });
        let lanes = [
            (Lane::Learner, config.judge_window, "judge consumer"),
            (Lane::Bulk, config.bulk_window, "bulk consumer"),
        ];
        for (lane, window, name) in lanes {
            let consumer = consumer::judge(&config.kafka, &judge, lane, window, self.stop())?;
            self.attend(consumer, name);
        }
        let retry = queue::retry::start(&config.kafka, &self.producer, RETRY_DELAY, self.stop())?;
        self.attend(retry, "retry consumer");
        Ok(())
    }

    fn start_reviewing(self, config: &Config) -> Result<(), EvaluationError> {
        let stop = self.stop();
        let (ops, shutdown) = (self.ops.clone(), self.shutdown.clone());
        let reviews = Arc::new(Reviews {
            pool: self.pool,
            database_patience: self.database_patience,
            producer: self.producer,
            reviewer: self.reviewer,
            calls_per_day: config.review.review_calls_per_day,
            working: self.working,
            shutdown: self.shutdown,
        });
        let consumer = consumer::review(&config.kafka, &reviews, config.review_window, stop)?;
        consumer::attend(consumer, "review consumer", &ops, &shutdown);
        Ok(())
    }

    fn stop(&self) -> Stop {
        consumer::stop(&self.shutdown, &self.working)
    }

    fn attend(&self, consumer: Consumer, name: &'static str) {
        consumer::attend(consumer, name, &self.ops, &self.shutdown);
    }
}
