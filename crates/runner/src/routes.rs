//! What a runner answers. All of it is internal: only evaluation and execute may ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::response::Response;
use axum::routing::{get, post};
use contract::language::InstalledLanguage;
use contract::runner_api::{JudgeRequest, RunRequest, RunnerConfig};
use service::extract::Json;
use service::token::{Caller, Verifier};
use service::{Problem, ndjson};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::runner::Runner;
use crate::validate;

/// A request: code, driver and two thousand tests by hash with room to spare.
const MAX_BODY: usize = 4 << 20;
/// The services that have business here.
const CALLERS: [&str; 2] = ["evaluation", "execute"];

/// What routes share.
#[derive(Debug, Clone, FromRef)]
pub struct AppState {
    pub(crate) runner: Arc<Runner>,
    pub(crate) verifier: Verifier,
}

/// Every route.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/internal/judge", post(judge))
        .route("/internal/run", post(run))
        .route("/internal/languages", get(languages))
        .route("/internal/config", get(config))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state)
}

async fn judge(
    State(runner): State<Arc<Runner>>,
    caller: Caller,
    Json(request): Json<JudgeRequest>,
) -> Result<Response, Problem> {
    caller.require_one_of(&CALLERS)?;
    validate::judge_request(&request)?;
    let events = runner
        .start(|runner, events| async move { runner.judge().judge(&request, &events).await })?;
    Ok(ndjson::response(UnboundedReceiverStream::new(events)))
}

async fn run(
    State(runner): State<Arc<Runner>>,
    caller: Caller,
    Json(request): Json<RunRequest>,
) -> Result<Response, Problem> {
    caller.require_one_of(&CALLERS)?;
    validate::run_request(&request)?;
    let events = runner
        .start(|runner, events| async move { runner.judge().run(&request, &events).await })?;
    Ok(ndjson::response(UnboundedReceiverStream::new(events)))
}

async fn languages(
    State(runner): State<Arc<Runner>>,
    caller: Caller,
) -> Result<axum::Json<Vec<InstalledLanguage>>, Problem> {
    caller.require_one_of(&CALLERS)?;
    Ok(axum::Json(runner.languages()))
}

async fn config(
    State(runner): State<Arc<Runner>>,
    caller: Caller,
) -> Result<axum::Json<RunnerConfig>, Problem> {
    caller.require_one_of(&CALLERS)?;
    Ok(axum::Json(runner.config()))
}
