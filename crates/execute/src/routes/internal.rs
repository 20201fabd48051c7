//! What the gateway asks: where a stream lives, and what the logs of many hold. Never routed from outside.

use std::collections::HashSet;

use axum::extract::State as AxumState;
use contract::{
    BatchId, EventKey, SubmissionId,
    batch::{StreamPart, VerificationOutcome, VerificationRequest},
    internal::{LogRequest, StreamInfo},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::{
    Problem,
    extract::{Json, Path, Query},
    token::{Caller, Principal},
};

use crate::{
    batch_stream, batches, muted,
    state::State,
    store::{batch, log, submission},
};

/// Reads that are answered at once.
const MAX_READS: usize = 1_000;

/// Which judgement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    judgement: Option<u32>,
}

/// `GET /internal/streams/{id}[?judgement=n]`: where the stream lives, for an account that may see it.
pub(crate) async fn stream(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<SubmissionId>,
    Query(query): Query<StreamQuery>,
) -> Result<Json<StreamInfo>, Problem> {
    let info = submission::stream(&state.pool, &principal, id, query.judgement).await?;
    let info = info.ok_or_else(|| Problem::not_found("submission"))?;
    let muted = muted::is_muted(&state, &principal, id).await?;
    Ok(Json(StreamInfo { muted, ..info }))
}

/// `contract::internal::LogResponse`, with the events as they are stored.
#[derive(Debug, Serialize)]
pub(crate) struct RawLogs {
    reads: Vec<RawLog>,
}

/// `contract::internal::LogPart`.
#[derive(Debug, Default, Serialize)]
struct RawLog {
    events: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
}

/// `POST /internal/log`: many reads of the event log at once. Who may see what was decided when the stream was opened.
pub(crate) async fn log(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Json(request): Json<LogRequest>,
) -> Result<Json<RawLogs>, Problem> {
    caller.require_one_of(&["gateway"])?;
    if request.reads.len() > MAX_READS {
        return Err(Problem::invalid(format!(
            "at most {MAX_READS} reads are answered at once"
        )));
    }
    let mut logs: Vec<RawLog> = request.reads.iter().map(|_| RawLog::default()).collect();
    for (read, event) in log::read(&state.pool, &request.reads).await? {
        let place = usize::try_from(read - 1).unwrap_or(usize::MAX);
        if let Some(log) = logs.get_mut(place) {
            log.events.push(event);
        }
    }
    // Only a stream that has seen nothing but its receipt, or not even that, can still wait.
    let waiting: HashSet<log::JudgementKey> = request
        .reads
        .iter()
        .zip(&logs)
        .filter(|(read, log)| {
            log.events.len() <= 1 && read.after.is_none_or(|key| key == EventKey::ACCEPTED)
        })
        .map(|(read, _)| (read.submission, read.judgement))
        .collect();
    if !waiting.is_empty() {
        let waiting: Vec<_> = waiting.into_iter().collect();
        let positions = log::positions(&state.pool, &waiting).await?;
        for (read, log) in request.reads.iter().zip(&mut logs) {
            log.position = positions.get(&(read.submission, read.judgement)).copied();
        }
    }
    Ok(Json(RawLogs { reads: logs }))
}

/// `POST /internal/batches`: judge the solutions of a candidate, in the name of its teacher.
pub(crate) async fn verify(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Json(request): Json<VerificationRequest>,
) -> Result<StatusCode, Problem> {
    caller.require_one_of(&["question"])?;
    let account = caller
        .account
        .as_ref()
        .ok_or_else(|| Problem::forbidden("ask on behalf of the teacher"))?;
    batches::verify(&state, account, request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /internal/batches/{id}/solutions`: what came of a verification. Question knows whose it is.
pub(crate) async fn batch_solutions(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<BatchId>,
) -> Result<Json<VerificationOutcome>, Problem> {
    caller.require_one_of(&["question"])?;
    Ok(Json(batches::outcome(&state, id).await?))
}

/// Behind what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartQuery {
    after: Option<String>,
}

/// `GET /internal/batches/{id}/events`: what is new in the stream of a batch, for an account that may see it.
pub(crate) async fn batch_events(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<BatchId>,
    Query(query): Query<PartQuery>,
) -> Result<Json<StreamPart>, Problem> {
    let batch = batch::find(&state.pool, &principal, id).await?;
    let batch = batch.ok_or_else(|| Problem::not_found("batch"))?;
    let part = batch_stream::part(&state.pool, &batch, query.after.as_deref()).await?;
    Ok(Json(part))
}
