//! A stand-in for a service behind the gateway: it checks the gateway's tokens, remembers what it was asked, keeps logs of
//! submissions as execute does, and misbehaves where a test asks it to.

use std::{
    collections::HashMap,
    path::Path as FilePath,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{
    EventBody, EventKey, Language, StreamEvent, SubmissionId,
    event::Accepted,
    internal::{
        LogPart, LogRequest, LogResponse, REPLY_PARTITION_HEADER, SUBMISSION_HEADER, StreamInfo,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{
    Problem,
    token::{TrustedKeys, Verifier},
};
use time::OffsetDateTime;
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) struct Behind {
    pub(crate) url: String,
    state: Arc<Known>,
}

struct Known {
    verifier: Verifier,
    asked: Mutex<Vec<Asked>>,
    submissions: Mutex<HashMap<SubmissionId, Submission>>,
    /// Idempotency-Key → submission.
    repeats: Mutex<HashMap<String, SubmissionId>>,
    log_reads: Mutex<Vec<usize>>,
    log_is_away: AtomicBool,
}

/// What came on a public route.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path_and_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) claims: Value,
    pub(crate) body: Bytes,
}

/// A submission as execute knows it.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// The id of the account.
    pub(crate) owner: Value,
    pub(crate) partition: i32,
    pub(crate) log: Vec<StreamEvent>,
    pub(crate) position: Option<u64>,
}

impl Behind {
    pub(crate) async fn start(name: &str, keys: &FilePath) -> Self {
        let trusted = TrustedKeys::load(&keys.join("trusted.json")).expect("keys");
        let state = Arc::new(Known {
            verifier: Verifier::new(name, trusted),
            asked: Mutex::default(),
            submissions: Mutex::default(),
            repeats: Mutex::default(),
            log_reads: Mutex::default(),
            log_is_away: AtomicBool::new(false),
        });
        let router = Router::new()
            .route("/api/v1/submissions", post(submit).fallback(answer))
            .route("/api/v1/runs", post(submit).fallback(answer))
            .route("/internal/streams/{id}", get(stream))
            .route("/internal/log", post(log))
            .route("/api/v1/{*rest}", any(answer))
            .fallback(async || (StatusCode::IM_A_TEAPOT, "a path that is not public"))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    /// What was asked with this value of the header `x-test`.
    pub(crate) fn asked(&self, test: &str) -> Vec<Asked> {
        let asked = lock(&self.state.asked);
        asked
            .iter()
            .filter(|asked| {
                asked
                    .headers
                    .get("x-test")
                    .is_some_and(|value| value == test)
            })
            .cloned()
            .collect()
    }

    /// A submission that was accepted some other way.
    pub(crate) fn know(&self, id: SubmissionId, submission: Submission) {
        lock(&self.state.submissions).insert(id, submission);
    }

    /// The log writer stores an event.
    pub(crate) fn store(&self, event: &StreamEvent) {
        let mut submissions = lock(&self.state.submissions);
        submissions
            .get_mut(&event.submission)
            .expect("it is known")
            .log
            .push(event.clone());
    }

    pub(crate) fn set_position(&self, id: SubmissionId, position: Option<u64>) {
        lock(&self.state.submissions)
            .get_mut(&id)
            .expect("it is known")
            .position = position;
    }

    pub(crate) fn partition(&self, id: SubmissionId) -> i32 {
        lock(&self.state.submissions)[&id].partition
    }

    /// How many logs each request so far asked for.
    pub(crate) fn log_reads(&self) -> Vec<usize> {
        lock(&self.state.log_reads).clone()
    }

    pub(crate) fn take_log_away(&self, away: bool) {
        self.state.log_is_away.store(away, Ordering::SeqCst);
    }
}

/// The receipt of a submission.
pub(crate) fn accepted(submission: SubmissionId) -> StreamEvent {
    let body = Accepted {
        submission,
        question: None,
        version: None,
        language: Language::Python,
        accepted_at: OffsetDateTime::now_utc(),
    };
    StreamEvent {
        submission,
        key: EventKey::ACCEPTED,
        follows: None,
        body: EventBody::Accepted(body),
    }
}

impl Known {
    /// What the token of a request says; refuses what the gateway never sends.
    fn claims(&self, headers: &HeaderMap) -> Result<Value, Problem> {
        let refused = || Problem::unauthenticated("the stand-in refuses this token");
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refused());
        };
        let token = value
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(refused)?;
        self.verifier.verify(token).map_err(|_| refused())?;
        let payload = token.split('.').nth(1).ok_or_else(refused)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| refused())?;
        serde_json::from_slice(&payload).map_err(|_| refused())
    }

    async fn remember(&self, request: Request) -> Result<Asked, Problem> {
        let (parts, body) = request.into_parts();
        let asked = Asked {
            method: parts.method.to_string(),
            path_and_query: parts.uri.to_string(),
            claims: self.claims(&parts.headers)?,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX)
                .await
                .map_err(|_| Problem::malformed("cut off"))?,
        };
        lock(&self.asked).push(asked.clone());
        Ok(asked)
    }
}

async fn submit(State(state): State<Arc<Known>>, request: Request) -> Result<Response, Problem> {
    let resource = if request.uri().path().ends_with("/runs") {
        "runs"
    } else {
        "submissions"
    };
    let asked = state.remember(request).await?;
    if asked.body.starts_with(b"{\"refuse\"") {
        return Err(Problem::invalid("there is no such question"));
    }
    let text = |name: &str| {
        asked
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text").to_owned())
    };
    let proposed: SubmissionId = text(SUBMISSION_HEADER)
        .expect("an id")
        .parse()
        .expect("an id");
    let partition: i32 = text(REPLY_PARTITION_HEADER)
        .expect("a partition")
        .parse()
        .expect("a number");
    let first = match text("idempotency-key") {
        Some(key) => *lock(&state.repeats).entry(key).or_insert(proposed),
        None => proposed,
    };
    let mut submissions = lock(&state.submissions);
    let submission = submissions.entry(first).or_insert_with(|| Submission {
        owner: asked.claims["account"]["id"].clone(),
        partition,
        log: vec![accepted(first)],
        position: Some(1),
    });
    let location = format!("/api/v1/{resource}/{first}");
    let headers = [
        (header::LOCATION.as_str(), location.clone()),
        (SUBMISSION_HEADER, first.to_string()),
        (REPLY_PARTITION_HEADER, submission.partition.to_string()),
    ];
    let body = json!({ "id": first, "status": "queued", "links": { "self": location } });
    Ok((
        StatusCode::ACCEPTED,
        headers
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect::<Pairs>(),
        Json(body),
    )
        .into_response())
}

/// Headers with names that are not known at compile time.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl axum::response::IntoResponseParts for Pairs {
    type Error = std::convert::Infallible;

    fn into_response_parts(
        self,
        mut parts: axum::response::ResponseParts,
    ) -> Result<axum::response::ResponseParts, Self::Error> {
        for (name, value) in self.0 {
            let name: header::HeaderName = name.parse().expect("a name");
            parts
                .headers_mut()
                .insert(name, value.parse().expect("a value"));
        }
        Ok(parts)
    }
}

#[derive(Deserialize)]
struct Judgement {
    judgement: Option<u32>,
}

async fn stream(
    State(state): State<Arc<Known>>,
    Path(id): Path<SubmissionId>,
    Query(query): Query<Judgement>,
    headers: HeaderMap,
) -> Result<Json<StreamInfo>, Problem> {
    let claims = state.claims(&headers)?;
    let submissions = lock(&state.submissions);
    let submission = submissions
        .get(&id)
        .filter(|submission| submission.owner == claims["account"]["id"])
        .ok_or_else(|| Problem::not_found("submission"))?;
    let judgement = query.judgement.unwrap_or(1);
    let mut of_it = submission
        .log
        .iter()
        .filter(|event| event.key.judgement == judgement);
    Ok(Json(StreamInfo {
        judgement,
        reply_partition: submission.partition,
        terminal: of_it
            .next_back()
            .is_some_and(|event| event.body.is_terminal()),
        muted: false,
    }))
}

async fn log(
    State(state): State<Arc<Known>>,
    headers: HeaderMap,
    Json(request): Json<LogRequest>,
) -> Result<Json<LogResponse>, Problem> {
    let claims = state.claims(&headers)?;
    assert_eq!(
        claims["account"],
        Value::Null,
        "logs are read in the gateway's own name"
    );
    if state.log_is_away.load(Ordering::SeqCst) {
        return Err(Problem::unavailable("the database is away"));
    }
    lock(&state.log_reads).push(request.reads.len());
    let submissions = lock(&state.submissions);
    let read = |read: &contract::internal::LogRead| {
        let Some(submission) = submissions.get(&read.submission) else {
            return LogPart {
                events: vec![],
                position: None,
            };
        };
        let known = submission
            .log
            .iter()
            .any(|event| Some(event.key) == read.after);
        let after = read.after.filter(|_| known);
        let events = submission
            .log
            .iter()
            .filter(|event| event.key.judgement == read.judgement && Some(event.key) > after);
        LogPart {
            events: events.cloned().collect(),
            position: submission.position,
        }
    };
    Ok(Json(LogResponse {
        reads: request.reads.iter().map(read).collect(),
    }))
}

async fn answer(State(state): State<Arc<Known>>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path().to_owned();
    let asked = state.remember(request).await?;
    let last = path.rsplit('/').next().unwrap_or_default();
    Ok(match last {
        "never" => std::future::pending().await,
        "stalls" => {
            let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"begun"))]);
            Body::from_stream(futures::StreamExt::chain(begun, futures::stream::pending())).into_response()
        }
        "slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "slow".into_response()
        }
        "conflict" => return Err(Problem::conflict("it was changed meanwhile")),
        "refuses-us" => return Err(Problem::unauthenticated("I do not know you")),
        "headers" => {
            let headers = [
                ("etag", "\"7\""),
                ("x-codementor-secret", "inside"),
                ("set-cookie", "a=b"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
            ];
            (headers, "headers").into_response()
        }
        _ => Json(json!({ "method": asked.method, "path": asked.path_and_query, "bytes": asked.body.len() })).into_response(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics with it")
}
