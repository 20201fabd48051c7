//! What the operator sees.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use serde_json::Value;
use service::{Ops, Shutdown};
use tokio::sync::Notify;

use crate::support::{PATIENCE, Server, http, problem};

async fn look(server: &Server, path: &str) -> (u16, Value) {
    let answer = http(false)
        .get(server.ops_url(path))
        .send()
        .await
        .expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn metrics(server: &Server) -> String {
    let answer = http(false)
        .get(server.ops_url("/metrics"))
        .send()
        .await
        .expect("an answer");
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .expect("text")
            .starts_with("text/plain")
    );
    answer.text().await.expect("a body")
}

#[tokio::test]
async fn readiness_names_each_part_and_why() {
    let ops = Ops::new("execute");
    let database = ops.part("database");
    let server = Server::start_with(Router::new(), ops, Shutdown::manual()).await;
    assert_eq!(look(&server, "/readyz").await.0, 503);
    database.failing("connection refused");
    let (status, body) = look(&server, "/readyz").await;
    assert_eq!(
        (status, &body["parts"]["database"]["why"]),
        (503, &"connection refused".into())
    );
    assert_eq!(look(&server, "/startupz").await.0, 503);
    database.ok();
    assert_eq!(look(&server, "/readyz").await.0, 200);
    assert_eq!(look(&server, "/startupz").await.0, 200);
    assert_eq!(look(&server, "/livez").await.0, 200);
}

#[tokio::test]
async fn probes_are_not_on_the_listener_for_requests() {
    let server = Server::start(Router::new()).await;
    for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
        let answer = http(false)
            .get(server.url(path))
            .send()
            .await
            .expect("an answer");
        assert_eq!(problem(answer).await["status"], 404, "{path}");
    }
    let answer = http(false)
        .get(server.ops_url("/nothing"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(problem(answer).await["status"], 404);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_address() {
    let router = Router::new().route("/things/{id}", get(async || "ok"));
    let server = Server::start_with(router, Ops::new("counted"), Shutdown::manual()).await;
    for id in 0..3 {
        let url = server.url(&format!("/things/{id}"));
        http(false).get(url).send().await.expect("an answer");
    }
    http(false)
        .get(server.url("/nothing/7"))
        .send()
        .await
        .expect("an answer");
    let custom = reqwest::Method::from_bytes(b"EVIL").expect("a method");
    http(false)
        .request(custom, server.url("/things/1"))
        .send()
        .await
        .expect("an answer");
    let metrics = metrics(&server).await;
    let line = |labels: &str| {
        metrics.lines().any(|line| {
            line == format!("codementor_http_requests_total{{service=\"counted\",{labels}")
        })
    };
    assert!(
        line("route=\"/things/{id}\",method=\"GET\",status=\"200\"} 3"),
        "{metrics}"
    );
    assert!(
        line("route=\"none\",method=\"GET\",status=\"404\"} 1"),
        "{metrics}"
    );
    assert!(
        line("route=\"/things/{id}\",method=\"other\",status=\"405\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("codementor_http_request_duration_seconds_bucket{service=\"counted\",")
    );
    assert!(!metrics.contains("/things/0"), "ids are no labels");
}

#[tokio::test]
async fn services_of_one_process_show_the_same_registry() {
    let ops = Ops::new("first");
    ops.part("database").ok();
    let first = Server::start_with(Router::new(), ops, Shutdown::manual()).await;
    let second = Server::start_with(Router::new(), Ops::new("second"), Shutdown::manual()).await;
    let line = "codementor_part_up{service=\"first\",part=\"database\"} 1";
    for server in [&first, &second] {
        assert!(metrics(server).await.contains(line));
    }
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted() {
    let begun = Arc::new(Notify::new());
    let begins = begun.clone();
    let slow = async move || {
        begins.notify_one();
        std::future::pending::<()>().await;
    };
    let router = Router::new().route("/slow", get(slow));
    let server = Server::start_with(router, Ops::new("left"), Shutdown::manual()).await;
    let asked = tokio::spawn(http(false).get(server.url("/slow")).send());
    begun.notified().await;
    asked.abort();
    let deadline = Instant::now() + PATIENCE;
    while !metrics(&server)
        .await
        .contains("service=\"left\",route=\"/slow\",method=\"GET\",status=\"499\"} 1")
    {
        assert!(Instant::now() < deadline, "it is never counted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
