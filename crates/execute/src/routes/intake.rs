//! `/intake`: whether anything is accepted. An admin closes it before a change of the machines; what was accepted goes on.

use axum::extract::State as AxumState;
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Json, token::Principal};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    state::State,
    store::intake::{self, Intake},
};

/// Longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 500;

/// Whether anything is accepted, and what waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntakeView {
    /// False: submissions and runs are answered with 503.
    open: bool,
    /// What they are told then.
    message: String,
    /// Who changed it last.
    changed_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    changed_at: OffsetDateTime,
    /// Submissions and runs that wait for a worker.
    waiting: u64,
    /// How long the first of them has waited.
    waiting_oldest_ms: u64,
}

/// The body of `PUT /intake`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntakeBody {
    /// Whether submissions and runs are accepted.
    open: bool,
    /// What those are told who come while it is closed; at most 500 bytes.
    #[serde(default)]
    message: String,
}

/// Look at the intake
#[utoipa::path(
    get, path = "/api/v1/intake", operation_id = "show_intake", tag = "operation",
    responses(
        (status = 200, body = IntakeView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    principal: Principal,
) -> Result<Json<IntakeView>, Problem> {
    principal.require_admin()?;
    let found = intake::read(&state.pool).await?;
    view(&state, found).await
}

/// Open or close the intake
///
/// While it is closed, submissions and runs get 503 with the message; what was accepted before is judged all the same.
#[utoipa::path(
    put, path = "/api/v1/intake", operation_id = "change_intake", tag = "operation", request_body = IntakeBody,
    responses(
        (status = 200, body = IntakeView),
        (status = 400, description = "Not JSON, or with NUL", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something in it is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    AxumState(state): AxumState<State>,
    principal: Principal,
    body: Result<Json<IntakeBody>, Problem>,
) -> Result<Json<IntakeView>, Problem> {
    // First: nobody else is told what a right body would be.
    principal.require_admin()?;
    let Json(body) = body?;
    if body.message.len() > MAX_MESSAGE_BYTES || body.message.contains('\0') {
        let message = format!("plain text of at most {MAX_MESSAGE_BYTES} bytes is taken");
        return Err(Problem::invalid("the message cannot be taken")
            .with_error("/message", "bad_text", message));
    }
    let changed = intake::change(&state.pool, body.open, &body.message, &principal.name).await?;
    tracing::info!(open = changed.open, "an admin has changed the intake");
    view(&state, changed).await
}

async fn view(state: &State, intake: Intake) -> Result<Json<IntakeView>, Problem> {
    let (waiting, oldest) = intake::line(&state.pool).await?;
    Ok(Json(IntakeView {
        open: intake.open,
        message: intake.message,
        changed_by: intake.changed_by,
        changed_at: intake.changed_at,
        waiting,
        waiting_oldest_ms: u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX),
    }))
}
