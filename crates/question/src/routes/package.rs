//! Problem packages in and out.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    pin::Pin,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Buf, Bytes};
use contract::{QuestionId, manifest::BlobRef};
use futures::{Stream, StreamExt};
use package::write::Content;
use serde::Serialize;
use serde_json::json;
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::tag;
use crate::{
    blobs::{self, BlobError, Blobs, Staged},
    document::Document,
    editing::Action,
    error::QuestionError,
    etag,
    package::{self as packages, Imported, MAX_PACKAGE_BYTES},
    request::{self, Media},
    state::AppState,
    store,
};

/// A draft made of a package.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedQuestion {
    /// The draft's id.
    #[schema(value_type = String)]
    id: QuestionId,
    /// Its readable name in addresses.
    slug: String,
    /// Tests taken over.
    tests: usize,
    /// All of the package that is not used, or not as it was there.
    warnings: Vec<ImportWarning>,
}

/// Something of a package that a teacher should know of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportWarning {
    /// The file, and the field or line in it.
    #[schema(example = "problem.yaml: limits.code")]
    place: String,
    /// What it is about.
    message: String,
}

/// Make a question of a problem package
///
/// A zip in one of the formats of ICPC and Kattis (legacy, 2023-07, 2025-09), or one that `GET …/package` gave. It becomes a
/// draft; all that a question has no place for is listed in `warnings`.
#[utoipa::path(
    post, path = "/api/v1/questions/import", tag = "questions", operation_id = "import_question",
    request_body(content = Vec<u8>, content_type = "application/zip"),
    responses(
        (status = 201, body = ImportedQuestion, headers(("Location" = String), ("ETag" = String))),
        (status = 422, description = "Wrong in the places that `errors` names", body = Problem, content_type = "application/problem+json",
            example = json!({"type": "https://codementor.dev/problems/invalid-request", "title": "Invalid request", "status": 422,
                "detail": "Correct what `errors` names and send it again.",
                "errors": [{"pointer": "/problem.yaml: limits.memory", "code": "type", "message": "a number that is at least 0 is expected"}]})),
        Problem,
    ),
)]
pub(crate) async fn import(
    State(state): State<AppState>,
    principal: Principal,
    request: Request,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    if Media::of(request.headers()) != Media::Zip {
        return Err(QuestionError::UnsupportedMediaType("application/zip"));
    }
    let zip = receive(&state, request).await?;
    let folder = state.blobs.clone();
    let read = tokio::task::spawn_blocking(move || packages::import(zip.path(), &folder));
    let imported = read
        .await
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))??;
    let Imported {
        mut document,
        tests,
        staged,
        slug_is_ours,
        warnings,
    } = imported;
    if slug_is_ours {
        document["slug"] =
            json!(free_slug(&state, document["slug"].as_str().unwrap_or_default()).await?);
    }
    let draft = Document::parse(document)?;
    state.blobs.keep(staged).await?;
    let (id, account) = (QuestionId::new(), &principal.0);
    let mut transaction = state.pool.begin().await?;
    store::insert(&mut transaction, id, &draft, account.id).await?;
    store::replace_tests(&mut transaction, id, &tests).await?;
    let (action, detail) = (Action::Created.as_str(), json!({"imported": true}));
    store::insert_change(&mut transaction, id, 1, action, &detail, account).await?;
    transaction.commit().await?;
    tracing::info!(question = %id, slug = draft.slug, account = %account.id, "question {id} imported");
    let location = [(header::LOCATION, format!("/api/v1/questions/{id}"))];
    let warnings = warnings.into_iter().map(|warning| ImportWarning {
        place: warning.place,
        message: warning.message,
    });
    let made = ImportedQuestion {
        id,
        slug: draft.slug,
        tests: tests.len(),
        warnings: warnings.collect(),
    };
    let entity = tag(&etag::of_revision(1))?;
    Ok((StatusCode::CREATED, location, entity, Json(made)).into_response())
}

async fn receive(state: &AppState, request: Request) -> Result<Staged, QuestionError> {
    let body = request::stream(request);
    match state.blobs.stage_stream(body, MAX_PACKAGE_BYTES).await {
        Ok(zip) => Ok(zip),
        Err(blobs::StreamError::Blob(BlobError::TooLarge { .. })) => {
            Err(QuestionError::TooLarge("A package has at most 256 MiB."))
        }
        Err(blobs::StreamError::Blob(error)) => Err(error.into()),
        Err(blobs::StreamError::Cut(_)) => Err(QuestionError::Malformed(
            "The body ended before it was whole. Send it again.".to_owned(),
        )),
    }
}

/// The slug, or the next one with a number that nobody has.
async fn free_slug(state: &AppState, wanted: &str) -> Result<String, QuestionError> {
    let mut slug = wanted.to_owned();
    for number in 2..1_000 {
        if crate::rules::is_slug(&slug) && !store::slug_exists(&state.pool, &slug).await? {
            break;
        }
        slug = format!("{wanted}-{number}");
    }
    Ok(slug)
}

/// Take a question away as a problem package
///
/// The draft with its tests, in the format 2025-09 with a file of our own for all that it has no place for. The same question
/// gives the same bytes.
#[utoipa::path(
    get, path = "/api/v1/questions/{question}/package", tag = "questions", operation_id = "export_question",
    params(("question" = String, Path, description = "Id or slug")),
    responses(
        (status = 200, description = "A zip", body = Vec<u8>, content_type = "application/zip", headers(("Content-Disposition" = String))),
        Problem,
    ),
)]
pub(crate) async fn export(
    State(state): State<AppState>,
    principal: Principal,
    Path(question): Path<String>,
) -> Result<Response, QuestionError> {
    principal.require_teacher()?;
    let question = request::mine(&state, &request::key(&question)?, &principal.0).await?;
    let tests = store::list_tests(&state.pool, question.id()).await?;
    let draft = question.draft.ok_or(QuestionError::NotFound("question"))?.0;
    let slug = draft.slug.clone();
    let (runtime, blobs) = (Handle::current(), state.blobs.clone());
    let written = tokio::task::spawn_blocking(move || {
        let files = packages::export(&draft, &tests, |blob| content(&runtime, &blobs, blob));
        write(files)
    });
    let zip = written
        .await
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))?
        .map_err(BlobError::from)?;
    let size = zip.metadata().map_err(BlobError::from)?.len();
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{slug}.zip\""),
        ),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((headers, Body::from_stream(chunks(zip))).into_response())
}

fn write(files: BTreeMap<String, Content>) -> io::Result<std::fs::File> {
    let mut zip = tempfile::tempfile()?;
    package::write_zip(files, &mut zip)?;
    io::Seek::rewind(&mut zip)?;
    Ok(zip)
}

/// A file as it is sent.
fn chunks(file: std::fs::File) -> impl Stream<Item = io::Result<Bytes>> {
    const CHUNK: usize = 256 << 10;
    let file = tokio::fs::File::from_std(file);
    futures::stream::try_unfold(file, async |mut file| {
        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = tokio::io::AsyncReadExt::read_buf(&mut file, &mut chunk).await?;
        Ok((read > 0).then(|| (chunk.freeze(), file)))
    })
}

/// A blob that is opened when its turn comes.
fn content(runtime: &Handle, blobs: &Blobs, blob: &BlobRef) -> Content {
    let (runtime, blobs, sha256) = (runtime.clone(), blobs.clone(), blob.sha256.clone());
    Content::Reader(Box::new(move || {
        let (_, stream) = runtime
            .block_on(blobs.stream(&sha256))
            .map_err(io::Error::other)?;
        Ok(Box::new(BlobReader {
            runtime,
            stream: Box::pin(stream),
            chunk: Bytes::new(),
        }))
    }))
}

/// A blob read where waiting is allowed; it is checked as it is read.
struct BlobReader {
    runtime: Handle,
    stream: Pin<Box<dyn Stream<Item = Result<Bytes, BlobError>> + Send>>,
    chunk: Bytes,
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.chunk.len());
        into[..count].copy_from_slice(&self.chunk[..count]);
        self.chunk.advance(count);
        Ok(count)
    }
}
