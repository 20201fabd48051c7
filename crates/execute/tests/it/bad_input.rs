//! What is refused, how, and that nothing is left of it.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{Setup, learner, submission};

const SUBMISSIONS: &str = "/api/v1/submissions";
const RUNS: &str = "/api/v1/runs";

#[tokio::test]
async fn refuses_what_is_wrong_and_says_where() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let learner = learner();
    let token = execute
        .gateway
        .for_account("execute", &learner)
        .expect("a token");
    let long = "x".repeat((64 << 10) + 1);
    let with = |pointer: &str, value: serde_json::Value| {
        let mut body = submission();
        body[pointer] = value;
        body.to_string()
    };
    for (path, body, expected) in [
        (SUBMISSIONS, "{".to_owned(), (400, "invalid-request", "")),
        (SUBMISSIONS, String::new(), (400, "invalid-request", "")),
        (SUBMISSIONS, "[]".to_owned(), (422, "invalid-request", "")),
        (
            SUBMISSIONS,
            with("code", json!(7)),
            (422, "invalid-request", "/code"),
        ),
        (
            SUBMISSIONS,
            with("code", json!("a\0b")),
            (400, "invalid-request", ""),
        ),
        (
            SUBMISSIONS,
            with("code", json!("")),
            (422, "invalid-request", "/code"),
        ),
        (
            SUBMISSIONS,
            with("code", json!(long)),
            (413, "payload-too-large", "/code"),
        ),
        (
            SUBMISSIONS,
            with("code", json!("x".repeat(10 << 20))),
            (413, "payload-too-large", ""),
        ),
        (
            SUBMISSIONS,
            with("unknown", json!(1)),
            (422, "invalid-request", "/unknown"),
        ),
        (
            SUBMISSIONS,
            with("language", json!("cobol")),
            (422, "invalid-request", "/language"),
        ),
        (
            SUBMISSIONS,
            with("language", json!("java")),
            (422, "invalid-request", "/language"),
        ),
        (
            SUBMISSIONS,
            with("language", json!("javascript")),
            (422, "invalid-request", "/language"),
        ),
        (
            SUBMISSIONS,
            with("question", json!("no-such")),
            (404, "not-found", ""),
        ),
        (
            SUBMISSIONS,
            with("question", json!("../../internal/log")),
            (404, "not-found", ""),
        ),
        (
            SUBMISSIONS,
            with("files", json!([])),
            (422, "invalid-request", "/files"),
        ),
        (
            RUNS,
            json!({"language": "python", "code": "x", "stdin": long}).to_string(),
            (413, "payload-too-large", "/stdin"),
        ),
        (
            RUNS,
            json!({"language": "python", "code": "x", "samples": true}).to_string(),
            (422, "invalid-request", "/question"),
        ),
        (
            RUNS,
            json!({"language": "python", "code": "x", "question": "no-samples", "samples": true})
                .to_string(),
            (422, "invalid-request", "/samples"),
        ),
    ] {
        let shown: String = body.chars().take(100).collect();
        let answer = execute
            .ask_with(&token, Method::POST, path, &[], Some(body))
            .await;
        assert_eq!(answer.problem(), expected, "{shown}");
    }

    for (name, value) in [
        ("idempotency-key", "short"),
        ("idempotency-key", "with a blank"),
        ("idempotency-key", "schlüssel"),
        ("x-codementor-submission", "none"),
        ("x-codementor-reply-partition", "-1"),
        ("x-codementor-reply-partition", "16"),
    ] {
        let headers = [(name, value)];
        let answer = execute
            .ask(
                Some(&learner),
                Method::POST,
                SUBMISSIONS,
                &headers,
                Some(&submission()),
            )
            .await;
        assert_eq!(
            answer.problem(),
            (422, "invalid-request", ""),
            "{name}: {value}"
        );
    }
    let key = "k".repeat(256);
    let headers = [("idempotency-key", key.as_str())];
    let answer = execute
        .ask(
            Some(&learner),
            Method::POST,
            SUBMISSIONS,
            &headers,
            Some(&submission()),
        )
        .await;
    assert_eq!(answer.problem().0, 422);

    let listed = execute.get(&learner, SUBMISSIONS).await;
    assert_eq!(listed.body, json!({"items": []}), "nothing was kept");
    execute.stop().await;
}

#[tokio::test]
async fn refuses_queries_that_make_no_sense() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let learner = learner();
    for query in [
        "verdict=XX",
        "language=cobol",
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=x",
        "unknown=1",
    ] {
        let answer = execute
            .get(&learner, &format!("{SUBMISSIONS}?{query}"))
            .await;
        let (status, word, _) = answer.problem();
        assert!((400..=422).contains(&status), "{query}: {answer:?}");
        assert_eq!(word, "invalid-request", "{query}");
    }
    for path in [
        "/api/v1/submissions/none",
        "/api/v1/runs/none",
        "/api/v1/submissions/none/code",
    ] {
        let answer = execute.get(&learner, path).await;
        assert_eq!(answer.problem().0, 404, "{path}");
    }
    execute.stop().await;
}

#[tokio::test]
async fn lists_the_languages_of_the_runners() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let answer = execute
        .ask(None, Method::GET, "/api/v1/languages", &[], None)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let ids: Vec<&str> = answer
        .body
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    assert_eq!(ids, ["cpp", "python", "javascript"]);
    execute.stop().await;
}
