//! Parameters in the path.

use axum::extract::{FromRequestParts, rejection::PathRejection};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::query::is_clean;
use crate::Problem;

/// The parameters of the path. One that cannot be what it should be names nothing: 404.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !is_clean(parts.uri.path()) {
            return Err(Problem::malformed(
                "The path is not UTF-8, or holds a NUL character.",
            ));
        }
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Problem::not_found("thing"))
            }
            Err(rejection) => Err(Problem::internal(&rejection)),
        }
    }
}
