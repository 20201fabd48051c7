//! A stand-in for a runner: a real HTTP server of the runner's API that says what the test tells it to.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{
    Verdict,
    event::{Compiled, FinalVerdict, RunOutput, TestResult},
    runner_api::{JudgeRequest, RunRequest, RunnerConfig, RunnerEvent, RunnerFailure},
};
use futures::{StreamExt as _, stream};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

/// How it answers one request.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// These lines, and the end.
    Say(Vec<RunnerEvent>),
    /// These lines, then the connection is cut.
    Cut(Vec<RunnerEvent>),
    /// These lines, then nothing until the test opens the gate; then the second ones.
    Hold(Vec<RunnerEvent>, Vec<RunnerEvent>),
    /// No room.
    Full,
    /// Broken.
    Broken,
    /// Never.
    Refuse,
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) url: String,
    inner: Arc<Inner>,
    end: CancellationToken,
}

#[derive(Debug)]
struct Inner {
    jobs: usize,
    scripts: Mutex<VecDeque<Script>>,
    judged: Mutex<Vec<JudgeRequest>>,
    run: Mutex<Vec<RunRequest>>,
    keys: Mutex<Vec<String>>,
    traces: Mutex<Vec<String>>,
    gate: Semaphore,
}

impl Runner {
    /// On any port; takes four jobs at once.
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), 4, scripts).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        jobs: usize,
        scripts: impl IntoIterator<Item = Script>,
    ) -> Self {
        let inner = Arc::new(Inner {
            jobs,
            scripts: Mutex::new(scripts.into_iter().collect()),
            judged: Mutex::default(),
            run: Mutex::default(),
            keys: Mutex::default(),
            traces: Mutex::default(),
            gate: Semaphore::new(0),
        });
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let router = Router::new()
            .route("/internal/config", get(config))
            .route("/internal/judge", post(judge))
            .route("/internal/run", post(run))
            .with_state(inner.clone());
        let end = CancellationToken::new();
        let ended = end.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router) => served,
                () = ended.cancelled() => Ok(()),
            }
        });
        Self {
            url: format!("http://{address}"),
            inner,
            end,
        }
    }

    /// Lets one held answer go on.
    pub(crate) fn open_gate(&self) {
        self.inner.gate.add_permits(1);
    }

    /// What was to be judged, in order.
    pub(crate) fn judged(&self) -> Vec<JudgeRequest> {
        lock(&self.inner.judged).clone()
    }

    /// What was to be run, in order.
    pub(crate) fn run(&self) -> Vec<RunRequest> {
        lock(&self.inner.run).clone()
    }

    /// The `Authorization` headers of what was to be judged.
    pub(crate) fn keys(&self) -> Vec<String> {
        lock(&self.inner.keys).clone()
    }

    /// The `traceparent` headers of what was to be judged.
    pub(crate) fn traces(&self) -> Vec<String> {
        lock(&self.inner.traces).clone()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panicked")
}

async fn config(State(runner): State<Arc<Inner>>) -> Json<RunnerConfig> {
    Json(RunnerConfig {
        backend: "stand-in".into(),
        sandbox: serde_json::Value::Null,
        slots: runner.jobs,
        jobs: runner.jobs,
        absent: Vec::new(),
    })
}

async fn judge(
    State(runner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(request): Json<JudgeRequest>,
) -> Response {
    lock(&runner.judged).push(request);
    answer(runner, &headers)
}

async fn run(
    State(runner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(request): Json<RunRequest>,
) -> Response {
    lock(&runner.run).push(request);
    answer(runner, &headers)
}

fn answer(runner: Arc<Inner>, headers: &HeaderMap) -> Response {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    lock(&runner.keys).push(text("authorization"));
    lock(&runner.traces).push(text("traceparent"));
    let script = lock(&runner.scripts).pop_front();
    match script.unwrap_or_else(|| Script::Say(accepted())) {
        Script::Say(events) => lines(Body::from(ndjson(&events))),
        Script::Cut(events) => lines(Body::from_stream(
            stream::iter([Ok(Bytes::from(ndjson(&events)))]).chain(stream::once(async {
                // What was said must be on its way before the cut.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                Err(std::io::Error::other("cut"))
            })),
        )),
        Script::Hold(before, after) => lines(Body::from_stream(
            stream::iter([Bytes::from(ndjson(&before))])
                .chain(stream::once(async move {
                    runner
                        .gate
                        .acquire()
                        .await
                        .expect("it is never closed")
                        .forget();
                    Bytes::from(ndjson(&after))
                }))
                .map(Ok::<_, Infallible>),
        )),
        Script::Full => problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
        Script::Broken => problem(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        Script::Refuse => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request"),
    }
}

fn lines(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

fn problem(status: StatusCode, word: &str) -> Response {
    let body = serde_json::json!({
        "type": format!("https://codementor.dev/problems/{word}"), "title": word, "status": status.as_u16(),
        "detail": "no", "instance": "/internal/judge", "request_id": "019ab1c2-0000-7000-8000-000000000009",
    });
    (
        status,
        [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::RETRY_AFTER, "1"),
        ],
        body.to_string(),
    )
        .into_response()
}

fn ndjson(events: &[RunnerEvent]) -> String {
    events
        .iter()
        .map(|event| serde_json::to_string(event).expect("it is JSON") + "\n")
        .collect()
}

/// What a runner says of a program that passes two tests.
pub(crate) fn accepted() -> Vec<RunnerEvent> {
    vec![compiled(), test(1), test(2), finished(Verdict::Accepted)]
}

pub(crate) fn compiled() -> RunnerEvent {
    RunnerEvent::Compiled(Compiled {
        ok: true,
        cached: false,
        time_ms: 12,
        log: String::new(),
    })
}

pub(crate) fn test(index: u32) -> RunnerEvent {
    RunnerEvent::Test(TestResult {
        index,
        name: index.to_string(),
        group: None,
        verdict: Verdict::Accepted,
        time_ms: 10,
        wall_ms: 20,
        memory_kib: 1_024,
        limit: None,
        score: None,
        reason: None,
        detail: None,
    })
}

pub(crate) fn output() -> RunnerEvent {
    RunnerEvent::Output(RunOutput {
        index: None,
        verdict: None,
        stdout: "3\n".into(),
        stderr: String::new(),
        result: None,
        time_ms: 10,
        memory_kib: 1_024,
        exit_code: Some(0),
        signal: None,
        limit: None,
    })
}

pub(crate) fn finished(verdict: Verdict) -> RunnerEvent {
    RunnerEvent::Finished(FinalVerdict {
        verdict,
        score: 100.0,
        max_score: 100.0,
        passed: 2,
        total: 2,
        time_ms: 10,
        memory_kib: 1_024,
        groups: None,
    })
}

pub(crate) fn failed(reason: &str, retryable: bool) -> RunnerEvent {
    RunnerEvent::Failed(RunnerFailure {
        reason: reason.into(),
        message: "the stand-in says so".into(),
        retryable,
    })
}
