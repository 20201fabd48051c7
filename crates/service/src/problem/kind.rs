//! The kinds of problems: each a stable word, a title and the status that it usually has.
//!
//! Words are only ever added. What another service says in a word that is not known here counts as its internal error.

use std::borrow::Cow;

use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What `type` begins with; the stable word follows.
const TYPE_PREFIX: &str = "https://codementor.dev/problems/";

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

    pub(super) fn title(self) -> &'static str {
        self.described().1
    }

    pub(super) fn status(self) -> StatusCode {
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
