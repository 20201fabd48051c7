//! Every route on one screen.

mod internal;
mod languages;
mod life;
mod package;
mod questions;
mod teachers;
mod test_bodies;
mod test_set;
mod verify;

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
    let packages = OpenApiRouter::new()
        .routes(routes!(package::import))
        .routes(routes!(package::export));
    let small = OpenApiRouter::new()
        .routes(routes!(life::publish))
        .routes(routes!(verify::verify))
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
    documents
        .merge(packages)
        .merge(small)
        .merge(code)
        .merge(bodies)
}

/// The entity tag, as a header.
fn tag(tag: &str) -> Result<[(HeaderName, HeaderValue); 1], QuestionError> {
    let value = tag
        .parse()
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))?;
    Ok([(header::ETAG, value)])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                if let Some(Value::String(reference)) = entries.get("$ref") {
                    found.push(reference.clone());
                }
                entries.values().for_each(|entry| references(entry, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn the_description_refers_to_nothing_that_it_lacks() {
        let document = serde_json::to_value(openapi()).expect("it is JSON");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_route_is_described_with_its_errors() {
        let document = serde_json::to_value(openapi()).expect("it is JSON");
        let paths = document["paths"].as_object().expect("there are paths");
        for (path, methods) in paths {
            assert!(path.starts_with("/api/v1/questions"), "{path}");
            for (method, operation) in methods.as_object().expect("there are methods") {
                let errors = &operation["responses"]["default"]["content"];
                assert!(
                    errors.get("application/problem+json").is_some(),
                    "{method} {path}"
                );
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    }
}
