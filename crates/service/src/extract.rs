//! Extractors whose refusals are problems: what is wrong, where, and what would be right.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::{Kind, Problem};

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let body = read_body(request, state).await?;
        parse_json(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The whole body, with a problem when it is too large or was cut.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| refuse_body(&rejection))
}

fn refuse_body(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::too_large("The body is larger than this address takes. Send less.")
    } else {
        Problem::invalid("The body was cut off before its end. Send it again.")
    }
}

/// Reads JSON; the refusal points at the place.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut reader);
    match parsed {
        Ok(value) => match reader.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(refuse_json(&error, String::new())),
        },
        Err(error) => {
            let pointer = pointer(error.path());
            Err(refuse_json(error.inner(), pointer))
        }
    }
}

fn refuse_json(error: &serde_json::Error, pointer: String) -> Problem {
    use serde_json::error::Category;

    let message = error.to_string();
    match error.classify() {
        Category::Data => Problem::unprocessable(
            "The body is JSON, but not what this address takes. See `errors`.",
        )
        .with_error(&pointer, "invalid_value", message),
        _ if message.contains("invalid unicode") || message.contains("surrogate") => {
            Problem::invalid(format!("The body is not valid UTF-8: {message}."))
        }
        _ => Problem::invalid(format!("The body is not valid JSON: {message}.")),
    }
}

/// A path of serde's as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_json = kind.eq_ignore_ascii_case("application/json")
        || (kind.to_ascii_lowercase().starts_with("application/") && kind.ends_with("+json"));
    if is_json {
        Ok(())
    } else {
        Err(Problem::new(
            Kind::UnsupportedMediaType,
            "This address takes JSON: send it with `Content-Type: application/json`.",
        ))
    }
}

/// The query of the address.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::invalid(format!(
                "The address's query is not what this address takes: {}.",
                rejection.body_text().trim_end_matches('.')
            ))),
        }
    }
}

/// Parts of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // An id that is none names nothing.
            Err(_) => Err(Problem::not_found("thing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only whether it parses matters")]
        tests: Vec<Test>,
    }

    #[derive(Debug, Deserialize)]
    struct Test {
        #[expect(dead_code, reason = "only whether it parses matters")]
        points: u32,
    }

    #[test]
    fn points_at_the_place() {
        let problem = parse_json::<Body>(br#"{"tests": [{"points": 1}, {"points": "x"}]}"#)
            .expect_err("a text is no number");
        assert_eq!((problem.status, problem.word()), (422, "invalid-request"));
        assert_eq!(problem.errors[0].pointer, "/tests/1/points");
    }

    #[test]
    fn tells_broken_json_from_wrong_values() {
        for broken in [&b"{"[..], b"", b"{} {}", b"\xff", b"{\"tests\": \"\xff\"}"] {
            let problem = parse_json::<serde_json::Value>(broken).expect_err("not JSON");
            assert_eq!(problem.status, 400, "{broken:?}");
        }
    }
}
