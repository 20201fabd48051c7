//! Errors as clients see them: `application/problem+json` (RFC 9457) with a stable `type`.
//!
//! What a client did wrong says what to do. What we did wrong is logged where it is handled and shown as an id, never as text.

use std::{error::Error, fmt::Write as _};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What all types begin with.
const BASE: &str = "https://codementor.dev/problems/";

/// The kinds of errors there are, each with a stable word and a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what they mean")]
pub enum Kind {
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    InvalidRequest,
    Unprocessable,
    UnsupportedMediaType,
    PayloadTooLarge,
    HeadersTooLarge,
    Conflict,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    Overloaded,
    Unavailable,
    TimedOut,
    Internal,
}

impl Kind {
    /// Word, status and title. Several kinds may share a word: clients tell by it what to do.
    fn describe(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unauthenticated => ("unauthenticated", S::UNAUTHORIZED, "Sign in first"),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "Not allowed"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => ("invalid-request", S::METHOD_NOT_ALLOWED, "Wrong method"),
            Self::InvalidRequest => ("invalid-request", S::BAD_REQUEST, "Invalid request"),
            Self::Unprocessable => (
                "invalid-request",
                S::UNPROCESSABLE_ENTITY,
                "Invalid request",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
            ),
            Self::PayloadTooLarge => ("payload-too-large", S::PAYLOAD_TOO_LARGE, "Too large"),
            Self::HeadersTooLarge => (
                "payload-too-large",
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Headers too large",
            ),
            Self::Conflict => ("conflict", S::CONFLICT, "Conflict"),
            Self::PreconditionFailed => (
                "precondition-failed",
                S::PRECONDITION_FAILED,
                "Changed meanwhile",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                S::PRECONDITION_REQUIRED,
                "If-Match is required",
            ),
            Self::RateLimited => ("rate-limited", S::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Overloaded => ("overloaded", S::SERVICE_UNAVAILABLE, "Overloaded"),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "Unavailable"),
            Self::TimedOut => ("unavailable", S::GATEWAY_TIMEOUT, "Timed out"),
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }
}

/// An error as a client sees it. Large, so it is boxed inside; cheap to pass on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Ends in a stable word.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of error, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Names the request in our logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What is wrong where, when it is wrong in places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Violation>,
    /// Seconds until another try makes sense; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// One thing that is wrong in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// JSON pointer to the place, such as `/tests/0/name`; empty for the whole.
    pub pointer: String,
    /// A stable word.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// An error of that kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (word, status, title) = kind.describe();
        Self {
            kind: format!("{BASE}{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
            request_id: None,
            errors: vec![],
            retry_after: None,
        }
    }

    /// Nobody is signed in, or not any more.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// Who is signed in may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// There is no such thing, or it is somebody else's.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no such {what}, or it is not yours."),
        )
    }

    /// The request cannot be understood (400).
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail)
    }

    /// The request is understood and cannot be done (422).
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, detail)
    }

    /// It does not fit with what is there (409).
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// A body or part that is too large (413).
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::PayloadTooLarge, detail)
    }

    /// One account or address asks too much (429).
    pub fn rate_limited(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::RateLimited, detail).retry_after(retry_after)
    }

    /// All together ask too much (503).
    pub fn overloaded(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::Overloaded, detail).retry_after(retry_after)
    }

    /// A part that is needed does not answer (503).
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail).retry_after(2)
    }

    /// Our fault: logs the error with its causes and shows nothing of it.
    pub fn internal(error: &dyn Error) -> Self {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // Writing to a String cannot fail.
            let _ = write!(causes, ": {cause}");
            source = cause.source();
        }
        tracing::error!(error = causes, "unexpected error");
        Self::new(
            Kind::Internal,
            "Something went wrong on our side. Try again; if it stays, report the request id.",
        )
    }

    /// Adds one thing that is wrong.
    #[must_use]
    pub fn with_error(mut self, pointer: &str, code: &str, message: impl Into<String>) -> Self {
        self.errors.push(Violation {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        });
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The stable word.
    pub fn word(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.word(), self.detail)
    }
}

impl Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The layers complete it: who asked for what.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<sqlx::Error> for Problem {
    /// A database that is away is `unavailable`; anything else is ours.
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // Connection failures, shutdowns, too many connections, a full disk.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code.starts_with("08") || code.starts_with("57P") || code.starts_with("53")
            }),
            _ => false,
        };
        if away {
            tracing::warn!(%error, "the database does not answer");
            return Self::unavailable(
                "The database does not answer just now. Try again in a moment.",
            );
        }
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_cause_of_our_own_errors() {
        let error = std::io::Error::other("password=secret");
        let problem = Problem::internal(&error);
        let text = serde_json::to_string(&problem).expect("JSON");
        assert!(!text.contains("secret"), "{text}");
        assert_eq!((problem.word(), problem.status), ("internal", 500));
    }

    #[test]
    fn a_database_that_is_away_is_unavailable() {
        let problem = Problem::from(sqlx::Error::PoolTimedOut);
        assert_eq!((problem.word(), problem.status), ("unavailable", 503));
        let response = problem.into_response();
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(Problem::from(sqlx::Error::RowNotFound).word(), "internal");
    }

    #[test]
    fn reads_what_it_writes() {
        let problem =
            Problem::unprocessable("no").with_error("/code", "too_long", "at most 64 KiB");
        let text = serde_json::to_string(&problem).expect("JSON");
        let read: Problem = serde_json::from_str(&text).expect("a problem");
        assert_eq!(read, problem);
    }
}
