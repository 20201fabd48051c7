//! Proving a draft before it is published.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::BatchId;
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use utoipa::ToSchema;

use crate::{
    error::QuestionError,
    etag::IfMatch,
    request,
    state::AppState,
    store,
    verification::{self, Candidate},
};

/// A verification that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerificationStarted {
    /// The batch.
    id: BatchId,
    /// The version that the draft would become.
    version: i32,
    /// Where to go on.
    links: VerificationLinks,
}

/// Where more is found.
#[derive(Debug, Serialize, ToSchema)]
struct VerificationLinks {
    /// How far it has come.
    #[serde(rename = "self")]
    itself: String,
    /// Its stream of events (SSE).
    events: String,
}

/// Verify the draft
///
/// Judges its stored solutions with its tests, in a batch. What comes of it is shown with the question, and is what publishing
/// asks for: each must get the verdict that it is stored with.
#[utoipa::path(
    post, path = "/api/v1/questions/{question}/verify", tag = "questions", operation_id = "verify_question",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 202, body = VerificationStarted, headers(("Location" = String))),
        Problem,
    ),
)]
pub(crate) async fn verify(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let account = &principal.0;
    let found = request::mine(&state, &request::key(&question)?, account).await?;
    if !if_match.permits(found.revision) {
        return Err(QuestionError::PreconditionFailed);
    }
    let id = found.id();
    let version = found.version.unwrap_or(0) + 1;
    let draft = found.draft.ok_or(QuestionError::NotFound("question"))?.0;
    let candidate = Candidate {
        question: id,
        version,
        draft,
        tests: store::list_tests(&state.pool, id).await?,
        teachers: store::list_teachers(&state.pool, id).await?,
    };
    let batch = verification::begin(&state, account, candidate).await?;
    tracing::info!(question = %id, %batch, account = %account.id, "question {id} is being verified");
    let itself = format!("/api/v1/batches/{batch}");
    let started = VerificationStarted {
        id: batch,
        version,
        links: VerificationLinks {
            events: format!("{itself}/events"),
            itself: itself.clone(),
        },
    };
    let location = [(header::LOCATION, itself)];
    Ok((StatusCode::ACCEPTED, location, Json(started)).into_response())
}
