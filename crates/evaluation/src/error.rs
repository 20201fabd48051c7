//! Why evaluation cannot start, or ends.

use queue::QueueError;
use service::{ClientError, database::DatabaseError, token::KeyError};

/// What ends evaluation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Setting(String),
    /// Its key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its tables cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Kafka refuses.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A client for a runner could not be made.
    #[error(transparent)]
    Runner(#[from] ClientError),
    /// A client for the review API could not be made.
    #[error("cannot make a client for the review API: {0}")]
    Reviewer(#[source] reqwest::Error),
    /// Its sockets failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
}
