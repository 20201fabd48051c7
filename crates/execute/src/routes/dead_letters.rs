//! `/dead-letters`: what could not be processed, for admins to look at, send again or throw away.

use axum::extract::State as AxumState;
use contract::SubmissionId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::Principal,
};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view;
use crate::{
    dead_letters,
    state::State,
    store::dead_letter::{self, DeadLetter},
};

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    /// Its id.
    id: Uuid,
    /// What the message was: `judge-job`, `review-job`, `stream-event`, or what could not be read.
    kind: String,
    /// The topic that it was to be processed from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// Why it could not be.
    reason: String,
    /// How often it was tried.
    attempt: u32,
    /// The submission that it is about, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<SubmissionId>,
    /// Which judging of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<u32>,
    /// When it was kept.
    #[serde(with = "time::serde::rfc3339")]
    arrived_at: OffsetDateTime,
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        let headers = letter.headers;
        Self {
            id: letter.id,
            kind: headers.kind,
            origin: headers.origin,
            reason: headers.reason.unwrap_or_default(),
            attempt: headers.attempt,
            submission: letter.judgement.map(|(submission, _)| submission),
            judgement: letter.judgement.map(|(_, judgement)| judgement),
            arrived_at: letter.arrived_at,
        }
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most so many, 20 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
}

/// A page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    /// The newest first.
    items: Vec<DeadLetterView>,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

/// List dead letters
///
/// Those that nobody has dealt with.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", tag = "dead-letters", operation_id = "list_dead_letters", params(ListQuery),
    responses(
        (status = 200, body = DeadLetterPage),
        (status = 400, description = "Unknown parameter", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter out of range", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<DeadLetterPage>, Problem> {
    principal.require_admin()?;
    let limit = view::limit(query.limit)?;
    let before = view::cursor(query.cursor.as_deref())?;
    let found = dead_letter::list(&state.pool, before, limit + 1).await?;
    let (items, next_cursor) = view::page(found, limit, |letter| letter.id);
    Ok(Json(DeadLetterPage {
        items: items.into_iter().map(DeadLetterView::from).collect(),
        next_cursor,
    }))
}

/// A dead letter with what was in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeDeadLetterView {
    #[serde(flatten)]
    letter: DeadLetterView,
    /// The message's headers.
    #[schema(value_type = Object)]
    headers: contract::Headers,
    /// Its value as text; what is not UTF-8 is replaced.
    payload: String,
}

/// Look at a dead letter
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{id}", tag = "dead-letters", operation_id = "show_dead_letter",
    params(("id" = Uuid, Path, description = "The dead letter")),
    responses(
        (status = 200, body = WholeDeadLetterView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none, or somebody has dealt with it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<Json<WholeDeadLetterView>, Problem> {
    principal.require_admin()?;
    let found = dead_letter::find(&state.pool, id).await?;
    let (letter, payload) = found.ok_or_else(|| Problem::not_found("dead letter"))?;
    Ok(Json(WholeDeadLetterView {
        headers: letter.headers.clone(),
        letter: letter.into(),
        payload: String::from_utf8_lossy(&payload).into_owned(),
    }))
}

/// Send a dead letter again
///
/// To where it was to be processed; a submission that has failed meanwhile is judged anew.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{id}/replay", tag = "dead-letters", operation_id = "replay_dead_letter",
    params(("id" = Uuid, Path, description = "The dead letter")),
    responses(
        (status = 204, description = "It is on its way"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none, or somebody has dealt with it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It makes no sense any more", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn replay(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    principal.require_admin()?;
    dead_letters::replay(&state, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Throw a dead letter away
#[utoipa::path(
    delete, path = "/api/v1/dead-letters/{id}", tag = "dead-letters", operation_id = "discard_dead_letter",
    params(("id" = Uuid, Path, description = "The dead letter")),
    responses(
        (status = 204, description = "It is dealt with"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none, or somebody has dealt with it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn discard(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    principal.require_admin()?;
    if dead_letter::resolve(&state.pool, id, "discarded").await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("dead letter"))
    }
}
