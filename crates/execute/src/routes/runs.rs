//! `/runs`: code on input of one's own, or on a question's samples. Forgotten after an hour, never anybody else's.

use axum::{extract::State as AxumState, response::Response};
use contract::SubmissionId;
use http::HeaderMap;
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};

use super::{
    submissions::look_at,
    view::{self, AcceptedView, SubmissionView},
};
use crate::{
    accept,
    intake::{Kind, RunBody},
    state::State,
};

/// Run code
///
/// On input of one's own or on a question's samples; without a verdict that counts, without a review. Kept for an hour.
#[utoipa::path(
    post, path = "/api/v1/runs", tag = "runs", request_body = RunBody,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "8 to 255 visible characters: a repeat with the same key answers as the first time"),
        ("Accept" = Option<String>, Header, description = "text/event-stream: answer with the stream itself"),
    ),
    responses(
        (status = 202, body = AcceptedView, headers(("Location" = String))),
        (status = 400, description = "Not JSON, or with NUL", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such question", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key was used for another request", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "More than 64 KiB of code or input", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something in it is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many of yours wait for their verdict: see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: see Retry-After", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn run(
    AxumState(state): AxumState<State>,
    principal: Principal,
    headers: HeaderMap,
    Json(body): Json<RunBody>,
) -> Result<Response, Problem> {
    let proposal = view::proposal(&headers, &state.outbox)?;
    let receipt = accept::accept(&state, &principal, body.parse()?, &proposal).await?;
    Ok(view::accepted(Kind::Run, &receipt))
}

/// Look at a run
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", tag = "runs", operation_id = "show_run",
    params(("id" = uuid::Uuid, Path, description = "The run")),
    responses(
        (status = 200, body = SubmissionView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none of yours, or it has been forgotten", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<SubmissionId>,
) -> Result<Json<SubmissionView>, Problem> {
    look_at(&state, &principal, Kind::Run, id).await.map(Json)
}
