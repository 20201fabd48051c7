//! What anybody may know of our keys.

use axum::{extract::State, response::IntoResponse};
use http::header;

use crate::{access_token::Jwks, state::App};

/// The public keys of access tokens.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "sign-in", security(()),
    responses((status = 200, body = Jwks)),
)]
pub(crate) async fn jwks(State(app): State<App>) -> impl IntoResponse {
    let jwks = Jwks::clone(&app.keys.ring().jwks);
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        axum::Json(jwks),
    )
}
