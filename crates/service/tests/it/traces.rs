//! Requests have ids and belong to traces, over services.

use axum::{Router, routing::get};
use service::{
    Client,
    token::{Minter, ServiceKey},
    trace::{self, Traceparent},
};
use uuid::Uuid;

use crate::support::{Server, http};

const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn router() -> Router {
    Router::new().route("/", get(tell))
}

async fn tell() -> String {
    let id = trace::current_request_id().expect("every request has one");
    format!("{id} {}", Traceparent::current().trace_id())
}

#[tokio::test]
async fn a_clients_request_id_is_kept_if_it_is_a_uuid() {
    let server = Server::start(router()).await;
    let id = Uuid::now_v7().to_string();
    let request = http(false).get(server.url("/")).header("x-request-id", &id);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["x-request-id"], id.as_str());
    assert!(answer.text().await.expect("a body").starts_with(&id));
}

#[tokio::test]
async fn any_other_request_id_is_replaced() {
    let server = Server::start(router()).await;
    for id in ["", "x", "' OR 1=1 --", "0000"] {
        let request = http(false).get(server.url("/")).header("x-request-id", id);
        let answer = request.send().await.expect("an answer");
        let given = answer.headers()["x-request-id"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(Uuid::try_parse(&given).is_ok(), "{given}");
    }
}

#[tokio::test]
async fn a_trace_goes_on_with_a_step_of_its_own() {
    let server = Server::start(router()).await;
    let request = http(false)
        .get(server.url("/"))
        .header("traceparent", EXAMPLE);
    let answer = request.send().await.expect("an answer");
    let out = answer.headers()["traceparent"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(out.contains(TRACE) && out != EXAMPLE, "{out}");
    assert!(answer.text().await.expect("a body").ends_with(TRACE));
}

#[tokio::test]
async fn a_broken_trace_is_replaced_by_a_new_one() {
    let server = Server::start(router()).await;
    let request = http(false)
        .get(server.url("/"))
        .header("traceparent", "00-rubbish");
    let answer = request.send().await.expect("an answer");
    let out: Traceparent = answer.headers()["traceparent"]
        .to_str()
        .expect("text")
        .parse()
        .expect("well-formed");
    assert_ne!(out.trace_id(), TRACE);
}

#[tokio::test]
async fn a_call_carries_trace_and_request_id_on() {
    let inner = Server::start(router()).await;
    let minter = Minter::new(ServiceKey::generate("gateway"));
    let client = Client::new(&inner.url(""), "inner", minter).expect("a client");
    let pass_on = async move || {
        let told = client.get("/").bytes().await.expect("an answer");
        String::from_utf8(told.to_vec()).expect("text")
    };
    let outer = Server::start(Router::new().route("/", get(pass_on))).await;
    let id = Uuid::now_v7().to_string();
    let request = http(false).get(outer.url("/")).header("x-request-id", &id);
    let answer = request
        .header("traceparent", EXAMPLE)
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        answer.text().await.expect("a body"),
        format!("{id} {TRACE}")
    );
}
