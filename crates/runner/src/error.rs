//! Why a runner cannot start or go on.

use std::io;

use sandbox::SandboxError;

use crate::blobs::BlobError;

/// Why a runner cannot start or go on. Each says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The keys of the services cannot be read.
    #[error("the keys of the services cannot be read")]
    Keys(#[from] service::token::KeyError),
    /// No sandbox, no runner.
    #[error("the sandbox cannot be started")]
    Sandbox(#[from] SandboxError),
    /// The work folder cannot be used.
    #[error("the work folder cannot be used: choose another with CODEMENTOR_RUNNER_DIR")]
    Folder(#[source] io::Error),
    /// The folder of blobs cannot be used.
    #[error("blobs cannot be kept")]
    Blobs(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server broke off.
    #[error("the server broke off")]
    Server(#[from] io::Error),
}

impl From<BlobError> for RunnerError {
    fn from(error: BlobError) -> Self {
        Self::Blobs(Box::new(error))
    }
}
