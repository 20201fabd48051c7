//! Why the gateway could not start or go on.

use service::{ClientError, Problem, database::DatabaseError, token::KeyError};

use crate::{password::HashError, setup::SetupError};

/// Why the gateway could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address of the database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A key of services.
    #[error(transparent)]
    ServiceKey(#[from] KeyError),
    /// The keys of access tokens.
    #[error(transparent)]
    Keys(#[from] SetupError),
    /// Passwords.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Kafka.
    #[error(transparent)]
    Queue(#[from] queue::QueueError),
    /// Asking services.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Serving.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::overloaded(
                "Too many people sign in just now. Try again in a moment.",
                2,
            ),
            HashError::Broken(_) => Self::internal(&error),
        }
    }
}
