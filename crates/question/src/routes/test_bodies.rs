//! One test of a draft: its bodies as JSON or as files.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::manifest::{BlobRef, TestRef};
use serde::Deserialize;
use serde_json::json;
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use utoipa::ToSchema;

use super::tag;
use crate::{
    bodies,
    document::TestDocument,
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request,
    rules::{MAX_SAMPLES, MAX_TESTS},
    state::AppState,
    store,
    upload::Upload,
};

/// A test as a form. Parts that are left out stay as they are in the present test of that name.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form to clients; it is read part by part"
)]
pub(crate) struct QuestionTestForm {
    /// A file, at most 64 MiB.
    #[schema(value_type = Option<String>, format = Binary)]
    input: Option<Vec<u8>>,
    /// A file, at most 64 MiB.
    #[schema(value_type = Option<String>, format = Binary)]
    output: Option<Vec<u8>>,
    /// `true` or `false`.
    sample: Option<bool>,
    /// The group's name.
    group: Option<String>,
    /// A number.
    points: Option<f64>,
}

/// Read a test
///
/// Of the draft. A body that is no text, or larger than 1 MiB, is left out: it can be fetched as a file.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/tests/{name}", tag = "questions", operation_id = "show_test",
    params(("question" = String, Path, description = "Id or slug"), ("name" = String, Path, description = "The test's")),
    responses(
        (status = 200, body = TestDocument, headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn show(
    State(state): State<AppState>,
    principal: Principal,
    Path((question, name)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    let (test, revision) = find(&state, &principal, &question, &name).await?;
    let shown = bodies::describe_whole(&state.blobs, &test).await?;
    Ok((tag(&etag::of_revision(revision))?, Json(shown)).into_response())
}

/// Read a test's input as a file
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/tests/{name}/input", tag = "questions", operation_id = "test_input",
    params(("question" = String, Path, description = "Id or slug"), ("name" = String, Path, description = "The test's")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        Problem,
    ),
)]
pub(crate) async fn input(
    State(state): State<AppState>,
    principal: Principal,
    Path((question, name)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    let (test, _) = find(&state, &principal, &question, &name).await?;
    send(&state, &test.input).await
}

/// Read a test's output as a file
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/tests/{name}/output", tag = "questions", operation_id = "test_output",
    params(("question" = String, Path, description = "Id or slug"), ("name" = String, Path, description = "The test's")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        Problem,
    ),
)]
pub(crate) async fn output(
    State(state): State<AppState>,
    principal: Principal,
    Path((question, name)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    let (test, _) = find(&state, &principal, &question, &name).await?;
    send(&state, &test.output).await
}

/// Set a test
///
/// Makes it, at the end, or replaces the one of that name where it stands.
#[utoipa::path(
    put, path = "/api/v1/questions/{question}/tests/{name}", tag = "questions", operation_id = "put_test",
    params(("question" = String, Path, description = "Id or slug"), ("name" = String, Path, description = "The test's"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    request_body(content((TestDocument = "application/json"), (QuestionTestForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "Replaced", body = TestDocument, headers(("ETag" = String))),
        (status = 201, description = "Made", body = TestDocument, headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn put(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let present = request::mine(&state, &key, &principal.0).await?;
    if !if_match.permits(present.revision) {
        return Err(QuestionError::PreconditionFailed);
    }
    let upload = Upload::receive(&state, request, &name).await?;
    let mut edit = Edit::begin(&state, &key, &principal.0, &if_match).await?;
    let id = edit.question.id();
    let tests = store::list_tests(edit.connection(), id).await?;
    let before = tests.iter().find(|test| test.name == name);
    let test = upload.resolve(before)?;
    let samples = tests
        .iter()
        .filter(|other| other.sample && other.name != name);
    if before.is_none() && tests.len() >= MAX_TESTS {
        return Err(QuestionError::fault("", "too-many", "at most 5,000 tests"));
    }
    if test.sample && samples.count() >= MAX_SAMPLES {
        return Err(QuestionError::fault(
            "/sample",
            "too-many",
            "at most 50 samples",
        ));
    }
    let status = if before.is_none() {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    store::save_test(edit.connection(), id, &test).await?;
    let revision = store::touch(edit.connection(), id).await?;
    let detail = json!({"test": name});
    let revision = edit.finish(revision, Action::TestsChanged, detail).await?;
    let entity = tag(&etag::of_revision(revision))?;
    Ok((status, entity, Json(bodies::describe(&test))).into_response())
}

/// Remove a test
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}/tests/{name}", tag = "questions", operation_id = "delete_test",
    params(("question" = String, Path, description = "Id or slug"), ("name" = String, Path, description = "The test's"),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "It is not in the draft any more", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path((question, name)): Path<(String, String)>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let name = request::test_name(&name)?;
    let mut edit = Edit::begin(&state, &key, &principal.0, &if_match).await?;
    let id = edit.question.id();
    if !store::delete_test(edit.connection(), id, name).await? {
        return Err(QuestionError::NotFound("test"));
    }
    let revision = store::touch(edit.connection(), id).await?;
    let detail = json!({"removed": name});
    let revision = edit.finish(revision, Action::TestsChanged, detail).await?;
    Ok((StatusCode::NO_CONTENT, tag(&etag::of_revision(revision))?).into_response())
}

async fn find(
    state: &AppState,
    principal: &Principal,
    question: &str,
    name: &str,
) -> Result<(TestRef, i64), QuestionError> {
    principal.require_teacher()?;
    let question = request::mine(state, &request::key(question)?, &principal.0).await?;
    let name = request::test_name(name)?;
    let test = store::find_test(&state.pool, question.id(), name).await?;
    let test = test.ok_or(QuestionError::NotFound("test"))?;
    Ok((test, question.revision))
}

async fn send(state: &AppState, blob: &BlobRef) -> Result<Response, QuestionError> {
    let (size, stream) = state.blobs.stream(&blob.sha256).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
