//! The role review: has the code of a judged submission reviewed, and ends its stream.
//!
//! ```text
//!   claim ─┬─ done before ─► announce what was stored
//!          ├─ leased elsewhere ─► wait, try again
//!          └─ mine ─► review.started (follows the verdict) · findings · settle ─► end the claim ─► review.done │ skipped · done
//!                       │ a model: cached? ─► replay
//!                       │          called by a predecessor? ─► skipped
//!                       └─────────► marked as calling and counted ─► asked, once
//! ```
//! Whatever happens, the stream is ended: there is no review worth a submission without an end. A call is paid once: it is
//! marked before it is made, its answer is kept as soon as it is whole, and a mark without an answer is never followed by
//! another call.

use std::time::Duration;

use contract::{
    EventBody,
    event::{Done as DoneBody, Finding, ReviewSkipped},
    job::ReviewJob,
};
use queue::{Done, ProduceError, Producer};
use service::{Shutdown, database, trace::Traceparent};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use crate::{
    attempt::{Addressee, Attempt, announce},
    jitter::jittered,
    lease::Lease,
    reviewer::{Review, Reviewer, Skip, builtin, openai::OpenAi},
    store::{self, Call, Claim, JobKey, Kind, Mine, NewClaim, Stage, Stored},
};

/// The first pause between tries; later ones are longer.
const PAUSE: Duration = Duration::from_millis(250);

/// A lease elsewhere is looked at again after at most so long: it may end early.
const LONGEST_LEASE_WAIT: Duration = Duration::from_secs(2);

/// Has submissions reviewed.
#[derive(Debug)]
pub(crate) struct Reviews {
    pub(crate) pool: PgPool,
    /// How long Postgres is waited for.
    pub(crate) database_patience: Duration,
    pub(crate) producer: Producer,
    pub(crate) reviewer: Reviewer,
    pub(crate) calls_per_day: u32,
    /// Counts the jobs that are being reviewed, apart from those that wait.
    pub(crate) working: TaskTracker,
    pub(crate) shutdown: Shutdown,
}

/// Why a turn did not end the review.
#[derive(Debug)]
enum Turn {
    /// The service ends: what is not being reviewed is left to others.
    Ending,
    /// Another worker was faster.
    Again,
    /// Try again after this time.
    After(Duration),
    /// Try again when Postgres or Kafka are better.
    Unwell(String),
}

impl From<sqlx::Error> for Turn {
    fn from(error: sqlx::Error) -> Self {
        Self::Unwell(format!("postgres: {error}"))
    }
}

impl From<ProduceError> for Turn {
    fn from(error: ProduceError) -> Self {
        Self::Unwell(format!("kafka: {error}"))
    }
}

impl Reviews {
    /// Has the code reviewed, or says why not.
    pub(crate) async fn handle(
        &self,
        job: &ReviewJob,
        accepted_at: Option<OffsetDateTime>,
    ) -> Done {
        let to = Addressee {
            submission: job.submission,
            judgement: job.judgement,
            reply_partition: job.reply_partition,
            accepted_at,
            traceparent: Traceparent::current(),
        };
        let mut unwell = 0;
        loop {
            match self.turn(job, &to).await {
                Ok(()) => return Done::Finished,
                // Whoever comes next finds the message as it was: it is not finished.
                Err(Turn::Ending) => std::future::pending().await,
                Err(Turn::Again) => {}
                Err(Turn::After(pause)) => self.pause(pause).await,
                Err(Turn::Unwell(reason)) => {
                    tracing::warn!(%reason, submission = %job.submission, "the review of submission {} waits: {reason}", job.submission);
                    self.pause(jittered(PAUSE, unwell)).await;
                    unwell += 1;
                }
            }
        }
    }

    async fn within<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        database::within(self.database_patience, asked).await
    }

    /// Waits, but not beyond the soft end.
    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            () = self.shutdown.soft().cancelled() => {}
        }
    }

    async fn turn(&self, job: &ReviewJob, to: &Addressee) -> Result<(), Turn> {
        let claim = NewClaim {
            job: claim_of(job),
            kind: Kind::Submission,
            accepted_at: to.accepted_at,
            deadline: job.deadline,
            even_late: true,
        };
        let _working = self.working.token();
        if self.shutdown.soft().is_cancelled() {
            return Err(Turn::Ending);
        }
        let since = Instant::now();
        let mine = match self.within(store::take(&self.pool, claim)).await? {
            Claim::Mine(mine) => mine,
            Claim::Done(stored) => {
                announce(&self.producer, to, &stored.events, None).await;
                return Ok(());
            }
            Claim::Leased(left) => {
                metrics::counter!("codementor_lease_conflicts_total").increment(1);
                return Err(Turn::After(left.min(LONGEST_LEASE_WAIT)));
            }
            // A review is claimed even late.
            Claim::Late => return Ok(()),
        };
        let lease = Lease::new(
            &self.pool,
            self.database_patience,
            self.shutdown.tracker(),
            claim.job,
            mine.attempt,
            since,
        );
        self.work(job, to, lease, mine).await
    }

    async fn work(
        &self,
        job: &ReviewJob,
        to: &Addressee,
        mut lease: Lease<'_>,
        mine: Mine,
    ) -> Result<(), Turn> {
        let mut attempt = Attempt::new(&self.producer, to, mine.attempt, Some(job.follows));
        let worked = lease
            .hold(async {
                let end = self.review(job, mine, claim_of(job), &mut attempt).await?;
                attempt.settle().await?;
                Ok(end)
            })
            .await;
        let end = match worked {
            Some(Ok(end)) => end,
            Some(Err(turn)) => {
                lease.release().await;
                return Err(turn);
            }
            None => {
                metrics::counter!("codementor_lease_conflicts_total").increment(1);
                return Err(Turn::Again);
            }
        };
        let stored = Stored {
            events: attempt.close(vec![end, EventBody::Done(DoneBody {})]),
            review: None,
        };
        if !lease.finish(&stored).await? {
            metrics::counter!("codementor_lease_conflicts_total").increment(1);
            return Err(Turn::Again);
        }
        announce(&self.producer, to, &stored.events, None).await;
        Ok(())
    }

    /// The event that ends the review.
    async fn review(
        &self,
        job: &ReviewJob,
        mine: Mine,
        key: JobKey,
        attempt: &mut Attempt<'_>,
    ) -> Result<EventBody, Turn> {
        let reviewed = match &self.reviewer {
            _ if mine.late => Err(Skip::Deadline),
            Reviewer::Off => Err(Skip::Off),
            Reviewer::Builtin => {
                let review = builtin::review(job);
                self.begin(attempt)?;
                show(attempt, &review.findings)?;
                Ok(review)
            }
            Reviewer::OpenAi(openai) => self.ask(openai, job, mine, key, attempt).await?,
        };
        Ok(match reviewed {
            Ok(review) => EventBody::ReviewDone(review.done),
            Err(skip) => EventBody::ReviewSkipped(ReviewSkipped {
                reason: skip.reason().to_owned(),
            }),
        })
    }

    async fn ask(
        &self,
        openai: &OpenAi,
        job: &ReviewJob,
        mine: Mine,
        key: JobKey,
        attempt: &mut Attempt<'_>,
    ) -> Result<Result<Review, Skip>, Turn> {
        let question = openai.prepare(job);
        let hash = question.hash();
        if let Some(review) = self.cached(hash).await? {
            count("cached");
            self.begin(attempt)?;
            show(attempt, &review.findings)?;
            return Ok(Ok(review));
        }
        if mine.called {
            count(Skip::Interrupted.reason());
            return Ok(Err(Skip::Interrupted));
        }
        if !openai.is_ready() {
            count("barred");
            return Ok(Err(Skip::Unavailable));
        }
        let call = store::start_call(
            &self.pool,
            key,
            mine.attempt,
            job.account,
            self.calls_per_day,
        );
        match self.within(call).await? {
            Call::Granted => {}
            Call::OverBudget => {
                count(Skip::Budget.reason());
                return Ok(Err(Skip::Budget));
            }
            Call::NotOurs => return Err(Turn::Again),
        }
        self.begin(attempt)?;
        // What cannot be shown is kept all the same: it is paid for.
        let mut shown = Ok(());
        let answer = openai
            .ask(&question, |finding| {
                if shown.is_ok() {
                    shown = attempt.say(EventBody::ReviewFinding(finding.clone()));
                }
            })
            .await;
        count(
            answer
                .as_ref()
                .map_or_else(|skip| skip.reason(), |_| "done"),
        );
        if let Ok(review) = &answer {
            self.keep(hash, review).await;
        }
        shown?;
        Ok(answer)
    }

    fn begin(&self, attempt: &mut Attempt<'_>) -> Result<(), ProduceError> {
        match self.reviewer.label() {
            Some(label) => attempt.say(EventBody::ReviewStarted(label)),
            None => Ok(()),
        }
    }

    async fn cached(&self, hash: [u8; 32]) -> Result<Option<Review>, Turn> {
        let cached = store::cached_answer(&self.pool, hash);
        let Some(text) = self.within(cached).await? else {
            return Ok(None);
        };
        let mut review = match serde_json::from_str::<Review>(&text) {
            Ok(review) => review,
            Err(error) => {
                tracing::error!(%error, "a cached review cannot be read");
                return Ok(None);
            }
        };
        // Nobody pays for them a second time.
        review.done.tokens = None;
        Ok(Some(review))
    }

    async fn keep(&self, hash: [u8; 32], review: &Review) {
        let kept = match serde_json::to_string(review) {
            Ok(text) => {
                self.within(store::keep_answer(&self.pool, hash, &text))
                    .await
            }
            Err(error) => Err(sqlx::Error::Encode(error.into())),
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "cannot keep a review");
        }
    }
}

fn claim_of(job: &ReviewJob) -> JobKey {
    JobKey {
        submission: job.submission,
        judgement: job.judgement,
        stage: Stage::Review,
    }
}

fn show(attempt: &mut Attempt<'_>, findings: &[Finding]) -> Result<(), ProduceError> {
    for finding in findings {
        attempt.say(EventBody::ReviewFinding(finding.clone()))?;
    }
    Ok(())
}

fn count(outcome: &'static str) {
    metrics::counter!("codementor_ai_requests_total", "outcome" => outcome).increment(1);
}
