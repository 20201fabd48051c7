//! Logs are JSON lines for machines, and hold what ties them together. The logging process is this test program, started again.

use std::{
    env,
    process::{Command, Stdio},
};

use axum::{Router, routing::get};
use serde_json::Value;

use crate::support::{Server, http};

/// Set in the process that logs.
const CHILD: &str = "SERVICE_TEST_LOGS";

const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn lines_are_json_and_name_trace_and_request_but_no_secret() {
    if env::var_os(CHILD).is_some() {
        return log_something().await;
    }
    let name = "telemetry::lines_are_json_and_name_trace_and_request_but_no_secret";
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .env("CODEMENTOR_LOG", "info")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.contains("secret"), "{text}");
    // The test harness speaks on standard error, too; its lines are no objects.
    let lines: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let said = |message: &str| {
        let found = lines.iter().find(|line| {
            line["message"]
                .as_str()
                .is_some_and(|said| said.contains(message))
        });
        found.unwrap_or_else(|| panic!("no {message:?} in {text}"))
    };
    let in_handler = said("in the handler");
    assert_eq!(
        in_handler["span"]["trace_id"],
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    assert!(in_handler["span"]["request_id"].is_string());
    assert_eq!(in_handler["level"], "INFO");
    let access = said("GET /panic answered with 500");
    assert_eq!(access["status"], "500");
    assert!(said("panicked: on purpose")["place"].is_string());
    assert!(!text.contains("too quiet"));
}

async fn log_something() {
    service::telemetry::init();
    service::telemetry::init();
    let speaks = async || {
        tracing::info!("in the handler");
        tracing::debug!("too quiet");
    };
    let router = Router::new()
        .route("/", get(speaks))
        .route("/panic", get(panics));
    let server = Server::start(router).await;
    for path in ["/?token=secret", "/panic"] {
        let request = http(false)
            .get(server.url(path))
            .header("traceparent", EXAMPLE);
        request
            .bearer_auth("secret")
            .send()
            .await
            .expect("an answer");
    }
}

async fn panics() -> &'static str {
    panic!("on purpose")
}
