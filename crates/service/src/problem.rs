//! Errors as clients see them: RFC 9457, `application/problem+json`, one stable word for each kind.
//!
//! A handler returns a [`Problem`]; the layers of [`serve`](crate::serve) add the request's path and id, and make problems of
//! whatever else goes wrong. The text says what to do; the cause of an internal error goes to the log and never to the client.

use std::{borrow::Cow, collections::BTreeMap, error::Error, fmt};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{Content, Ref, RefOr, ResponseBuilder, Schema},
};

/// The media type of every error.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// What `type` begins with; the stable word follows.
const TYPE_PREFIX: &str = "https://codementor.dev/problems/";

/// How soon to come back when a part is down that is usually back in seconds.
const SOON: u64 = 2;

/// What went wrong, for the client. Small to pass around: one pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Body>);

/// The stable word that `type` ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 401: no token, or one that does not count.
    Unauthenticated,
    /// 403: signed in, but not allowed.
    Forbidden,
    /// 404: not there, or somebody else's.
    NotFound,
    /// 400 when it could not be read, 422 when it was read and is wrong, 405 when the method is.
    InvalidRequest,
    /// 415.
    UnsupportedMediaType,
    /// 413, and 431 for headers.
    PayloadTooLarge,
    /// 409.
    Conflict,
    /// 412.
    PreconditionFailed,
    /// 428.
    PreconditionRequired,
    /// 429: this client asks too often.
    RateLimited,
    /// 503: too much is asked by all together.
    Overloaded,
    /// 503: a part is down.
    Unavailable,
    /// 500: our fault.
    Internal,
}

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
            format!("there is no such {what}, or it is not yours to see"),
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
        tracing::error!(cause = what, "request failed by our fault: {what}");
        Self::new(
            Kind::Internal,
            "this is our fault: try again, and name the request_id to the operator if it stays",
        )
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

    /// A problem for a status that somebody else answered with; `None` for what is no error.
    pub(crate) fn for_status(status: StatusCode, detail: Option<String>) -> Option<Self> {
        let (kind, usual) = match status {
            StatusCode::UNAUTHORIZED => (
                Kind::Unauthenticated,
                "sign in, and send the token as Bearer",
            ),
            StatusCode::FORBIDDEN => (Kind::Forbidden, "you may not do this"),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                (Kind::NotFound, "nothing is at this address")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                Kind::InvalidRequest,
                "this address does not take that method: the header Allow says which it takes",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                Kind::UnsupportedMediaType,
                "send the body in the media type that the description of this address names",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (Kind::PayloadTooLarge, "send a smaller body"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                Kind::PayloadTooLarge,
                "the request's headers are too large together: send fewer or shorter ones",
            ),
            StatusCode::URI_TOO_LONG => (
                Kind::InvalidRequest,
                "the address is too long: send less in it",
            ),
            StatusCode::CONFLICT => (Kind::Conflict, "it is not in the state for this"),
            StatusCode::PRECONDITION_FAILED => (
                Kind::PreconditionFailed,
                "it was changed meanwhile: read it again, and repeat the change",
            ),
            StatusCode::PRECONDITION_REQUIRED => (
                Kind::PreconditionRequired,
                "say with If-Match which state you change",
            ),
            StatusCode::TOO_MANY_REQUESTS => (Kind::RateLimited, "you ask too often: wait a while"),
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => (Kind::Unavailable, "a part is down: try again soon"),
            other if other.is_client_error() => {
                (Kind::InvalidRequest, "the request cannot be understood")
            }
            other if other.is_server_error() => (
                Kind::Internal,
                "this is our fault: try again, and name the request_id to the operator if it stays",
            ),
            _ => return None,
        };
        let problem =
            Self::new(kind, detail.unwrap_or_else(|| usual.to_owned())).with_status(status);
        Some(match (kind, status.canonical_reason()) {
            (Kind::Unavailable, _) => problem.retry_after(SOON),
            (Kind::RateLimited, _) => problem.retry_after(1),
            (Kind::InvalidRequest | Kind::PayloadTooLarge, Some(reason)) => {
                problem.with_title(reason)
            }
            _ => problem,
        })
    }
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::InvalidRequest,
        Self::UnsupportedMediaType,
        Self::PayloadTooLarge,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::PreconditionRequired,
        Self::RateLimited,
        Self::Overloaded,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word that `type` ends in.
    pub fn word(self) -> &'static str {
        self.described().0
    }

    fn title(self) -> &'static str {
        self.described().1
    }

    fn status(self) -> StatusCode {
        self.described().2
    }

    fn described(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Unauthenticated => ("unauthenticated", "Not signed in", StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "Not allowed", StatusCode::FORBIDDEN),
            Self::NotFound => ("not-found", "Not found", StatusCode::NOT_FOUND),
            Self::InvalidRequest => (
                "invalid-request",
                "Invalid request",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                "Unsupported media type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::PayloadTooLarge => (
                "payload-too-large",
                "Payload too large",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Self::Conflict => ("conflict", "Conflict", StatusCode::CONFLICT),
            Self::PreconditionFailed => (
                "precondition-failed",
                "Precondition failed",
                StatusCode::PRECONDITION_FAILED,
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                "Precondition required",
                StatusCode::PRECONDITION_REQUIRED,
            ),
            Self::RateLimited => (
                "rate-limited",
                "Too many requests",
                StatusCode::TOO_MANY_REQUESTS,
            ),
            Self::Overloaded => ("overloaded", "Overloaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::Unavailable => (
                "unavailable",
                "Unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Internal => (
                "internal",
                "Internal error",
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{TYPE_PREFIX}{}", self.word()))
    }
}

impl<'de> Deserialize<'de> for Kind {
    /// By the last word alone; one that is not known is an internal error of whoever answered so.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let uri = Cow::<str>::deserialize(deserializer)?;
        let word = uri.rsplit('/').next().unwrap_or_default();
        let known = Self::ALL.into_iter().find(|kind| kind.word() == word);
        Ok(known.unwrap_or(Self::Internal))
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

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
    }
}

/// `responses(…, Problem)` in a route's description: any other status is a problem.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description("what went wrong, and what to do")
            .content(CONTENT_TYPE_PROBLEM, schema)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}

/// The database is down: 503; anything else is a fault of ours.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if crate::database::is_unavailable(&error) {
            let cause = chain(&error);
            tracing::warn!(cause, "the database cannot be asked: {cause}");
            return Self::unavailable("the database cannot be reached: try again soon");
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
