//! Errors as clients see them: RFC 9457, `application/problem+json`, one stable word for each kind.
//!
//! A handler returns a [`Problem`]; the layers of [`serve`](crate::serve) add the request's path and id, and make problems of
//! whatever else goes wrong. The text says what to do; the cause of an internal error goes to the log and never to the client.

mod described;
mod kind;
mod status;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, error::Error, fmt};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

pub use kind::Kind;

/// The media type of every error.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// What a client is told of an error of ours.
const OUR_FAULT: &str =
    "Something went wrong on our side. Try again; if it stays, report the request_id.";

/// How soon to come back when a part is down that is usually back in seconds.
const SOON: u64 = 2;

/// What went wrong, for the client. Small to pass around: one pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Body>);

/// One thing wrong in what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer into the body, or the name of a query parameter behind a slash.
    pub pointer: String,
    /// What kind of wrong, stable.
    pub code: String,
    /// For people.
    pub message: String,
}

/// An error, RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
struct Body {
    /// A URI that ends in the stable word for this kind of problem.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "https://codementor.dev/problems/not-found")]
    kind: Kind,
    /// The kind, for people.
    #[serde(default)]
    #[schema(value_type = String)]
    title: Cow<'static, str>,
    /// The HTTP status.
    status: u16,
    /// What happened this time, and what to do.
    #[serde(default)]
    detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// To be named when asking an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Each thing that is wrong in what was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of that kind with the kind's usual status.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Body {
            kind,
            title: Cow::Borrowed(kind.title()),
            status: kind.status().as_u16(),
            detail: detail.into(),
            instance: None,
            request_id: None,
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    /// 401: no token, or one that does not count.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// 403: signed in, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// 404 for a thing that is not there, or somebody else's: the answer is the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no such {what}, or it is not yours."),
        )
    }

    /// 422: it could be read, and is wrong.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail)
    }

    /// 400: it could not be read at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail).with_status(StatusCode::BAD_REQUEST)
    }

    /// 415.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(Kind::UnsupportedMediaType, detail)
    }

    /// 413.
    pub fn payload_too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::PayloadTooLarge, detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// 412: it was changed by somebody else meanwhile.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionFailed, detail)
    }

    /// 428: a change must say, with `If-Match`, of what.
    pub fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionRequired, detail)
    }

    /// 429 with `Retry-After` in seconds.
    pub fn rate_limited(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::RateLimited, detail).retry_after(retry_after)
    }

    /// 503 with `Retry-After` in seconds: too much is asked by all together.
    pub fn overloaded(detail: impl Into<String>, retry_after: u64) -> Self {
        Self::new(Kind::Overloaded, detail).retry_after(retry_after)
    }

    /// 503 with `Retry-After`: a part is down.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail).retry_after(SOON)
    }

    /// 500: logs the cause, shows only that it happened.
    pub fn internal(cause: &dyn Error) -> Self {
        Self::unexpected(&chain(cause))
    }

    /// 500 for what has no error type: logs what happened, shows only that it did.
    pub fn unexpected(what: &str) -> Self {
        tracing::error!(cause = what, "unexpected error: {what}");
        Self::new(Kind::Internal, OUR_FAULT)
    }

    /// Adds one thing that is wrong in what was sent.
    #[must_use]
    pub fn with_error(
        mut self,
        pointer: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        self.0.errors.push(FieldError {
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
        });
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status.as_u16();
        self
    }

    /// The same with another title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.0.title = title.into();
        self
    }

    /// The same with `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The stable word.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What happened.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Each thing that is wrong in what was sent.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The id of the request that it answers, once the layers have seen it.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// In how many seconds to come back.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// Says which request it answers.
    #[must_use]
    pub(crate) fn about(mut self, instance: &str, request_id: &str) -> Self {
        self.0.instance = Some(instance.to_owned());
        self.0.request_id = Some(request_id.to_owned());
        self
    }

    /// The body as it goes out.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // A struct of strings and numbers: there is nothing in it that could fail.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_PROBLEM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For the layer that says which request it answers.
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.0.kind.word(),
            self.0.status,
            self.0.detail
        )
    }
}

impl Error for Problem {}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Body::deserialize(deserializer).map(|body| Self(Box::new(body)))
    }
}

/// The database is down: 503; anything else is a fault of ours.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if crate::database::is_unavailable(&error) {
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
