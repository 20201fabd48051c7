//! Errors as clients see them: RFC 9457, `application/problem+json`, one stable word for each kind.
//!
//! A handler returns a [`Problem`]; the layers of [`serve`](crate::serve) add the request's path and id, and make problems of
//! whatever else goes wrong. The text says what to do; the cause of an internal error goes to the log and never to the client.

mod body;
#[cfg(test)]
mod tests;

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

pub use body::{CONTENT_TYPE_PROBLEM, Problem, Violation};

/// What `type` begins with; the stable word follows.
const BASE: &str = "https://codementor.dev/problems/";

/// How soon to come back when a part is down that is usually back in seconds.
const SOON: u64 = 2;

/// What a client is told of an error of ours.
const OUR_FAULT: &str =
    "Something went wrong on our side. Try again; if it stays, report the request_id.";

/// The kinds of errors, each with a word and a status. Several may share a word: by it clients tell what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 401: no token, or one that does not count.
    Unauthenticated,
    /// 403: signed in, but not allowed.
    Forbidden,
    /// 404: not there, or somebody else's.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 400: it cannot be read.
    InvalidRequest,
    /// 422: it can be read, and is wrong.
    Unprocessable,
    /// 414.
    AddressTooLong,
    /// 415.
    UnsupportedMediaType,
    /// 413.
    PayloadTooLarge,
    /// 431.
    HeadersTooLarge,
    /// 409: it does not fit with what is there.
    Conflict,
    /// 412: it was changed meanwhile.
    PreconditionFailed,
    /// 428: a change must say of what.
    PreconditionRequired,
    /// 429: this client asks too often.
    RateLimited,
    /// 503: too much is asked by all together.
    Overloaded,
    /// 503: a part is down.
    Unavailable,
    /// 504: it took too long.
    TimedOut,
    /// 500: our fault.
    Internal,
}

impl Kind {
    /// The word that `type` ends in.
    pub fn word(self) -> &'static str {
        self.described().0
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        self.described().1
    }

    fn described(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unauthenticated => ("unauthenticated", S::UNAUTHORIZED, "Not signed in"),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "Not allowed"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => ("invalid-request", S::METHOD_NOT_ALLOWED, "Wrong method"),
            Self::InvalidRequest => ("invalid-request", S::BAD_REQUEST, "Invalid request"),
            Self::Unprocessable => (
                "invalid-request",
                S::UNPROCESSABLE_ENTITY,
                "Invalid request",
            ),
            Self::AddressTooLong => ("invalid-request", S::URI_TOO_LONG, "Address too long"),
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

impl Problem {
    /// 401: nobody is signed in, or not any more.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// 403: who is signed in may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// 404: there is no such thing, or it is somebody else's; the answer is the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no such {what}, or it is not yours."),
        )
    }

    /// 400: the request cannot be understood.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail)
    }

    /// 422: the request is understood, and cannot be done.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, detail)
    }

    /// 409: it does not fit with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// 413: a body or a part of one is too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::PayloadTooLarge, detail)
    }

    /// 429: one account or address asks too much; seconds until it may again.
    pub fn rate_limited(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::RateLimited, detail).retry_after(retry_after)
    }

    /// 503: all together ask too much; seconds until another try makes sense.
    pub fn overloaded(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::Overloaded, detail).retry_after(retry_after)
    }

    /// 503: a part that is needed does not answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail).retry_after(SOON)
    }

    /// 500: logs the error with its causes, and shows nothing of it.
    pub fn internal(error: &dyn Error) -> Self {
        Self::unexpected(&chain(error))
    }

    /// 500 for what has no error type: logs what happened, and shows nothing of it.
    pub fn unexpected(what: &str) -> Self {
        tracing::error!(cause = what, "unexpected error: {what}");
        Self::new(Kind::Internal, OUR_FAULT)
    }

    /// A problem for a status that somebody answered without one; `None` for what is no error.
    pub(crate) fn for_status(status: StatusCode, detail: Option<String>) -> Option<Self> {
        use StatusCode as S;
        let (kind, usual) = match status {
            S::UNAUTHORIZED => (
                Kind::Unauthenticated,
                "Sign in, and send the token as Bearer.",
            ),
            S::FORBIDDEN => (Kind::Forbidden, "You may not do this."),
            S::NOT_FOUND | S::GONE => (
                Kind::NotFound,
                "There is nothing at this address. See the API's description for what there is.",
            ),
            S::METHOD_NOT_ALLOWED => (
                Kind::MethodNotAllowed,
                "This address does not take that method. The header Allow says which it takes.",
            ),
            S::URI_TOO_LONG => (
                Kind::AddressTooLong,
                "The address is too long. Send less in it.",
            ),
            S::UNSUPPORTED_MEDIA_TYPE => (
                Kind::UnsupportedMediaType,
                "This address does not take a body of that type.",
            ),
            S::PAYLOAD_TOO_LARGE => (
                Kind::PayloadTooLarge,
                "The body is larger than this address takes. Send less.",
            ),
            S::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                Kind::HeadersTooLarge,
                "The headers are larger than 64 KiB together. Send fewer or shorter ones.",
            ),
            S::CONFLICT => (Kind::Conflict, "It does not fit with what is there."),
            S::PRECONDITION_FAILED => (
                Kind::PreconditionFailed,
                "It was changed meanwhile. Read it again, and repeat the change.",
            ),
            S::PRECONDITION_REQUIRED => (
                Kind::PreconditionRequired,
                "Say with If-Match which state you change.",
            ),
            S::UNPROCESSABLE_ENTITY => (
                Kind::Unprocessable,
                "The request is understood, and cannot be done.",
            ),
            S::TOO_MANY_REQUESTS => (Kind::RateLimited, "You ask too often. Wait a while."),
            S::SERVICE_UNAVAILABLE | S::BAD_GATEWAY => (
                Kind::Unavailable,
                "A part of CodeMentor does not answer just now. Try again in a moment.",
            ),
            S::REQUEST_TIMEOUT | S::GATEWAY_TIMEOUT => {
                (Kind::TimedOut, "This took too long. Try again in a moment.")
            }
            other if other.is_client_error() => (
                Kind::InvalidRequest,
                "The request is not what this address takes.",
            ),
            other if other.is_server_error() => (Kind::Internal, OUR_FAULT),
            _ => return None,
        };
        let problem = Self::new(kind, detail.unwrap_or_else(|| usual.to_owned()));
        Some(match kind {
            Kind::Unavailable | Kind::TimedOut => problem.retry_after(SOON),
            Kind::RateLimited => problem.retry_after(1),
            _ => problem,
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_PROBLEM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For the layer that says which request it answers.
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.word(), self.detail)
    }
}

impl Error for Problem {}

/// A database that is away is 503; anything else is a fault of ours.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if crate::database::is_away(&error) {
            let cause = chain(&error);
            tracing::warn!(cause, "the database does not answer: {cause}");
            return Self::unavailable(
                "The database does not answer just now. Try again in a moment.",
            );
        }
        Self::internal(&error)
    }
}

/// An error and all that caused it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        next = cause.source();
        let cause = cause.to_string();
        // Many errors repeat their cause in their own text.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
