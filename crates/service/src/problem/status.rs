//! Problems for answers that came without one: from axum, hyper, or a service that is not of ours.

use http::StatusCode;

use super::{Kind, OUR_FAULT, Problem, SOON};

impl Problem {
    /// A problem for a status that somebody else answered with; `None` for what is no error.
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
                Kind::InvalidRequest,
                "This address does not take that method. The header Allow says which it takes.",
            ),
            S::URI_TOO_LONG => (
                Kind::InvalidRequest,
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
                Kind::PayloadTooLarge,
                "The headers are too large together: 64 KiB, or 100 of them. Send fewer or shorter ones.",
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
            S::TOO_MANY_REQUESTS => (Kind::RateLimited, "You ask too often. Wait a while."),
            S::REQUEST_TIMEOUT => (
                Kind::InvalidRequest,
                "The request came too slowly. Send it again.",
            ),
            S::SERVICE_UNAVAILABLE | S::BAD_GATEWAY => (
                Kind::Unavailable,
                "A part of CodeMentor does not answer just now. Try again in a moment.",
            ),
            S::GATEWAY_TIMEOUT => (
                Kind::Unavailable,
                "This took too long. Try again in a moment.",
            ),
            other if other.is_client_error() => (
                Kind::InvalidRequest,
                "The request is not what this address takes.",
            ),
            other if other.is_server_error() => (Kind::Internal, OUR_FAULT),
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
