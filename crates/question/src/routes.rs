//! Every route on one screen.

mod internal;
mod languages;
mod life;
mod questions;
mod teachers;
mod test_bodies;
mod test_set;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, header},
    routing::get,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::QuestionError, state::AppState};

/// Largest document, or set of tests, as JSON.
const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// Largest driver or starter as JSON, where each character may need six bytes.
const MAX_CODE_BODY_BYTES: usize = 512 << 10;
/// Two bodies of a test, and what stands between them.
const MAX_FORM_BYTES: usize = (128 << 20) + (64 << 10);
const MAX_SMALL_BYTES: usize = 64 << 10;

/// All routes: public ones under `/api/v1`, those for other services under `/internal`.
pub fn router(state: AppState) -> Router {
    let internal = Router::new()
        .route(
            "/internal/questions/{question}/manifest",
            get(internal::manifest),
        )
        .route("/internal/blobs/{sha256}", get(internal::blob));
    let (public, _) = public().split_for_parts();
    public.merge(internal).with_state(state)
}

/// The public routes as a document.
pub fn openapi() -> OpenApi {
    public().split_for_parts().1
}

fn public() -> OpenApiRouter<AppState> {
    let documents = OpenApiRouter::new()
        .routes(routes!(questions::list, questions::create))
        .routes(routes!(
            questions::show,
            questions::change,
            questions::delete
        ))
        .routes(routes!(test_set::list, test_set::replace, test_set::clear))
        .layer(DefaultBodyLimit::max(MAX_DOCUMENT_BYTES));
    let small = OpenApiRouter::new()
        .routes(routes!(life::publish))
        .routes(routes!(life::archive, life::restore))
        .routes(routes!(life::clone_question))
        .routes(routes!(life::history))
        .routes(routes!(teachers::list, teachers::replace))
        .layer(DefaultBodyLimit::max(MAX_SMALL_BYTES));
    let code = OpenApiRouter::new()
        .routes(routes!(
            languages::starter,
            languages::put_starter,
            languages::delete_starter
        ))
        .routes(routes!(
            languages::driver,
            languages::put_driver,
            languages::delete_driver
        ))
        .layer(DefaultBodyLimit::max(MAX_CODE_BODY_BYTES));
    let bodies = OpenApiRouter::new()
        .routes(routes!(
            test_bodies::show,
            test_bodies::put,
            test_bodies::delete
        ))
        .routes(routes!(test_bodies::input))
        .routes(routes!(test_bodies::output))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
    documents.merge(small).merge(code).merge(bodies)
}

/// The entity tag, as a header.
fn tag(tag: &str) -> Result<[(HeaderName, HeaderValue); 1], QuestionError> {
    let value = tag
        .parse()
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))?;
    Ok([(header::ETAG, value)])
}
