//! Parameters behind the question mark.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{code, cut, quoted};
use crate::Problem;

/// The query. A type with `deny_unknown_fields` refuses what it does not know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query as the extractor does.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        if !is_clean(query) {
            return Err(Problem::malformed(
                "the query is not UTF-8, or holds a NUL character",
            ));
        }
        let pairs = form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|error| {
                let place = error.path().to_string();
                wrong(&place, &error.into_inner().to_string())
            })
    }
}

/// Whether what is percent-encoded is UTF-8 without NUL.
pub(super) fn is_clean(encoded: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(encoded).collect();
    !decoded.contains(&0) && std::str::from_utf8(&decoded).is_ok()
}

fn wrong(place: &str, message: &str) -> Problem {
    let code = code(message);
    let name = match code {
        "missing-field" | "unknown-field" => quoted(message).unwrap_or(place),
        _ => place,
    };
    let message = cut(message);
    // A path of serde is "." where it knows none.
    let name = if name == "." { "" } else { name };
    let shown = if name.is_empty() { "query" } else { name };
    Problem::malformed(format!("{shown}: {message}")).with_error(format!("/{name}"), code, message)
}
