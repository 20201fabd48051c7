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
            return Err(Problem::malformed("the query is not UTF-8, or holds a NUL character"));
        }
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(parse(query)))
            .map(Self)
            .map_err(|error| {
                let place = error.path().to_string();
                wrong(&place, &error.into_inner().to_string())
            })
    }
}
