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

use super::{Objects, code, cut, quoted};
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
                "This address takes JSON. Send it with Content-Type: application/json.",
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
            return Err(Problem::malformed("The body is not UTF-8."));
        }
        if holds_nul(bytes) {
            return Err(Problem::malformed(
                "The body holds a NUL character, which no text may.",
            ));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value =
            serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
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
        Problem::payload_too_large("The body is larger than this address takes. Send less.")
    } else {
        Problem::malformed("The body was cut off before its end. Send it again.")
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
    if let Some(field) = quoted(message) {
        let is_at_field =
            matches!(place.iter().next_back(), Some(Segment::Map { key }) if key == field);
        // What is missing is never where the path ends; what is too much may be.
        if code == "missing-field"
            || (!is_at_field && matches!(code, "unknown-field" | "duplicate-field"))
        {
            push(&mut pointer, field);
        }
    }
    Problem::invalid("The body is JSON, but not what this address takes. See errors.").with_error(
        pointer,
        code,
        cut(message),
    )
}

fn syntax(error: &serde_json::Error) -> Problem {
    Problem::malformed(format!(
        "The body is not JSON: {}.",
        cut(&error.to_string())
    ))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only whether it parses matters")]
        tests: Vec<Test>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Test {
        #[expect(dead_code, reason = "only whether it parses matters")]
        points: u32,
    }

    fn refused(body: &[u8]) -> (u16, String, String) {
        let problem = Json::<Body>::from_bytes(body).expect_err("it is wrong");
        let error = problem.errors().first();
        (
            problem.status().as_u16(),
            error.map(|error| error.pointer.clone()).unwrap_or_default(),
            error.map(|error| error.code.clone()).unwrap_or_default(),
        )
    }

    fn told(status: u16, pointer: &str, code: &str) -> (u16, String, String) {
        (status, pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn points_at_the_place() {
        assert_eq!(
            refused(br#"{"tests": [{"points": 1}, {"points": "x"}]}"#),
            told(422, "/tests/1/points", "invalid-type")
        );
        assert_eq!(
            refused(br#"{"tests": [{}]}"#),
            told(422, "/tests/0/points", "missing-field")
        );
        assert_eq!(refused(b"{}"), told(422, "/tests", "missing-field"));
        assert_eq!(
            refused(br#"{"tests": [], "a/b~c": 1}"#),
            told(422, "/a~1b~0c", "unknown-field")
        );
        assert_eq!(
            refused(br#"{"tests": [{"points": 1, "tests": 2}]}"#),
            told(422, "/tests/0/tests", "unknown-field")
        );
        assert_eq!(
            refused(br#"{"tests": [{"points": 5000000000}]}"#),
            told(422, "/tests/0/points", "invalid-value")
        );
        assert_eq!(refused(b"[[]]"), told(422, "", "invalid-type"));
        assert_eq!(
            refused(br#"{"tests": [[1]]}"#),
            told(422, "/tests/0", "invalid-type")
        );
    }

    #[test]
    fn tells_what_is_no_json_from_what_is_wrong() {
        for body in [
            &b"{"[..],
            b"",
            b"{} {}",
            b"\xff",
            b"{\"tests\": \"\xff\"}",
            b"nul",
        ] {
            let problem = Json::<Value>::from_bytes(body).expect_err("not JSON");
            assert_eq!(problem.status(), 400, "{body:?}");
        }
    }

    #[test]
    fn refuses_deep_nesting_without_falling() {
        let body = "[".repeat(1_000_000);
        let problem = Json::<Value>::from_bytes(body.as_bytes()).expect_err("too deep");
        assert_eq!(problem.status(), 400);
    }

    #[test]
    fn tells_an_escaped_nul_from_an_escaped_backslash() {
        assert!(holds_nul(br#""\u0000""#));
        assert!(holds_nul(br#""\\\u0000""#));
        assert!(!holds_nul(br#""\\u0000""#));
        assert!(!holds_nul(br#""\u0001\\""#));
        assert!(holds_nul(b"\"\0\""));
    }

    #[test]
    fn cuts_messages_that_repeat_what_was_sent() {
        let body = format!(r#"{{"tests": "{}"}}"#, "한".repeat(10_000));
        let problem = Json::<Body>::from_bytes(body.as_bytes()).expect_err("wrong type");
        assert!(problem.errors()[0].message.chars().count() <= 301);
    }

    proptest! {
        #[test]
        fn lets_no_nul_through(text in any::<String>()) {
            let body = serde_json::to_vec(&text).expect("text is JSON");
            let read = Json::<String>::from_bytes(&body);
            prop_assert_eq!(read.is_ok(), !text.contains('\0'));
        }
    }
}
