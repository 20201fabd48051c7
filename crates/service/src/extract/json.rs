//! JSON bodies, in and out.
//!
//! Never lets a NUL through: Postgres cannot store it, and no text has a use for it.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::{code, cut, quoted};
use crate::Problem;

/// A body in JSON: read as an extractor, written as a response.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type(
                "send the body as JSON, with Content-Type: application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| unread(&rejection))?;
        Self::from_bytes(&bytes)
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads bytes as the extractor reads a body.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        if std::str::from_utf8(bytes).is_err() {
            return Err(Problem::malformed("the body is not UTF-8"));
        }
        if holds_nul(bytes) {
            return Err(Problem::malformed(
                "the body holds a NUL character: text must not",
            ));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let place = error.path().clone();
            wrong(&place, &error.into_inner())
        })?;
        deserializer.end().map_err(|error| syntax(&error))?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The body did not come whole.
fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::payload_too_large("the body is larger than this address takes: send less")
    } else {
        Problem::malformed("the body ended before it was whole")
    }
}

fn wrong(place: &Path, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return syntax(error);
    }
    let message = error.to_string();
    // Line and column say less than the pointer.
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(text, _)| text);
    let code = code(message);
    let mut pointer = pointer(place);
    if matches!(code, "missing-field" | "unknown-field")
        && let Some(field) = quoted(message)
        && !pointer.ends_with(&format!("/{field}"))
    {
        push(&mut pointer, field);
    }
    let message = cut(message);
    Problem::invalid(format!(
        "{}: {message}",
        if pointer.is_empty() { "body" } else { &pointer }
    ))
    .with_error(pointer, code, message)
}

fn syntax(error: &serde_json::Error) -> Problem {
    let message = cut(&error.to_string());
    Problem::malformed(format!("the body is not JSON: {message}"))
        .with_error("", "not-json", message)
}

/// RFC 6901.
fn pointer(place: &Path) -> String {
    let mut pointer = String::new();
    for segment in place {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            // An enum's variant is not a level of the document; what is unknown names nothing.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

/// A NUL as such, or as the escape `\u0000`; `\\u0000` is a backslash and text.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    loop {
        match rest {
            [] => return false,
            [0, ..] | [b'\\', b'u', b'0', b'0', b'0', b'0', ..] => return true,
            [b'\\', _, more @ ..] | [_, more @ ..] => rest = more,
        }
    }
}
