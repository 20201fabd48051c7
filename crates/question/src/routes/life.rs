//! A question's life beside its text: publish, archive, copy, look back.

use axum::{
    body::HttpBody,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{AccountId, QuestionId, manifest::QuestionKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::Principal,
};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::{questions::show_again, tag};
use crate::{
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request,
    rules::{Fault, is_slug},
    state::AppState,
    store::{self, ChangeRow},
    verification::{self, VerificationState},
};

/// How to publish.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PublishQuery {
    /// Publish although nothing proves that the reference solutions are judged as they should be. It is recorded.
    #[serde(default)]
    unverified: bool,
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedVersion {
    /// Its number, from 1.
    version: i32,
    /// Whether it was published without proof.
    unverified: bool,
}

/// Publish the draft
///
/// Freezes the draft and its tests as the next version, for ever. Submissions keep the version that judged them.
#[utoipa::path(
    post, path = "/api/v1/questions/{question}/publish", tag = "questions", operation_id = "publish_question",
    params(("question" = String, Path, description = "Id or slug"), PublishQuery, ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 201, body = PublishedVersion, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "Not verified, or archived", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/conflict", "title": "Conflict", "status": 409,
                "detail": "Nothing proves yet that its solutions are judged as they should be. Add ?unverified=true to publish it all the same, which is recorded."})),
        Problem,
    ),
)]
pub(crate) async fn publish(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
    Query(query): Query<PublishQuery>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let account = &principal.0;
    let seen = request::mine(&state, &key, account).await?;
    let proof = verification::latest(&state, seen.id()).await?;
    let mut edit = Edit::begin(&state, &key, account, &if_match).await?;
    if edit.question.archived {
        return Err(QuestionError::Conflict(
            "It is archived: bring it back first (DELETE …/archive).",
        ));
    }
    let (id, draft) = (edit.question.id(), edit.question.draft.0.clone());
    let mut faults = Vec::new();
    let tests = store::list_tests(edit.connection(), id).await?;
    if tests.is_empty() {
        faults.push(Fault::new(
            "/tests",
            "required",
            "a question is published with at least one test",
        ));
    }
    if draft.kind == QuestionKind::Function && draft.offered().is_empty() {
        faults.push(Fault::new(
            "/languages",
            "required",
            "a function question needs a driver for each language that it offers",
        ));
    }
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let proof = verification::state_of(proof.as_ref(), &verification::content(&draft, &tests)?);
    let unverified = proof != Some(VerificationState::Passed);
    if unverified && !query.unverified {
        return Err(QuestionError::Conflict(refusal(proof)));
    }
    let version = edit.question.current_version.unwrap_or(0) + 1;
    let revision = store::insert_version(
        edit.connection(),
        id,
        version,
        &draft,
        unverified,
        account.id,
    )
    .await?;
    let detail = json!({"version": version, "unverified": unverified});
    let revision = edit.finish(revision, Action::Published, detail).await?;
    let location = [(header::LOCATION, format!("/api/v1/questions/{id}"))];
    let published = PublishedVersion {
        version,
        unverified,
    };
    let entity = tag(&etag::of_revision(revision))?;
    Ok((StatusCode::CREATED, location, entity, Json(published)).into_response())
}

/// Why something is not published yet.
fn refusal(proof: Option<VerificationState>) -> &'static str {
    match proof {
        Some(VerificationState::Running) => {
            "It is still being verified: wait for the end. Or add ?unverified=true to publish it all the same, which is recorded."
        }
        Some(VerificationState::Failed) => {
            "A stored solution does not get the verdict that it is stored with: see `verification`. Correct it and verify again, or add ?unverified=true to publish it all the same, which is recorded."
        }
        Some(VerificationState::Passed) | None => {
            "Nothing proves yet that its solutions are judged as they should be: verify it (POST …/verify). Or add ?unverified=true to publish it all the same, which is recorded."
        }
    }
}

/// Archive a question
///
/// Learners do not see it any more and cannot submit to it; nothing is lost.
#[utoipa::path(
    post, path = "/api/v1/questions/{question}/archive", tag = "questions", operation_id = "archive_question",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = String, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is archived", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn archive(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    set_archived(&state, &principal, &if_match, &question, true).await
}

/// Bring an archived question back
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}/archive", tag = "questions", operation_id = "restore_question",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = String, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is as before", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn restore(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    set_archived(&state, &principal, &if_match, &question, false).await
}

async fn set_archived(
    state: &AppState,
    principal: &Principal,
    if_match: &IfMatch,
    question: &str,
    archived: bool,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(question)?;
    let mut edit = Edit::begin_exact(state, &key, &principal.0, if_match).await?;
    let mut revision = edit.question.revision;
    if edit.question.archived != archived {
        let id = edit.question.id();
        revision = store::set_archived(edit.connection(), id, archived).await?;
        let action = if archived {
            Action::Archived
        } else {
            Action::Restored
        };
        edit.finish(revision, action, json!({})).await?;
    }
    let entity = tag(&etag::of_revision(revision))?;
    Ok((StatusCode::NO_CONTENT, entity).into_response())
}

/// How to copy.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionClone)]
pub(crate) struct CloneRequest {
    /// The copy's slug; made of the original's if absent.
    slug: Option<String>,
}

/// Copy a question
///
/// A new draft, yours, with everything that the draft has.
#[utoipa::path(
    post, path = "/api/v1/questions/{question}/clone", tag = "questions",
    params(("question" = String, Path, description = "Id or slug")),
    request_body(content = Option<CloneRequest>, description = "May be left out"),
    responses(
        (status = 201, body = crate::view::QuestionView, headers(("Location" = String), ("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn clone_question(
    State(state): State<AppState>,
    principal: Principal,
    Path(question): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let original = request::mine(&state, &key, &principal.0).await?;
    let wish = if request.body().is_end_stream() {
        CloneRequest::default()
    } else {
        request::json(request, &state).await?
    };
    let mut draft = original
        .draft
        .as_ref()
        .map(|draft| draft.0.clone())
        .ok_or(QuestionError::NotFound("question"))?;
    draft.slug = match wish.slug {
        Some(slug) if is_slug(&slug) => slug,
        Some(_) => {
            return Err(QuestionError::fault(
                "/slug",
                "format",
                "1 to 80 of a-z, 0-9 and -, no - at either end",
            ));
        }
        None => free_slug(&state, &draft.slug).await?,
    };
    let id = QuestionId::new();
    let account = &principal.0;
    let mut transaction = state.pool.begin().await?;
    store::insert(&mut transaction, id, &draft, account.id).await?;
    let tests = store::list_tests(&mut *transaction, original.id()).await?;
    store::replace_tests(&mut transaction, id, &tests).await?;
    let detail = json!({"from": original.id()});
    store::insert_change(
        &mut transaction,
        id,
        1,
        Action::Cloned.as_str(),
        &detail,
        account,
    )
    .await?;
    transaction.commit().await?;
    let made = show_again(&state, &principal, id, &headers).await?;
    let location = [(header::LOCATION, format!("/api/v1/questions/{id}"))];
    Ok((StatusCode::CREATED, location, made).into_response())
}

/// `sum-copy`, `sum-copy-2`, …; whoever is quicker gets it.
async fn free_slug(state: &AppState, slug: &str) -> Result<String, QuestionError> {
    const TRIES: u32 = 50;
    // Slugs are ASCII; the ending needs room.
    let stem = slug[..slug.len().min(70)].trim_end_matches('-');
    for number in 1..=TRIES {
        let copy = match number {
            1 => format!("{stem}-copy"),
            _ => format!("{stem}-copy-{number}"),
        };
        if !store::slug_exists(&state.pool, &copy).await? {
            return Ok(copy);
        }
    }
    Err(QuestionError::SlugTaken)
}

/// Which changes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most so many, 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Who changed what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionHistory {
    /// The newest first.
    items: Vec<QuestionChange>,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionChange {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Who.
    account: AccountId,
    /// The name they had.
    account_name: String,
    /// `created`, `cloned`, `changed`, `tests_changed`, `teachers_changed`, `published`, `archived` or `restored`.
    action: String,
    /// The revision that came out of it.
    revision: i64,
    /// What exactly: JSON pointers under `changed`, the number under `version`.
    detail: Value,
}

impl From<ChangeRow> for QuestionChange {
    fn from(row: ChangeRow) -> Self {
        Self {
            at: row.at,
            account: AccountId(row.account),
            account_name: row.account_name,
            action: row.action,
            revision: row.revision,
            detail: row.detail.0,
        }
    }
}

/// Look back
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/history", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), HistoryQuery),
    responses(
        (status = 200, body = QuestionHistory),
        Problem,
    ),
)]
pub(crate) async fn history(
    State(state): State<AppState>,
    principal: Principal,
    Path(question): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<QuestionHistory>, QuestionError> {
    principal.require_teacher()?;
    let limit = query.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(QuestionError::fault("/limit", "range", "allowed: 1 to 100"));
    }
    let before: Option<i64> = match query.cursor.as_deref().map(str::parse) {
        Some(Err(_)) => {
            return Err(QuestionError::fault(
                "/cursor",
                "format",
                "take `next_cursor` of the page before as it is",
            ));
        }
        Some(Ok(before)) => Some(before),
        None => None,
    };
    let question = request::mine(&state, &request::key(&question)?, &principal.0).await?;
    let mut rows = store::list_changes(&state.pool, question.id(), before, limit + 1).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(QuestionHistory {
        items: rows.into_iter().map(QuestionChange::from).collect(),
        next_cursor,
    }))
}
