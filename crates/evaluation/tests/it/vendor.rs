//! A stand-in for a GPT vendor: a real HTTP server of Chat Completions, streamed, with everything that can go wrong.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Two findings and a summary, a few characters a chunk.
    Good,
    /// The same, the bytes cut after each single one: inside characters, lines and line ends.
    CutEverywhere,
    /// One valid finding, others that may not be shown, and a summary.
    GivesAway,
    /// Takes the request and says nothing.
    SlowFirstByte,
    /// Says that all is well, then nothing.
    SlowFirstChunk,
    /// One finding, then nothing.
    StallsInTheMiddle,
    /// One finding, then the connection is cut.
    CutConnection,
    /// The connection is cut before anything is said.
    CutBeforeAnswer,
    /// One finding, then an error object.
    ErrorObject,
    /// A page of HTML.
    Rubbish,
    /// A correct stream of prose.
    Prose,
    /// Text without end.
    Endless,
    /// `delta.refusal`.
    Refuses,
    /// `finish_reason: content_filter`.
    Filtered,
    /// `finish_reason: length` before the summary.
    TooLong,
    /// 429 with this `Retry-After` the first time, then good.
    BusyOnce(u32),
    /// Always 429 with this `Retry-After`.
    Busy(u32),
    /// 429 `insufficient_quota`.
    OutOfCredit,
    /// 500 the first time, then good.
    BrokenOnce,
    /// Always 500.
    Broken,
    /// The key is not accepted.
    Unauthorized,
}

/// The findings of [`Mode::Good`], as the model writes them.
pub(crate) const ANSWER: &str = concat!(
    r#"{"line_start":1,"line_end":1,"kind":"edge_case","severity":"essential","message":"입력이 비어 있으면 어떻게 될까요? 🤔"}"#,
    "\n",
    r#"{"line_start":2,"line_end":2,"kind":"praise","severity":"informative","message":"이름이 분명합니다."}"#,
    "\n",
    r#"{"summary":"거의 다 왔습니다.","complexity":{"time":"O(n)","space":"O(1)"},"next_step":"n = 0을 넣어 보세요."}"#,
    "\n",
);

const GIVEN_AWAY: &str = concat!(
    r#"{"line_start":1,"line_end":1,"kind":"bug","severity":"essential","message":"Write this: ```python\nprint(1)\n```"}"#,
    "\n",
    r#"{"line_start":900,"line_end":901,"kind":"bug","severity":"essential","message":"There is no such line."}"#,
    "\n",
    r#"{"line_start":1,"line_end":2,"kind":"bug","severity":"essential","message":"What is the sum of nothing?"}"#,
    "\n",
    r#"{"summary":"One thing.","complexity":null,"next_step":null}"#,
    "\n",
);

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    /// What `CODEMENTOR_REVIEW_URL` would be.
    pub(crate) url: String,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mode: Mutex<Mode>,
    /// Since the mode was set.
    calls: AtomicUsize,
    bodies: Mutex<Vec<Value>>,
    keys: Mutex<Vec<String>>,
}

impl Vendor {
    pub(crate) async fn start(mode: Mode) -> Self {
        let inner = Arc::new(Inner {
            mode: Mutex::new(mode),
            calls: AtomicUsize::new(0),
            bodies: Mutex::default(),
            keys: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/v1"),
            inner,
        }
    }

    /// From now on it answers so.
    pub(crate) fn set(&self, mode: Mode) {
        *self.inner.mode.lock().expect("no test panicked") = mode;
        self.inner.calls.store(0, Ordering::SeqCst);
    }

    /// How many requests came since the mode was set.
    pub(crate) fn calls(&self) -> usize {
        self.inner.calls.load(Ordering::SeqCst)
    }

    /// What was asked, in order.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.inner.bodies.lock().expect("no test panicked").clone()
    }

    /// The `Authorization` headers, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.inner.keys.lock().expect("no test panicked").clone()
    }
}

async fn complete(State(vendor): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let call = vendor.calls.fetch_add(1, Ordering::SeqCst);
    let key = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    vendor
        .keys
        .lock()
        .expect("no test panicked")
        .push(key.to_owned());
    vendor
        .bodies
        .lock()
        .expect("no test panicked")
        .push(serde_json::from_slice(&body).expect("the request is JSON"));

    let mode = *vendor.mode.lock().expect("no test panicked");
    match mode {
        Mode::BusyOnce(_) | Mode::BrokenOnce if call > 0 => good(),
        Mode::Good => good(),
        Mode::CutEverywhere => {
            let bytes: Vec<u8> = whole(ANSWER).concat().into_bytes();
            pieces(
                bytes
                    .into_iter()
                    .map(|byte| Bytes::from(vec![byte]))
                    .collect(),
            )
        }
        Mode::GivesAway => events(whole(GIVEN_AWAY)),
        Mode::SlowFirstByte => {
            tokio::time::sleep(Duration::from_mins(10)).await;
            good()
        }
        Mode::SlowFirstChunk => sse(Body::from_stream(stream::pending::<
            Result<Bytes, Infallible>,
        >())),
        Mode::StallsInTheMiddle => sse(Body::from_stream(
            stream::iter([Ok::<_, Infallible>(Bytes::from(first_finding()))])
                .chain(stream::pending()),
        )),
        Mode::CutConnection => sse(Body::from_stream(
            stream::iter([Ok(Bytes::from(first_finding()))]).chain(stream::once(async {
                // What was said must be on its way before the cut.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(std::io::Error::other("cut"))
            })),
        )),
        Mode::CutBeforeAnswer => sse(Body::from_stream(stream::iter([Err::<Bytes, _>(
            std::io::Error::other("cut"),
        )]))),
        Mode::ErrorObject => events(vec![
            first_finding(),
            data(
                &json!({"error": {"message": "The server had an error", "type": "server_error", "code": null}}),
            ),
        ]),
        Mode::Rubbish => (
            [(header::CONTENT_TYPE, "text/html")],
            "<html><body>Welcome to the proxy</body></html>",
        )
            .into_response(),
        Mode::Prose => events(whole("I think your code {looks} fine. Maybe use a set?\n")),
        Mode::Endless => sse(Body::from_stream(stream::repeat_with(|| {
            Ok::<_, Infallible>(Bytes::from(text("again and again and again and again\n")))
        }))),
        Mode::Refuses => events(vec![
            data(&chunk(
                &json!({"refusal": "I cannot help with that."}),
                None,
            )),
            data(&chunk(&json!({}), Some("stop"))),
            done(),
        ]),
        Mode::Filtered => events(vec![
            text("{\"line_start\":"),
            data(&chunk(&json!({}), Some("content_filter"))),
            done(),
        ]),
        Mode::TooLong => events(vec![
            first_finding(),
            data(&chunk(&json!({}), Some("length"))),
            done(),
        ]),
        Mode::BusyOnce(seconds) | Mode::Busy(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, seconds.to_string())],
            error("rate_limit_exceeded"),
        )
            .into_response(),
        Mode::OutOfCredit => {
            (StatusCode::TOO_MANY_REQUESTS, error("insufficient_quota")).into_response()
        }
        Mode::BrokenOnce | Mode::Broken => {
            (StatusCode::INTERNAL_SERVER_ERROR, error("server_error")).into_response()
        }
        Mode::Unauthorized => (StatusCode::UNAUTHORIZED, error("invalid_api_key")).into_response(),
    }
}

fn good() -> Response {
    events(whole(ANSWER))
}

/// A whole answer: a role, the text in small pieces, the reason for the end, the usage, the end.
fn whole(answer: &str) -> Vec<String> {
    let signs: Vec<char> = answer.chars().collect();
    let mut events = vec![data(&chunk(
        &json!({"role": "assistant", "content": ""}),
        None,
    ))];
    events.extend(
        signs
            .chunks(7)
            .map(|piece| text(&piece.iter().collect::<String>())),
    );
    events.push(": keep-alive\n\n".to_owned());
    events.push(data(&chunk(&json!({}), Some("stop"))));
    events.push(data(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_061_200, "model": "stand-in-1", "choices": [],
        "usage": {"prompt_tokens": 812, "completion_tokens": 96, "total_tokens": 908},
    })));
    events.push(done());
    events
}

fn first_finding() -> String {
    let end = ANSWER.find('\n').expect("it has lines");
    text(&ANSWER[..=end])
}

fn text(content: &str) -> String {
    data(&chunk(&json!({ "content": content }), None))
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_061_200, "model": "stand-in-1",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}],
    })
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn done() -> String {
    "data: [DONE]\n\n".to_owned()
}

fn error(code: &str) -> String {
    json!({"error": {"message": "No.", "type": code, "param": null, "code": code}}).to_string()
}

fn events(events: Vec<String>) -> Response {
    pieces(events.into_iter().map(Bytes::from).collect())
}

/// Each piece goes out by itself.
fn pieces(pieces: Vec<Bytes>) -> Response {
    sse(Body::from_stream(stream::iter(pieces).then(
        |piece| async move {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(piece)
        },
    )))
}

fn sse(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
