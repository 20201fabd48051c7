//! Every route on one screen.

mod batches;
mod dead_letters;
mod feed;
mod intake;
mod internal;
mod languages;
mod runs;
mod submissions;
mod usage;
mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{intake::MAX_BODY_BYTES, state::State};

/// A thousand reads of the log.
const MAX_READS_BYTES: usize = 512 << 10;

/// A hundred solutions, and thousands of tests in each language.
const MAX_VERIFICATION_BYTES: usize = 64 << 20;

/// All routes: public ones under `/api/v1`, those for other services under `/internal`.
pub fn router(state: State) -> Router {
    let internal = Router::new()
        .route("/internal/streams/{id}", get(internal::stream))
        .route("/internal/log", post(internal::log))
        .route(
            "/internal/batches/{id}/solutions",
            get(internal::batch_solutions),
        )
        .route("/internal/batches/{id}/events", get(internal::batch_events))
        .layer(DefaultBodyLimit::max(MAX_READS_BYTES));
    let verifications = Router::new()
        .route("/internal/batches", post(internal::verify))
        .layer(DefaultBodyLimit::max(MAX_VERIFICATION_BYTES));
    let (public, _) = public().split_for_parts();
    public
        .merge(internal)
        .merge(verifications)
        .with_state(state)
}

/// The public routes as a document.
pub fn openapi() -> OpenApi {
    public().split_for_parts().1
}

fn public() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(submissions::list, submissions::submit))
        .routes(routes!(submissions::show))
        .routes(routes!(submissions::code))
        .routes(routes!(submissions::cancel))
        .routes(routes!(runs::run))
        .routes(routes!(runs::show))
        .routes(routes!(languages::list))
        .routes(routes!(usage::count))
        .routes(routes!(feed::feed))
        .routes(routes!(batches::rejudge))
        .routes(routes!(batches::show))
        .routes(routes!(batches::apply))
        .routes(routes!(batches::discard))
        .routes(routes!(intake::show, intake::change))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::show, dead_letters::discard))
        .routes(routes!(dead_letters::replay))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}
