//! What surrounds every route: request id, trace, log line, metrics, and problems for whatever else went wrong.

use std::{any::Any, panic::AssertUnwindSafe, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    problem::{Kind, Problem},
    trace::{self, Traceparent},
};

/// Names a request in logs and problems.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// All headers of a request together, in bytes.
const LARGEST_HEADERS: usize = 32 * 1024;

tokio::task_local! {
    static CURRENT_REQUEST: Uuid;
}

/// The id of the request that is being answered, if one is.
pub(crate) fn current_request() -> Option<Uuid> {
    CURRENT_REQUEST.try_with(|id| *id).ok()
}

/// Puts the layers around all routes of a service.
pub(crate) fn around(router: Router) -> Router {
    router.layer(middleware::from_fn(observe))
}

async fn observe(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let context = request
        .headers()
        .get(trace::HEADER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or_else(Traceparent::begin, Traceparent::child);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let span = tracing::info_span!("request", %method, route, request_id = %id, trace_id = context.trace_id());
    let too_large = headers_size(request.headers()) > LARGEST_HEADERS;
    let answering = async {
        if too_large {
            return Problem::new(
                Kind::HeadersTooLarge,
                "The headers are larger than 32 KiB together. Send fewer or shorter ones.",
            )
            .into_response();
        }
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => after_panic(panic.as_ref()),
        }
    };
    let answering = context.scope(CURRENT_REQUEST.scope(id, answering));
    let response = answering.instrument(span.clone()).await;
    let mut response = complete(response, &path, id);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status();
    record(&method, route, status, begun);
    span.in_scope(|| tell(&method, &path, status, begun));
    response
}

/// The client's id if it is one, else a new one.
fn request_id(headers: &HeaderMap) -> Uuid {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or_else(Uuid::now_v7)
}

fn headers_size(headers: &HeaderMap) -> usize {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    sizes.sum()
}

fn after_panic(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked: {text}");
    Problem::new(
        Kind::Internal,
        "Something went wrong on our side. Try again; if it stays, report the request id.",
    )
    .into_response()
}

/// Says in a problem who asked for what, and makes one of any other error.
fn complete(response: Response, path: &str, id: Uuid) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        // Passed on from another service: it is complete.
        None if is_problem(&parts.headers) => return Response::from_parts(parts, body),
        None => by_status(status, path),
    };
    let problem = Problem {
        instance: Some(path.to_owned()),
        request_id: Some(id.to_string()),
        ..problem
    };
    let mut completed = problem.into_response();
    for (name, value) in &parts.headers {
        let of_the_body = [header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name);
        if !of_the_body && !completed.headers().contains_key(name) {
            completed.headers_mut().append(name, value.clone());
        }
    }
    completed
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

/// What axum and its layers refuse by themselves, without saying more than a status.
fn by_status(status: StatusCode, path: &str) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(
            Kind::NotFound,
            format!("There is nothing at {path}. See the API's description for what there is."),
        ),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Kind::MethodNotAllowed,
            "This address does not take that method. The header `Allow` says which it takes.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::too_large("The body is larger than this address takes. Send less.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            Kind::UnsupportedMediaType,
            "This address does not take a body of that type.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => {
            Problem::unprocessable("The request is understood and cannot be done.")
        }
        StatusCode::UNAUTHORIZED => Problem::unauthenticated("Sign in first."),
        StatusCode::FORBIDDEN => Problem::forbidden("You may not do this."),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            Problem::new(Kind::TimedOut, "This took too long. Try again in a moment.")
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => {
            Problem::unavailable("This is not available just now. Try again in a moment.")
        }
        status if status.is_client_error() => {
            Problem::invalid("The request is not what this address takes.")
        }
        _ => Problem::new(
            Kind::Internal,
            "Something went wrong on our side. Try again; if it stays, report the request id.",
        ),
    }
}

fn record(method: &Method, route: String, status: StatusCode, begun: Instant) {
    let labels = [
        ("route", route),
        ("method", known(method).to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("codementor_http_requests_total", &labels).increment(1);
    metrics::histogram!("codementor_http_request_duration_seconds", &labels[..2])
        .record(begun.elapsed().as_secs_f64());
}

/// Methods that clients make up do not become labels.
fn known(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    }
}

fn tell(method: &Method, path: &str, status: StatusCode, begun: Instant) {
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    if status >= 500 {
        tracing::warn!(status, took_ms, "{method} {path} was answered {status}");
    } else {
        tracing::debug!(status, took_ms, "{method} {path} was answered {status}");
    }
}

/// Kept here so that the type of bodies is named once.
pub(crate) type HttpRequest = axum::http::Request<Body>;
