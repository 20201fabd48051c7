//! What other services ask: how to judge a question, and the bodies of its tests. Never routed from outside.

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use contract::{
    AccountId, Language, Locale, QuestionId,
    manifest::{Manifest, Statement},
};
use serde::Deserialize;
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::Caller,
};

use crate::{
    blobs::{BlobError, is_sha256},
    error::QuestionError,
    request,
    state::AppState,
    store, verification,
};

/// Who judges, and so may ask for any blob.
const JUDGES: [&str; 2] = ["execute", "evaluation"];

/// What for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestQuery {
    language: String,
    locale: Option<Locale>,
}

/// `GET /internal/questions/{id or slug}/manifest?language=cpp&locale=ko`: how the current version is judged. Execute asks, on
/// behalf of whoever submits; what is not published, or archived, is answered by nobody.
pub(crate) async fn manifest(
    State(state): State<AppState>,
    caller: Caller,
    Path(question): Path<String>,
    Query(query): Query<ManifestQuery>,
) -> Result<Json<Manifest>, QuestionError> {
    caller.require_one_of(&["execute"])?;
    let account = caller
        .account
        .as_ref()
        .ok_or_else(|| Problem::forbidden("Ask on behalf of the account that submits."))?;
    let published = store::find_published(&state.pool, &request::key(&question)?)
        .await?
        .ok_or(QuestionError::NotFound("question"))?;
    let document = published.document.0;
    let language: Language = query.language.parse().map_err(|_| {
        let message = format!("there is no language {:?}", query.language);
        QuestionError::fault("/language", "unknown-language", message)
    })?;
    let languages = document.offered();
    if !languages.contains(&language) {
        return Err(QuestionError::fault(
            "/language",
            "not-offered",
            format!("this question cannot be answered in {language}"),
        ));
    }
    let id = QuestionId(published.id);
    let tests = store::list_version_tests(&state.pool, id, published.number, false).await?;
    let wanted = [query.locale.unwrap_or(account.locale)];
    let (locale, text) = document.statements.best(&wanted).unwrap_or_default();
    let title = document
        .titles
        .best(&[locale])
        .map_or("", |(_, title)| title);
    Ok(Json(Manifest {
        question: id,
        version: published.number.unsigned_abs(),
        slug: published.slug,
        teachers: published.teachers.into_iter().map(AccountId).collect(),
        languages,
        judging: verification::judging(&document, language, tests),
        statement: Statement {
            locale,
            title: title.to_owned(),
            text: text.to_owned(),
        },
    }))
}

/// `GET /internal/blobs/{sha256}`: bytes, for a token that lists them or for a judge's own. A bare hash opens nothing.
pub(crate) async fn blob(
    State(state): State<AppState>,
    caller: Caller,
    Path(sha256): Path<String>,
) -> Result<Response, QuestionError> {
    let judge = JUDGES.contains(&caller.iss.as_str()) && caller.account.is_none();
    if !judge || !(caller.blobs.is_none() || caller.opens(&sha256)) {
        return Err(Problem::forbidden("This token does not open that blob.").into());
    }
    if !is_sha256(&sha256) {
        return Err(QuestionError::NotFound("blob"));
    }
    let (size, stream) = match state.blobs.stream(&sha256).await {
        Err(BlobError::Missing { .. }) => return Err(QuestionError::NotFound("blob")),
        other => other?,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
