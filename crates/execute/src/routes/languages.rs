//! `/languages`: what code can be written in here.

use axum::extract::State as AxumState;
use contract::language::InstalledLanguage;
use service::{Problem, extract::Json, token::Caller};

use crate::state::State;

/// List languages
///
/// As installed on the runners, with versions and a small program to begin from.
#[utoipa::path(
    get, path = "/api/v1/languages", tag = "languages", operation_id = "list_languages", security(()),
    responses(
        (status = 200, body = Vec<InstalledLanguage>),
        (status = 503, description = "No runner has answered yet", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    AxumState(state): AxumState<State>,
    _caller: Caller,
) -> Result<Json<Vec<InstalledLanguage>>, Problem> {
    let known = state.languages.known();
    let known = known.ok_or_else(|| {
        Problem::unavailable(
            "no runner has said yet which languages there are: try again in a moment",
        )
    })?;
    Ok(Json(known.to_vec()))
}
