//! What happens around every handler: request id, trace, panic and time limit, problems, access log, metrics.
//!
//! ```text
//! request ─► id and traceparent ─► time limit ─► panic caught ─► handler
//! response ◄─ id and traceparent ◄─ log, metrics ◄─ every error a problem ◄─┘
//! ```
//! Looks at the head of a response only: the body of a stream passes as it is, for as long as it takes. Never logs a query, a
//! header or a body: they may hold secrets.

use std::{
    borrow::Cow,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody, to_bytes},
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use opentelemetry::trace::SpanKind;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    Problem, metrics,
    trace::{self, Traceparent, spans::Span},
};

/// A handler that has not begun to answer by then never will. Long enough for a large upload over a slow line.
pub(crate) const HANDLER_LIMIT: Duration = Duration::from_mins(2);

/// A text beside a status is taken over into the problem up to this size.
const TEXT_LIMIT: usize = 1024;

/// How a router is wrapped.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    /// The service's name, for metrics.
    pub(crate) service: String,
    /// Until when a response must have begun.
    pub(crate) limit: Duration,
    /// Whether requests are logged and counted: probes are not.
    pub(crate) counted: bool,
}

impl Layers {
    pub(crate) fn around(self, router: Router) -> Router {
        if self.counted {
            metrics::install_once();
        }
        router.layer(from_fn_with_state(Arc::new(self), handle))
    }
}

/// What is known of a request before it is handled.
struct Asked {
    service: String,
    method: Method,
    path: String,
    route: String,
    begun: Instant,
    /// Whether it is to be logged and counted, and has not been.
    open: bool,
}

async fn handle(State(layers): State<Arc<Layers>>, request: Request, next: Next) -> Response {
    let mut asked = Asked::new(&layers, &request);
    let request_id = request_id(request.headers());
    let step @ (traceparent, _) = Traceparent::following(text(request.headers(), trace::HEADER));
    let mut reported = asked.report(step);
    let span = tracing::info_span!(
        "request",
        trace_id = traceparent.trace_id(),
        request_id = %request_id,
        method = %asked.method,
        path = asked.path,
    );
    let handled = async {
        let response = run(&layers, request, next).await;
        let mut response = as_problem(response, &asked.path, request_id).await;
        let headers = response.headers_mut();
        insert(headers, trace::REQUEST_ID_HEADER, &request_id.to_string());
        insert(headers, trace::HEADER, &traceparent.to_string());
        asked.answered(response.status());
        if let Some(reported) = &mut reported {
            reported.set(
                "http.response.status_code",
                i64::from(response.status().as_u16()),
            );
            if response.status().is_server_error() {
                reported.failed();
            }
        }
        response
    };
    trace::in_request(traceparent, request_id, handled)
        .instrument(span)
        .await
}

/// The handler, within its time and with its panics.
async fn run(layers: &Layers, request: Request, next: Next) -> Response {
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(layers.limit, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let message = panic
                .downcast_ref::<&str>()
                .map(|text| Cow::Borrowed(*text))
                .or_else(|| {
                    panic
                        .downcast_ref::<String>()
                        .map(|text| text.as_str().into())
                })
                .unwrap_or_default();
            Problem::unexpected(&format!("a handler panicked: {message}")).into_response()
        }
        Err(_) => {
            tracing::error!("a handler did not begin to answer in {:?}", layers.limit);
            Problem::unavailable("This took too long. Try again in a moment, or with less.")
                .into_response()
        }
    }
}

/// Says of which request a problem is, and makes one of every other error that a program would have to read as text.
async fn as_problem(mut response: Response, path: &str, request_id: Uuid) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if has_own_body(&response) => return response,
        None => {
            let body = std::mem::take(response.body_mut());
            let detail = short_text(status, body).await;
            match Problem::for_status(status, detail) {
                Some(problem) => problem,
                None => return response,
            }
        }
    };
    let mut described = problem.about(path, &request_id.to_string()).into_response();
    described.extensions_mut().remove::<Problem>();
    // Whatever else the response had: cookies, Allow, Retry-After.
    for (name, value) in response.headers() {
        let about_body = [CONTENT_TYPE, CONTENT_LENGTH].contains(name);
        let is_set = [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE].contains(name)
            && described.headers().contains_key(name);
        if !about_body && !is_set {
            described.headers_mut().append(name, value.clone());
        }
    }
    described
}

/// Whether somebody has said something in a form of their own: a page for people, or a problem of another service.
fn has_own_body(response: &Response) -> bool {
    text(response.headers(), CONTENT_TYPE.as_str())
        .is_some_and(|media| !media.starts_with("text/plain") && !response.body().is_end_stream())
}

/// The text of a refusal by a library, if it is short and about the request.
async fn short_text(status: StatusCode, body: Body) -> Option<String> {
    let is_short = body
        .size_hint()
        .upper()
        .is_some_and(|size| size <= TEXT_LIMIT as u64);
    if !status.is_client_error() || !is_short {
        return None;
    }
    let bytes = to_bytes(body, TEXT_LIMIT).await.ok()?;
    let text = String::from_utf8(bytes.into()).ok()?;
    (!text.trim().is_empty()).then_some(text)
}

impl Asked {
    fn new(layers: &Layers, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        Self {
            service: layers.service.clone(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: route.map_or("none", MatchedPath::as_str).to_owned(),
            begun: Instant::now(),
            open: layers.counted,
        }
    }

    /// Its span; probes have none.
    fn report(&self, step: (Traceparent, Option<Traceparent>)) -> Option<Span> {
        let name = format!("{} {}", known(&self.method), self.route);
        let mut span = self
            .open
            .then(|| Span::open(&self.service, SpanKind::Server, name, step))??;
        span.set("http.request.method", known(&self.method).to_owned());
        span.set("http.route", self.route.clone());
        Some(span)
    }

    fn answered(&mut self, status: StatusCode) {
        if std::mem::take(&mut self.open) {
            self.note(status.as_str());
        }
    }

    fn note(&self, status: &str) {
        let elapsed = self.begun.elapsed();
        let labels = [
            ("service", self.service.clone()),
            ("route", self.route.clone()),
            ("method", known(&self.method).to_owned()),
        ];
        ::metrics::histogram!("codementor_http_request_duration_seconds", &labels).record(elapsed);
        let [service, route, method] = labels;
        let labels = [service, route, method, ("status", status.to_owned())];
        ::metrics::counter!("codementor_http_requests_total", &labels).increment(1);
        let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            service = self.service,
            status,
            ms,
            "{} {} answered with {status} in {ms} ms",
            self.method,
            self.path
        );
    }
}

/// The client went away before the answer.
impl Drop for Asked {
    fn drop(&mut self) {
        if self.open {
            self.note("499");
        }
    }
}

/// The client's own id of its request, if it is a UUID, else a new one.
fn request_id(headers: &HeaderMap) -> Uuid {
    text(headers, trace::REQUEST_ID_HEADER)
        .and_then(|id| Uuid::try_parse(id).ok())
        .unwrap_or_else(Uuid::now_v7)
}

/// Methods are the client's choice: those that nobody knows must not become labels.
fn known(method: &Method) -> &str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if KNOWN.contains(method) {
        method.as_str()
    } else {
        "other"
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Bytes, routing::get};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    fn layers(limit: Duration) -> Layers {
        Layers {
            service: "test".to_owned(),
            limit,
            counted: false,
        }
    }

    async fn ask(router: Router) -> (StatusCode, Value) {
        let request = Request::new(Body::empty());
        let Ok(response) = router.oneshot(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        (
            status,
            serde_json::from_slice(&body).expect("a problem is JSON"),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_does_not_answer_is_given_up() {
        let router = Router::new().route("/", get(std::future::pending::<()>));
        let (status, problem) = ask(layers(HANDLER_LIMIT).around(router)).await;
        assert_eq!(status, 503);
        assert_eq!(
            problem["type"],
            "https://codementor.dev/problems/unavailable"
        );
        assert_eq!(problem["instance"], "/");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_longer_than_a_handler() {
        let slow = async || {
            let body = futures::stream::once(async {
                tokio::time::sleep(HANDLER_LIMIT * 2).await;
                Ok::<_, std::convert::Infallible>(Bytes::from("late"))
            });
            Body::from_stream(body)
        };
        let router = layers(HANDLER_LIMIT).around(Router::new().route("/", get(slow)));
        let Ok(response) = router.oneshot(Request::new(Body::empty())).await;
        let body = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        assert_eq!(&body[..], b"late");
    }
}
