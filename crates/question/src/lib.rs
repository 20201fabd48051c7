//! question: problems that teachers make and learners answer.
//!
//! Owns questions, their immutable versions, statements in Korean and English, limits, starters and drivers, and their tests as
//! content-addressed blobs. Drafts change under `ETag` and `If-Match`; publishing freezes the whole as the next version, which
//! is all that learners see and all that judges use.
//!
//! Never judges, never talks to Kafka for judging or to a runner, and never lets a hidden test reach a learner by any path.
//!
//! ```text
//! routes ─► document, rules      what was sent, and all that is wrong with it
//!    │  └─► editing              lock ─ may they? ─ the revision they saw? ─ change ─ history
//!    │         └─► store         SQL; who may see what is decided in the statement that reads
//!    └────► blobs, test_zip      bodies of tests: staged, synced, named by their SHA-256
//! ```

mod blobs;
mod bodies;
mod config;
mod document;
mod editing;
mod error;
mod etag;
mod languages;
mod package;
mod progress;
mod request;
mod routes;
mod rules;
mod state;
mod statement;
mod store;
mod test_zip;
mod upload;
mod verification;
mod view;

use std::{path::PathBuf, time::Duration};

use contract::{Topic, topic::group};
use queue::{Consumer, Producer, QueueError, Stop, ordered};
use service::{
    Client, ClientError, Listeners, Ops, Shutdown, Start, database,
    token::{KeyError, Minter, Verifier},
};

use languages::Languages;
use sqlx::PgPool;

pub use blobs::Blobs;
pub use config::Config;
pub use routes::{openapi, router};
pub use state::AppState;
pub use store::{MIGRATOR, named_blobs};

/// The service's name: its schema, and the audience of tokens for it.
pub const NAME: &str = "question";

/// How long a batch may go on being written after the soft end.
const CONSUMER_GRACE: Duration = Duration::from_secs(5);

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Execute cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The folder of blobs cannot be used.
    #[error("cannot use the folder {} for tests: make it writable, or name another with CODEMENTOR_BLOBS", folder.display())]
    Blobs {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Kafka's client cannot be started, or ended by itself.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The sockets failed.
    #[error("cannot serve")]
    Serve(#[from] std::io::Error),
}

/// Serves until `shutdown`. Needs the tables that `codementor setup` makes, and says so where they are missing.
pub async fn run(config: Config, listeners: Listeners, shutdown: Shutdown) -> Result<(), RunError> {
    let ops = Ops::new(NAME);
    let start = Start::begin(&ops, &listeners, &shutdown)?;
    let (key, trusted) = start.keys(|| config.keys.load(NAME)).await?;
    let blobs = Blobs::open(&config.blobs).map_err(|source| RunError::Blobs {
        folder: config.blobs.clone(),
        source,
    })?;
    let pool = start.database(&config.database, NAME, &MIGRATOR).await?;
    // Kafka is no part of it: without Kafka everything works, and progress follows later.
    let progress = follow_results(&config, &pool, &ops, &shutdown)?;
    let execute = Client::new(&config.execute_url, "execute", Minter::new(key))?;
    let state = AppState {
        pool: pool.clone(),
        languages: Languages::start(execute.clone(), &shutdown),
        execute,
        blobs,
        verifier: Verifier::new(NAME, trusted),
    };
    start.done().await;
    let serving = async {
        let served = service::serve(listeners, router(state), ops, shutdown.clone()).await;
        shutdown.stop();
        served
    };
    let following = progress.attended(|| shutdown.stop());
    let (served, followed) = tokio::join!(serving, following);
    served?;
    followed?;
    shutdown.finished().await;
    pool.close().await;
    Ok(())
}

/// Keeps how far people have come.
fn follow_results(
    config: &Config,
    pool: &PgPool,
    ops: &Ops,
    shutdown: &Shutdown,
) -> Result<Consumer, QueueError> {
    let producer = Producer::start(&config.kafka, NAME)?;
    let (letters, pool) = (producer.clone(), pool.clone());
    let patience = config.database.database_patience;
    let consumer = ordered::start(
        &config.kafka,
        &producer,
        group::PROGRESS,
        &[Topic::Results],
        ordered::Batches::default(),
        Stop::new(
            shutdown.soft().clone(),
            shutdown.hard().clone(),
            CONSUMER_GRACE,
        ),
        move |batch| {
            let (letters, pool) = (letters.clone(), pool.clone());
            async move { progress::follow(&pool, patience, &letters, &batch.deliveries).await }
        },
    )?;
    let heartbeat = consumer.heartbeat();
    ops.alive("progress", move || heartbeat.is_alive());
    Ok(consumer)
}
