//! `/submissions`: hand in, look at, call off.

use axum::{extract::State as AxumState, response::Response};
use contract::{Language, SubmissionId, Verdict, internal::MUTED_HEADER, job::SourceFile};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::Principal,
};
use utoipa::{IntoParams, ToSchema};

use super::view::{self, AcceptedView, SubmissionSummary, SubmissionView};
use crate::{
    accept, endings,
    intake::{Kind, SubmissionBody},
    muted,
    picture::Picture,
    standing::Status,
    state::State,
    store::{
        muted::muted as muted_ones,
        submission::{self, Filter},
    },
};

/// Submit code to be judged
///
/// It is judged on the question's tests and then reviewed. Accepted means stored: it is judged even if everything goes down now.
#[utoipa::path(
    post, path = "/api/v1/submissions", tag = "submissions", request_body = SubmissionBody,
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
        (status = 413, description = "More than 64 KiB of code", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something in it is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many of yours wait for their verdict: see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: see Retry-After", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn submit(
    AxumState(state): AxumState<State>,
    principal: Principal,
    headers: HeaderMap,
    Json(body): Json<SubmissionBody>,
) -> Result<Response, Problem> {
    let proposal = view::proposal(&headers, &state.outbox)?;
    let receipt = accept::accept(&state, &principal, body.parse()?, &proposal).await?;
    let mut answer = view::accepted(Kind::Submission, &receipt);
    if muted::is_muted(&state, &principal, receipt.id).await? {
        let told = HeaderValue::from_static("1");
        answer.headers_mut().insert(MUTED_HEADER, told);
    }
    Ok(answer)
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those to this question: its id or slug.
    question: Option<String>,
    /// Only those with this verdict.
    #[param(inline)]
    verdict: Option<Verdict>,
    /// Only those in this language.
    #[param(inline)]
    language: Option<Language>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most so many, 20 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
}

/// A page of submissions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubmissionPage {
    /// The newest first.
    items: Vec<SubmissionSummary>,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

/// List submissions
///
/// One's own; a teacher's also those to the teacher's questions; an admin's all.
#[utoipa::path(
    get, path = "/api/v1/submissions", tag = "submissions", operation_id = "list_submissions", params(ListQuery),
    responses(
        (status = 200, body = SubmissionPage),
        (status = 400, description = "Unknown parameter", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter out of range", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<SubmissionPage>, Problem> {
    let limit = view::limit(query.limit)?;
    let filter = Filter {
        question: query.question,
        verdict: query.verdict,
        language: query.language,
        before: view::cursor(query.cursor.as_deref())?.map(SubmissionId),
        // One more tells whether there is another page.
        limit: limit + 1,
    };
    let found = submission::list(&state.pool, &principal, &filter).await?;
    let (mut items, next_cursor) = view::page(found, limit, |summary| summary.id.0);
    let ids: Vec<SubmissionId> = items.iter().map(|summary| summary.id).collect();
    let muted = muted_ones(&state.pool, &principal, &ids).await?;
    for summary in &mut items {
        if muted.contains(&summary.id) {
            summary.mute();
        }
    }
    Ok(Json(SubmissionPage {
        items: items.into_iter().map(SubmissionSummary::from).collect(),
        next_cursor,
    }))
}

/// Look at a submission
///
/// Its state, and all that its stream has shown: tests, verdict, review.
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}", tag = "submissions", operation_id = "show_submission",
    params(("id" = uuid::Uuid, Path, description = "The submission")),
    responses(
        (status = 200, body = SubmissionView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<SubmissionId>,
) -> Result<Json<SubmissionView>, Problem> {
    look_at(&state, &principal, Kind::Submission, id)
        .await
        .map(Json)
}

/// One of this kind, with its log folded.
pub(super) async fn look_at(
    state: &State,
    principal: &Principal,
    kind: Kind,
    id: SubmissionId,
) -> Result<SubmissionView, Problem> {
    let found = submission::find(&state.pool, principal, kind, id).await?;
    let summary = found.ok_or_else(|| Problem::not_found(kind.as_str()))?;
    let log = submission::log(&state.pool, id, summary.judgement).await?;
    let mut judgements = submission::judgements(&state.pool, principal, id).await?;
    let mut picture = Picture::of(log);
    let mut summary = summary;
    if kind == Kind::Submission && muted::is_muted(state, principal, id).await? {
        summary.mute();
        for judgement in &mut judgements {
            judgement.mute();
        }
        picture = Picture {
            failure: picture.failure,
            ..Picture::default()
        };
    }
    Ok(SubmissionView::new(summary, picture, judgements))
}

/// What was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeView {
    /// The submission.
    id: SubmissionId,
    /// The code's language.
    language: Language,
    /// The files as stored, the main one first.
    files: Vec<SourceFile>,
}

/// Read the code of a submission
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}/code", tag = "submissions", operation_id = "submission_code",
    params(("id" = uuid::Uuid, Path, description = "The submission")),
    responses(
        (status = 200, body = CodeView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn code(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<SubmissionId>,
) -> Result<Json<CodeView>, Problem> {
    let found = submission::code(&state.pool, &principal, id).await?;
    let (language, files) = found.ok_or_else(|| Problem::not_found("submission"))?;
    Ok(Json(CodeView {
        id,
        language,
        files,
    }))
}

/// The answer to a wish to cancel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancelView {
    /// The submission.
    id: SubmissionId,
    /// How far it had come: the end follows in its stream.
    status: Status,
}

/// Cancel a submission
///
/// It ends as failed if it has no verdict, without a review if it has one; one that is over stays as it is. Only its owner may.
#[utoipa::path(
    post, path = "/api/v1/submissions/{id}/cancel", tag = "submissions", operation_id = "cancel_submission",
    params(("id" = uuid::Uuid, Path, description = "The submission")),
    responses(
        (status = 202, body = CancelView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You see it, but it is not yours", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cancel(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<SubmissionId>,
) -> Result<(StatusCode, Json<CancelView>), Problem> {
    let found = submission::find(&state.pool, &principal, Kind::Submission, id).await?;
    let summary = found.ok_or_else(|| Problem::not_found("submission"))?;
    if summary.account != principal.id {
        return Err(Problem::forbidden("only who submitted it may cancel it"));
    }
    endings::cancel(&state, id).await?;
    let status = summary.status;
    Ok((StatusCode::ACCEPTED, Json(CancelView { id, status })))
}
