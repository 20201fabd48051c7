//! The list, and a question as a whole: read, made, changed, deleted.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{Locale, QuestionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::Principal,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::tag;
use crate::{
    bodies,
    document::{self, Document},
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request,
    state::AppState,
    store::{self, Filter, Status, Viewer},
    view::{self, ListedView, QuestionView},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Part of a title, the slug or a tag, at most 100 characters.
    query: Option<String>,
    /// A tag.
    tag: Option<String>,
    /// From 1 to 10.
    #[param(minimum = 1, maximum = 10)]
    difficulty: Option<i16>,
    /// How far you have come, or in which state the question is. Archived ones are listed only when asked for.
    #[param(inline)]
    status: Option<Status>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most so many, 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionPage {
    /// The oldest first.
    items: Vec<ListedView>,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

/// List questions
///
/// Published ones; teachers also see their own.
#[utoipa::path(
    get, path = "/api/v1/questions", tag = "questions", operation_id = "list_questions", params(ListQuery),
    responses(
        (status = 200, body = QuestionPage),
        Problem,
    ),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Json<QuestionPage>, QuestionError> {
    let mut filter = query.filter()?;
    let wanted = request::wanted(&headers, &principal.0);
    let page = filter.limit;
    // One more tells whether there is another page.
    filter.limit += 1;
    let mut rows = store::list(&state.pool, Viewer::from(&principal.0), &filter).await?;
    let more = rows.len() > usize::try_from(page).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let next_cursor = rows.last().filter(|_| more).map(|row| cursor(row.id));
    let items = rows.into_iter().map(|row| ListedView::new(row, &wanted));
    Ok(Json(QuestionPage {
        items: items.collect(),
        next_cursor,
    }))
}

/// Read a question
///
/// The current version, in the best language for `Accept-Language`; its teachers also get the draft.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}", tag = "questions", operation_id = "show_question",
    params(("question" = String, Path, description = "Id or slug"), ("Accept-Language" = Option<String>, Header, description = "ko or en")),
    responses(
        (status = 200, body = QuestionView, headers(("ETag" = String), ("Content-Language" = String))),
        (status = 304, description = "You have it already (`If-None-Match`)"),
        Problem,
    ),
)]
pub(crate) async fn show(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    let key = request::key(&question)?;
    let visible = request::visible(&state, &key, &principal.0).await?;
    let wanted = request::wanted(&headers, &principal.0);
    let (view, entity) = view::show(&state, visible, &wanted).await?;
    if etag::is_known(&headers, &entity) {
        return Ok((StatusCode::NOT_MODIFIED, tag(&entity)?).into_response());
    }
    Ok(respond(view, &entity)?.into_response())
}

/// Make a question
///
/// The whole of it in one document. It is a draft until it is published.
#[utoipa::path(
    post, path = "/api/v1/questions", tag = "questions", operation_id = "create_question", request_body = Document,
    responses(
        (status = 201, body = QuestionView, headers(("Location" = String), ("ETag" = String))),
        (status = 422, description = "Wrong in the places that `errors` names", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/invalid-request", "title": "Invalid request", "status": 422,
                "detail": "Correct what `errors` names and send it again.",
                "errors": [{"pointer": "/difficulty", "code": "range", "message": "allowed: 1 to 10"}]})),
        Problem,
    ),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let mut draft = Document::parse(request::json::<Value>(request, &state).await?)?;
    let sent = draft.tests.take().unwrap_or_default();
    let sent = bodies::keep(&state.blobs, sent).await?;
    let tests = bodies::resolve("/tests", sent, &[])?;
    let id = QuestionId::new();
    let account = &principal.0;
    let mut transaction = state.pool.begin().await?;
    store::insert(&mut transaction, id, &draft, account.id).await?;
    store::replace_tests(&mut transaction, id, &tests).await?;
    let action = Action::Created.as_str();
    store::insert_change(&mut transaction, id, 1, action, &json!({}), account).await?;
    transaction.commit().await?;
    tracing::info!(question = %id, slug = draft.slug, account = %account.id, "question {id} created");
    let made = show_again(&state, &principal, id, &headers).await?;
    let location = [(header::LOCATION, format!("/api/v1/questions/{id}"))];
    Ok((StatusCode::CREATED, location, made).into_response())
}

/// Change the draft
///
/// A merge patch (RFC 7396): what it does not name stays, `null` removes. `tests`, where named, are the whole new set; a test
/// without `input` or `output` keeps the present one's of its name.
#[utoipa::path(
    patch, path = "/api/v1/questions/{question}", tag = "questions", operation_id = "change_question",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = String, Header, description = "The ETag that you read")),
    request_body(content = Value, description = "Any part of a question document", content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = QuestionView, headers(("ETag" = String))),
        (status = 412, description = "Changed since you read it", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/precondition-failed", "title": "Precondition failed", "status": 412,
                "detail": "It was changed since you read it. Read it again, and repeat the change with the new ETag."})),
        Problem,
    ),
)]
pub(crate) async fn change(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let mut patch = request::json::<Value>(request, &state).await?;
    let seen = request::mine(&state, &key, &principal.0).await?;
    if if_match == IfMatch::Absent {
        return Err(QuestionError::PreconditionRequired);
    }
    if !if_match.permits(seen.revision) {
        return Err(QuestionError::PreconditionFailed);
    }
    let seen = seen.draft.ok_or(QuestionError::NotFound("question"))?.0;
    // The tests' bodies are kept before the question is locked.
    let tests = match seen.patched(patch.clone())?.tests {
        Some(tests) => Some(bodies::keep(&state.blobs, tests).await?),
        None => None,
    };
    if let Some(patch) = patch.as_object_mut() {
        patch.remove("tests");
    }
    let mut edit = Edit::begin_exact(&state, &key, &principal.0, &if_match).await?;
    let id = edit.question.id();
    let before = edit.question.draft.0.clone();
    let after = before.patched(patch)?;
    if edit.question.current_version.is_some() && after.slug != before.slug {
        return Err(QuestionError::Conflict(
            "The slug of a published question stays as it is, so that addresses of it keep working.",
        ));
    }
    let mut changed = document::differences(&before, &after);
    if let Some(sent) = tests {
        let present = store::list_tests(edit.connection(), id).await?;
        let tests = bodies::resolve("/tests", sent, &present)?;
        store::replace_tests(edit.connection(), id, &tests).await?;
        if tests != present {
            changed.push("/tests".to_owned());
        }
    }
    let revision = store::save_draft(edit.connection(), id, &after).await?;
    edit.finish(revision, Action::Changed, json!({"changed": changed}))
        .await?;
    Ok(show_again(&state, &principal, id, &headers)
        .await?
        .into_response())
}

/// Delete a draft
///
/// Only one that was never published; anything else can be archived.
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}", tag = "questions", operation_id = "delete_question",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = String, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is gone"),
        Problem,
    ),
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
) -> Result<StatusCode, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let mut edit = Edit::begin_exact(&state, &key, &principal.0, &if_match).await?;
    if edit.question.current_version.is_some() {
        return Err(QuestionError::Conflict(
            "It was published, and submissions may refer to it: archive it instead.",
        ));
    }
    let (id, revision) = (edit.question.id(), edit.question.revision);
    let slug = edit.question.draft.slug.clone();
    store::delete(edit.connection(), id).await?;
    edit.finish(revision + 1, Action::Deleted, json!({"slug": slug}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The question as its teacher sees it after a change.
pub(super) async fn show_again(
    state: &AppState,
    principal: &Principal,
    id: QuestionId,
    headers: &HeaderMap,
) -> Result<impl IntoResponse + use<>, QuestionError> {
    let account = &principal.0;
    let visible = request::visible(state, &store::Key::Id(id), account).await?;
    let wanted = request::wanted(headers, account);
    let (view, entity) = view::show(state, visible, &wanted).await?;
    respond(view, &entity)
}

fn respond(view: QuestionView, entity: &str) -> Result<impl IntoResponse + use<>, QuestionError> {
    let language = Locale::as_str(view.locale);
    let headers = [
        (header::CONTENT_LANGUAGE, language),
        (header::VARY, "Accept-Language, Authorization"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    Ok((headers, tag(entity)?, Json(view)))
}

impl ListQuery {
    fn filter(self) -> Result<Filter, QuestionError> {
        let mut faults = Vec::new();
        let mut fault = |name: &str, message: &str| {
            faults.push(crate::rules::Fault::new(
                format!("/{name}"),
                "range",
                message,
            ));
        };
        for (name, text) in [("query", &self.query), ("tag", &self.tag)] {
            let text = text.as_deref().unwrap_or_default();
            if text.chars().count() > 100 || text.contains('\0') {
                fault(name, "at most 100 characters, none of them U+0000");
            }
        }
        if self
            .difficulty
            .is_some_and(|number| !(1..=10).contains(&number))
        {
            fault("difficulty", "allowed: 1 to 10");
        }
        let limit = self.limit.unwrap_or(50);
        if !(1..=100).contains(&limit) {
            fault("limit", "allowed: 1 to 100");
        }
        let after = self.cursor.as_deref().map(parse_cursor);
        if after == Some(None) {
            fault("cursor", "take `next_cursor` of the page before as it is");
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Ok(Filter {
            query: given(self.query),
            tag: given(self.tag),
            difficulty: self.difficulty,
            status: self.status,
            after: after.flatten(),
            limit,
        })
    }
}

/// Opaque to clients: the last id of a page.
fn cursor(id: Uuid) -> String {
    id.simple().to_string()
}

fn parse_cursor(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}
