//! What a question says of one language: the starter that learners get, and the driver that only its teachers see.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Problem, extract::Path, token::Principal};
use utoipa::ToSchema;

use super::tag;
use crate::{
    document::LanguageSettings,
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request::{self, Media},
    rules,
    state::AppState,
    store,
};

/// Code in JSON.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionCode {
    /// Its text, at most 64 KiB.
    code: String,
}

/// Which of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Starter,
    Driver,
}

/// Read a starter
///
/// What learners begin with: of the current version, for its teachers of the draft. 404 where there is none: then
/// `template` of `GET /languages` serves.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/languages/{language}/starter", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id")),
    responses(
        (status = 200, content((String = "text/plain"), (QuestionCode = "application/json"))),
        Problem,
    ),
)]
pub(crate) async fn starter(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Path((question, language)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    let key = request::key(&question)?;
    let language = request::language(&language)?;
    let question = request::visible(&state, &key, &principal.0).await?;
    let (document, entity) = match (question.draft, question.published, question.version) {
        (Some(draft), _, _) => (draft.0, etag::of_revision(question.revision)),
        (None, Some(published), Some(version)) => (published.0, format!("\"v{version}\"")),
        _ => return Err(QuestionError::NotFound("question")),
    };
    let starter = document.starter(language);
    show(
        &headers,
        starter.ok_or(QuestionError::NotFound("starter"))?,
        &entity,
    )
}

/// Set a starter
#[utoipa::path(
    put, path = "/api/v1/questions/{question}/languages/{language}/starter", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    request_body(content((String = "text/plain"), (QuestionCode = "application/json"))),
    responses(
        (status = 204, description = "It is in the draft", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn put_starter(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, language)): Path<(String, String)>,
    request: Request,
) -> Result<Response, QuestionError> {
    put(
        &state,
        &principal,
        &if_match,
        (question, language),
        Part::Starter,
        request,
    )
    .await
}

/// Remove a starter
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}/languages/{language}/starter", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is not in the draft any more", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn delete_starter(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, language)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    remove(
        &state,
        &principal,
        &if_match,
        (question, language),
        Part::Starter,
    )
    .await
}

/// Read a driver
///
/// The code around the learner's, of the draft.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/languages/{language}/driver", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id")),
    responses(
        (status = 200, content((String = "text/plain"), (QuestionCode = "application/json")), headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn driver(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Path((question, language)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let language = request::language(&language)?;
    let question = request::mine(&state, &key, &principal.0).await?;
    let driver = question
        .draft
        .as_ref()
        .and_then(|draft| draft.driver(language));
    let driver = driver.ok_or(QuestionError::NotFound("driver"))?;
    show(&headers, driver, &etag::of_revision(question.revision))
}

/// Set a driver
///
/// It holds one line `{{code}}` where the learner's code will stand, or, in Python and JavaScript, imports the module `solution`.
#[utoipa::path(
    put, path = "/api/v1/questions/{question}/languages/{language}/driver", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    request_body(content((String = "text/plain"), (QuestionCode = "application/json"))),
    responses(
        (status = 204, description = "It is in the draft", headers(("ETag" = String))),
        (status = 422, description = "It cannot be one", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/invalid-request", "title": "Invalid request", "status": 422,
                "detail": "Correct what `errors` names and send it again.",
                "errors": [{"pointer": "/code", "code": "driver-place", "message": "`{{code}}` must stand alone on its line"}]})),
        Problem,
    ),
)]
pub(crate) async fn put_driver(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, language)): Path<(String, String)>,
    request: Request,
) -> Result<Response, QuestionError> {
    put(
        &state,
        &principal,
        &if_match,
        (question, language),
        Part::Driver,
        request,
    )
    .await
}

/// Remove a driver
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}/languages/{language}/driver", tag = "questions",
    params(("question" = String, Path, description = "Id or slug"), ("language" = contract::Language, Path, description = "Its id"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is not in the draft any more", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn delete_driver(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, language)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    remove(
        &state,
        &principal,
        &if_match,
        (question, language),
        Part::Driver,
    )
    .await
}

async fn put(
    state: &AppState,
    principal: &Principal,
    if_match: &IfMatch,
    (question, language): (String, String),
    part: Part,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let language = request::language(&language)?;
    let code = match Media::of(request.headers()) {
        Media::Text => request::text(request, state).await?,
        Media::Json => request::json::<QuestionCode>(request, state).await?.code,
        Media::Form | Media::Zip | Media::Other => {
            return Err(QuestionError::UnsupportedMediaType(
                "text/plain in UTF-8, or as application/json",
            ));
        }
    };
    let mut edit = Edit::begin(state, &key, &principal.0, if_match).await?;
    let fault = match part {
        Part::Starter => rules::check_code("/code", &code),
        Part::Driver => rules::check_driver("/code", language, &code),
    };
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    let mut draft = edit.question.draft.0.clone();
    *part.of(draft.languages.entry(language).or_default()) = Some(code);
    let id = edit.question.id();
    let revision = store::save_draft(edit.connection(), id, &draft).await?;
    saved(edit, revision, language, part).await
}

async fn remove(
    state: &AppState,
    principal: &Principal,
    if_match: &IfMatch,
    (question, language): (String, String),
    part: Part,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let language = request::language(&language)?;
    let mut edit = Edit::begin(state, &key, &principal.0, if_match).await?;
    let mut draft = edit.question.draft.0.clone();
    let settings = draft.languages.entry(language).or_default();
    if part.of(settings).take().is_none() {
        return Err(QuestionError::NotFound(part.word()));
    }
    if *settings == LanguageSettings::default() {
        draft.languages.remove(&language);
    }
    let id = edit.question.id();
    let revision = store::save_draft(edit.connection(), id, &draft).await?;
    saved(edit, revision, language, part).await
}

async fn saved(
    edit: Edit,
    revision: i64,
    language: contract::Language,
    part: Part,
) -> Result<Response, QuestionError> {
    let place = format!("/languages/{language}/{}", part.word());
    let revision = edit
        .finish(revision, Action::Changed, json!({"changed": [place]}))
        .await?;
    let entity = tag(&etag::of_revision(revision))?;
    Ok((StatusCode::NO_CONTENT, entity).into_response())
}

/// As text, or as JSON for those who ask for it.
fn show(headers: &HeaderMap, code: &str, entity: &str) -> Result<Response, QuestionError> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let shared = (
        [
            (header::VARY, "Accept, Authorization"),
            (header::CACHE_CONTROL, "private, no-cache"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        tag(entity)?,
    );
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        let code = code.to_owned();
        return Ok((shared, Json(QuestionCode { code })).into_response());
    }
    Ok((shared, code.to_owned()).into_response())
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Driver => "driver",
        }
    }

    fn of(self, settings: &mut LanguageSettings) -> &mut Option<String> {
        match self {
            Self::Starter => &mut settings.starter,
            Self::Driver => &mut settings.driver,
        }
    }
}
