//! A draft's tests as a whole.

use std::collections::HashMap;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contract::manifest::TestRef;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use utoipa::ToSchema;

use super::tag;
use crate::{
    blobs::{self, Staged},
    bodies,
    document::TestDocument,
    editing::{Action, Edit},
    error::QuestionError,
    etag::{self, IfMatch},
    request::{self, Media},
    rules::{self, Fault},
    state::AppState,
    store::{self, Key},
    test_zip::{self, MAX_ZIP_BYTES, TestZipError},
};

/// A question's tests.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionTests {
    /// In the order in which they are judged.
    items: Vec<TestDocument>,
}

/// List a question's tests
///
/// Of the draft, without their bodies.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/tests", tag = "questions", operation_id = "list_tests",
    params(("question" = String, Path, description = "Id or slug")),
    responses(
        (status = 200, body = QuestionTests, headers(("ETag" = String))),
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
    let tests = store::list_tests(&state.pool, question.id()).await?;
    respond(&tests, question.revision)
}

/// Replace a question's tests
///
/// As JSON, `items` or the list alone: a test without `input` or `output` keeps the present one's of its name. As a zip: `NAME.in` with `NAME.out` or
/// `NAME.ans`, samples in a folder `sample` or named `sample…`; groups and points of present tests of the same names stay.
#[utoipa::path(
    put, path = "/api/v1/questions/{question}/tests", tag = "questions", operation_id = "replace_tests",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    request_body(content((QuestionTests = "application/json"), (Vec<u8> = "application/zip"))),
    responses(
        (status = 200, body = QuestionTests, headers(("ETag" = String))),
        (status = 422, description = "Wrong in the places that `errors` names", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/invalid-request", "title": "Invalid request", "status": 422,
                "detail": "Correct what `errors` names and send it again.",
                "errors": [{"pointer": "/secret~1 7.in", "code": "incomplete", "message": "its .out or .ans is missing"}]})),
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
    // Nobody uploads for nothing: what can be refused is refused before the body is read.
    let present = request::mine(&state, &key, &principal.0).await?;
    if !if_match.permits(present.revision) {
        return Err(QuestionError::PreconditionFailed);
    }
    match Media::of(request.headers()) {
        Media::Json => {
            let (place, items) = read(request::json(request, &state).await?)?;
            let faults = rules::check_tests(place, &items);
            if !faults.is_empty() {
                return Err(faults.into());
            }
            let sent = bodies::keep(&state.blobs, items).await?;
            let mut edit = Edit::begin(&state, &key, &principal.0, &if_match).await?;
            let id = edit.question.id();
            let present = store::list_tests(edit.connection(), id).await?;
            save(edit, &bodies::resolve(place, sent, &present)?).await
        }
        Media::Zip => replace_by_zip(&state, &principal, &if_match, &key, request).await,
        Media::Text | Media::Form | Media::Other => Err(QuestionError::UnsupportedMediaType(
            "application/json or application/zip",
        )),
    }
}

/// `items` as they are listed, or the list itself; and where they stand in what was sent.
fn read(sent: Value) -> Result<(&'static str, Vec<TestDocument>), Vec<Fault>> {
    if sent.is_array() {
        return Ok(("", rules::typed(sent)?));
    }
    let sent: QuestionTests = rules::typed(sent)?;
    Ok(("/items", sent.items))
}

async fn replace_by_zip(
    state: &AppState,
    principal: &Principal,
    if_match: &IfMatch,
    key: &Key,
    request: Request,
) -> Result<Response, QuestionError> {
    let zip = receive(state, request).await?;
    let folder = state.blobs.clone();
    let read = tokio::task::spawn_blocking(move || test_zip::read_tests(zip.path(), &folder));
    let zipped = read
        .await
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))??;
    let (mut sent, mut staged) = (Vec::with_capacity(zipped.len()), Vec::new());
    for test in zipped {
        sent.push(TestRef {
            name: test.name,
            sample: test.sample,
            group: None,
            points: None,
            args: Vec::new(),
            checker_args: Vec::new(),
            input: test.input.blob.clone(),
            output: test.output.blob.clone(),
        });
        staged.extend([test.input, test.output]);
    }
    state.blobs.keep(staged).await?;
    let mut edit = Edit::begin(state, key, &principal.0, if_match).await?;
    let id = edit.question.id();
    let present = store::list_tests(edit.connection(), id).await?;
    let present: HashMap<_, _> = present
        .into_iter()
        .map(|test| (test.name, (test.group, test.points)))
        .collect();
    for test in &mut sent {
        if let Some((group, points)) = present.get(&test.name) {
            (test.group, test.points) = (group.clone(), *points);
        }
    }
    save(edit, &sent).await
}

/// The zip as a file; one that is too large is cut off.
async fn receive(state: &AppState, request: Request) -> Result<Staged, QuestionError> {
    let body = request::stream(request);
    match state.blobs.stage_stream(body, MAX_ZIP_BYTES).await {
        Ok(zip) => Ok(zip),
        Err(blobs::StreamError::Blob(blobs::BlobError::TooLarge { .. })) => Err(
            QuestionError::TooLarge("A zip of tests has at most 256 MiB."),
        ),
        Err(blobs::StreamError::Blob(error)) => Err(TestZipError::Blob(error).into()),
        Err(blobs::StreamError::Cut(_)) => Err(QuestionError::Malformed(
            "The body ended before it was whole. Send it again.".to_owned(),
        )),
    }
}

/// Remove all tests of a question
#[utoipa::path(
    delete, path = "/api/v1/questions/{question}/tests", tag = "questions", operation_id = "delete_tests",
    params(("question" = String, Path, description = "Id or slug"), ("If-Match" = Option<String>, Header, description = "The ETag that you read")),
    responses(
        (status = 204, description = "The draft has none any more", headers(("ETag" = String))),
        Problem,
    ),
)]
pub(crate) async fn clear(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let key = request::key(&question)?;
    let mut edit = Edit::begin(&state, &key, &principal.0, &if_match).await?;
    let id = edit.question.id();
    store::delete_all_tests(edit.connection(), id).await?;
    let revision = store::touch(edit.connection(), id).await?;
    let revision = edit
        .finish(revision, Action::TestsChanged, json!({"tests": 0}))
        .await?;
    Ok((StatusCode::NO_CONTENT, tag(&etag::of_revision(revision))?).into_response())
}

async fn save(mut edit: Edit, tests: &[TestRef]) -> Result<Response, QuestionError> {
    let id = edit.question.id();
    store::replace_tests(edit.connection(), id, tests).await?;
    let revision = store::touch(edit.connection(), id).await?;
    let detail = json!({"tests": tests.len()});
    let revision = edit.finish(revision, Action::TestsChanged, detail).await?;
    respond(tests, revision)
}

fn respond(tests: &[TestRef], revision: i64) -> Result<Response, QuestionError> {
    let items = tests.iter().map(bodies::describe).collect();
    let entity = tag(&etag::of_revision(revision))?;
    Ok((entity, Json(QuestionTests { items })).into_response())
}
