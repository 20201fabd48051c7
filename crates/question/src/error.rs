//! What can go wrong with a request, and how the client is told.

use axum::response::{IntoResponse, Response};
use service::Problem;

use crate::{blobs::BlobError, rules::Fault, test_zip::TestZipError};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuestionError {
    /// It does not exist, or is not for this viewer.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// What was sent is wrong in these places.
    #[error("the request is wrong in {} places", .0.len())]
    Invalid(Vec<Fault>),
    /// It does not fit with what is there.
    #[error("{0}")]
    Conflict(&'static str),
    /// Another question has this slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// `If-Match` names another revision.
    #[error("changed meanwhile")]
    PreconditionFailed,
    /// `If-Match` is missing.
    #[error("if-match is missing")]
    PreconditionRequired,
    /// The body is larger than it may be.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// The body has a form that is not understood here.
    #[error("unsupported media type")]
    UnsupportedMediaType(&'static str),
    /// The body broke off or is malformed.
    #[error("malformed body: {0}")]
    Malformed(String),
    /// A test's body could not be stored or read.
    #[error("a blob failed")]
    Blob(#[from] BlobError),
    /// The database failed.
    #[error("the database failed")]
    Database(sqlx::Error),
    /// Told already.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Ours.
    #[error("unexpected")]
    Unexpected(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl QuestionError {
    /// One thing that is wrong.
    pub(crate) fn fault(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::Invalid(vec![Fault::new(pointer, code, message)])
    }
}

impl From<Vec<Fault>> for QuestionError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Fault> for QuestionError {
    fn from(fault: Fault) -> Self {
        Self::Invalid(vec![fault])
    }
}

impl From<sqlx::Error> for QuestionError {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error
            .as_database_error()
            .and_then(|error| error.constraint());
        if constraint == Some("question_slug_key") {
            Self::SlugTaken
        } else {
            Self::Database(error)
        }
    }
}

impl From<TestZipError> for QuestionError {
    fn from(error: TestZipError) -> Self {
        match error {
            TestZipError::Faults(faults) => Self::Invalid(faults),
            TestZipError::Blob(error) => Self::Blob(error),
        }
    }
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::NotFound(what) => Self::not_found(what),
            QuestionError::Invalid(faults) => {
                let problem = Self::invalid("Correct what `errors` names and send it again.");
                faults.iter().fold(problem, |problem, fault| {
                    problem.with_error(&fault.pointer, fault.code, &fault.message)
                })
            }
            QuestionError::Conflict(detail) => Self::conflict(detail),
            QuestionError::SlugTaken => Self::conflict(
                "Another question has this slug: choose another.",
            )
            .with_error("/slug", "taken", "another question has it"),
            QuestionError::PreconditionFailed => Self::precondition_failed(
                "It was changed since you read it. Read it again, and repeat the change with the new ETag.",
            ),
            QuestionError::PreconditionRequired => Self::precondition_required(
                "Send the ETag that you read in If-Match, so that nobody's change is overwritten.",
            ),
            QuestionError::TooLarge(limit) => Self::payload_too_large(limit),
            QuestionError::UnsupportedMediaType(wanted) => Self::unsupported_media_type(format!(
                "Send it as {wanted}, and say so in Content-Type."
            )),
            QuestionError::Malformed(detail) => Self::malformed(detail),
            QuestionError::Blob(error) => blob_problem(&error),
            QuestionError::Database(error) => error.into(),
            QuestionError::Problem(problem) => problem,
            QuestionError::Unexpected(error) => Self::internal(&*error),
        }
    }
}

/// A full disk passes; all else is ours.
fn blob_problem(error: &BlobError) -> Problem {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match error {
        BlobError::TooLarge { .. } => {
            Problem::payload_too_large("The input or output of a test has at most 64 MiB.")
        }
        BlobError::Disk(cause) if matches!(cause.kind(), StorageFull | QuotaExceeded) => {
            tracing::error!(error = %cause, "the disk for tests is full");
            Problem::unavailable(
                "There is no room for tests just now. Tell the operator, or try again later.",
            )
        }
        other => Problem::internal(other),
    }
}

impl IntoResponse for QuestionError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
