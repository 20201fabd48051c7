//! Who may change a question.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use contract::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use utoipa::ToSchema;

use super::tag;
use crate::{
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request,
    state::AppState,
    store,
};

const MAX_TEACHERS: usize = 50;

/// The accounts that may change a question, beside admins.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionTeachers {
    /// 1 to 50 ids of accounts. They must be teachers to make use of it.
    teachers: Vec<AccountId>,
}

/// List a question's teachers
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/teachers", tag = "questions", operation_id = "list_teachers",
    params(("question" = String, Path, description = "Id or slug")),
    responses(
        (status = 200, body = QuestionTeachers, headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let question = request::mine(&state, &request::key(&question)?, &principal.0).await?;
    let teachers = store::list_teachers(&state.pool, question.id()).await?;
    let entity = tag(&etag::of_revision(question.revision))?;
    Ok((entity, Json(QuestionTeachers { teachers })).into_response())
}

/// Set a question's teachers
///
/// The whole list; at least one stays.
#[utoipa::path(
    put, path = "/api/v1/questions/{question}/teachers", tag = "questions", operation_id = "replace_teachers",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = String, Header, description = "The ETag that you read")),
    request_body = QuestionTeachers,
    responses(
        (status = 200, body = QuestionTeachers, headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn replace(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let wanted: QuestionTeachers = request::json(request, &state).await?;
    let mut edit = Edit::begin_exact(&state, &key, &principal.0, &if_match).await?;
    if !(1..=MAX_TEACHERS).contains(&wanted.teachers.len()) {
        return Err(QuestionError::fault(
            "/teachers",
            "range",
            "1 to 50 teachers",
        ));
    }
    let id = edit.question.id();
    store::replace_teachers(edit.connection(), id, &wanted.teachers).await?;
    let teachers = store::list_teachers(edit.connection(), id).await?;
    let revision = store::touch(edit.connection(), id).await?;
    let detail = json!({"teachers": teachers});
    let revision = edit
        .finish(revision, Action::TeachersChanged, detail)
        .await?;
    let entity = tag(&etag::of_revision(revision))?;
    Ok((entity, Json(QuestionTeachers { teachers })).into_response())
}
