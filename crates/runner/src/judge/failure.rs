//! Why a judgement could not be done, and how the stream tells it.

use contract::Language;
use contract::runner_api::RunnerFailure;
use sandbox::SandboxError;

use crate::blobs::BlobError;

/// Why a judgement could not be done. It is never the code's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    /// This runner has not the language.
    #[error("{0} is not installed on this runner")]
    UnsupportedLanguage(Language),
    /// A test's body cannot be had.
    #[error("a test's body cannot be had")]
    Blob(#[from] BlobError),
    /// The sandbox did not work.
    #[error("the sandbox failed")]
    Sandbox(#[from] SandboxError),
    /// Something that cannot happen.
    #[error("comparing broke off")]
    Broken(#[from] tokio::task::JoinError),
}

impl JudgeError {
    /// As the stream tells it, with all causes.
    pub(crate) fn failure(&self) -> RunnerFailure {
        let (reason, retryable) = match self {
            Self::UnsupportedLanguage(_) => ("unsupported_language", false),
            Self::Blob(_) => ("blob_unavailable", true),
            Self::Sandbox(SandboxError::Invalid(_)) => ("internal", false),
            Self::Sandbox(_) => ("sandbox", true),
            Self::Broken(_) => ("internal", true),
        };
        let mut message = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        RunnerFailure {
            reason: reason.to_owned(),
            message,
            retryable,
        }
    }
}
