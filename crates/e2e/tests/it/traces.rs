//! What an operator's collector of traces is told of a submission.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use e2e::{Product, Start};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message;
use reqwest::Method;
use serde_json::json;

use crate::streams::{ECHO, any_question};

/// What has come, each span with its service's name.
type Spans = Arc<Mutex<Vec<(String, Span)>>>;

/// OTLP over HTTP, as the specification has it.
async fn collect(State(spans): State<Spans>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    for of_service in request.resource_spans {
        let attributes = of_service.resource.expect("a resource").attributes;
        let name = attributes.iter().find(|one| one.key == "service.name");
        let value = name.and_then(|one| one.value.clone()?.value);
        let Some(Value::StringValue(service)) = value else {
            return StatusCode::BAD_REQUEST;
        };
        let new = of_service.scope_spans.into_iter().flat_map(|one| one.spans);
        let mut spans = spans.lock().expect("nobody panicked");
        spans.extend(new.map(|span| (service.clone(), span)));
    }
    StatusCode::OK
}

/// A collector; its address and what it has been told.
async fn collector() -> (String, Spans) {
    let spans = Spans::default();
    let routes = Router::new()
        .route("/v1/traces", post(collect))
        .with_state(spans.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (format!("http://{address}"), spans)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_click_to_the_review_across_kafka() {
    let (address, spans) = collector().await;
    let mut product = Product::start(Start {
        environment: vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), address)],
        ..Start::default()
    })
    .await;
    let learner = product.demo("learner").await;
    let (trace, click) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let body = json!({"question": any_question(), "language": "python", "code": ECHO});
    let answer = learner
        .request(Method::POST, "/submissions")
        .header("traceparent", format!("00-{trace}-{click}-01"))
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let receipt: serde_json::Value = answer.json().await.expect("JSON");
    let id = receipt["id"].as_str().expect("an id");
    let transcript = learner.follow(id, None).await;
    assert_eq!(transcript.names().last(), Some(&"done"));
    // What waits is sent at the end.
    assert!(product.end().await.success());

    let spans = spans.lock().expect("nobody panicked");
    let ours: BTreeMap<String, &(String, Span)> = spans
        .iter()
        .filter(|(_, span)| hex::encode(&span.trace_id) == trace)
        .map(|one| (hex::encode(&one.1.span_id), one))
        .collect();
    let services: BTreeSet<&str> = ours.values().map(|one| one.0.as_str()).collect();
    let expected = ["evaluation", "execute", "gateway", "question", "runner"]
        .map(|service| format!("codementor-{service}"));
    assert_eq!(services, expected.iter().map(String::as_str).collect());
    for (service, span) in ours.values() {
        let parent = hex::encode(&span.parent_span_id);
        assert!(
            parent == click || ours.contains_key(&parent),
            "{service} {}: its parent {parent} is unknown",
            span.name
        );
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    }
    let named = |service: &str, name: &str| {
        let service = format!("codementor-{service}");
        let is_it = |one: &&&(String, Span)| one.0 == service && one.1.name == name;
        *ours.values().find(is_it).expect("such a span")
    };
    let way = |from: &(String, Span)| {
        let mut way = vec![];
        let mut at = Some(from);
        while let Some((service, span)) = at {
            way.push(format!("{service} {}", span.name));
            at = ours.get(&hex::encode(&span.parent_span_id)).copied();
        }
        way.reverse();
        way
    };
    let clicked = [
        "codementor-gateway POST /api/v1/submissions",
        "codementor-execute POST /api/v1/submissions",
        "codementor-evaluation judge",
    ];
    let review = way(named("evaluation", "review"));
    assert_eq!(
        review,
        [&clicked[..], &["codementor-evaluation review"]].concat()
    );
    let run = way(named("runner", "judge"));
    assert_eq!(run[..clicked.len()], clicked);
}
