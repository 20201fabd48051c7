//! What is refused, how, and that nothing is left of it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Setup, learner, submission, until};

const SUBMISSIONS: &str = "/api/v1/submissions";
const RUNS: &str = "/api/v1/runs";

/// What a body is refused with: status, word, place.
type Refusal = (u16, &'static str, &'static str);

async fn refuses(path: &str, bodies: Vec<(String, Refusal)>) {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let learner = learner();
    let token = execute
        .gateway
        .for_account("execute", &learner)
        .expect("a token");
    for (body, expected) in bodies {
        let shown: String = body.chars().take(100).collect();
        let answer = execute
            .ask_with(&token, Method::POST, path, &[], Some(body))
            .await;
        assert_eq!(answer.problem(), expected, "{shown}");
    }
    let listed = execute.get(&learner, SUBMISSIONS).await;
    assert_eq!(
        listed.body,
        json!({"items": [], "next_cursor": null}),
        "nothing was kept"
    );
    execute.stop().await;
}

#[tokio::test]
async fn refuses_submissions_that_are_wrong_and_says_where() {
    let with = |field: &str, value: Value| {
        let mut body = submission();
        body[field] = value;
        body.to_string()
    };
    let invalid = |pointer| (422, "invalid-request", pointer);
    let too_large = |pointer| (413, "payload-too-large", pointer);
    let malformed = (400, "invalid-request", "");
    let missing = (404, "not-found", "");
    let bodies = vec![
        ("{".to_owned(), malformed),
        (String::new(), malformed),
        ("[]".to_owned(), invalid("")),
        (with("code", json!("a\0b")), malformed),
        (with("code", json!(7)), invalid("/code")),
        (with("code", json!("")), invalid("/code")),
        (
            with("code", json!("x".repeat((64 << 10) + 1))),
            too_large("/code"),
        ),
        (with("code", json!("x".repeat(10 << 20))), too_large("")),
        (with("unknown", json!(1)), invalid("/unknown")),
        (with("language", json!("cobol")), invalid("/language")),
        // The runners lack it; the question is not answered in it.
        (with("language", json!("java")), invalid("/language")),
        (with("language", json!("javascript")), invalid("/language")),
        (with("question", json!("no-such")), missing),
        (with("question", json!("../../internal/log")), missing),
        (with("files", json!([])), invalid("/files")),
    ];
    refuses(SUBMISSIONS, bodies).await;
}

#[tokio::test]
async fn refuses_runs_that_are_wrong_and_says_where() {
    let with = |more: Value| {
        let mut body = json!({"language": "python", "code": "x"});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        body.to_string()
    };
    let invalid = |pointer| (422, "invalid-request", pointer);
    let long = "1".repeat((64 << 10) + 1);
    let bodies = vec![
        (
            with(json!({"stdin": long})),
            (413, "payload-too-large", "/stdin"),
        ),
        (with(json!({"stdin": "\0"})), (400, "invalid-request", "")),
        (with(json!({"samples": true})), invalid("/question")),
        (
            with(json!({"samples": true, "question": "no-samples"})),
            invalid("/samples"),
        ),
        (
            with(json!({"samples": true, "question": "a-plus-b", "stdin": "1"})),
            invalid("/stdin"),
        ),
    ];
    refuses(RUNS, bodies).await;
}

#[tokio::test]
async fn refuses_headers_that_are_wrong() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let (learner, body) = (learner(), submission());
    let long = "k".repeat(256);
    let post = async |name: &str, value: &str| {
        let headers = [(name, value)];
        execute
            .ask(
                Some(&learner),
                Method::POST,
                SUBMISSIONS,
                &headers,
                Some(&body),
            )
            .await
    };
    for (name, value) in [
        ("idempotency-key", "short"),
        ("idempotency-key", "with a blank"),
        ("idempotency-key", "schlüssel"),
        ("idempotency-key", &long),
        ("x-codementor-submission", "none"),
        ("x-codementor-reply-partition", "-1"),
        ("x-codementor-reply-partition", "none"),
    ] {
        let answer = post(name, value).await;
        assert_eq!(
            answer.problem(),
            (422, "invalid-request", ""),
            "{name}: {value}"
        );
    }
    let refused = async || post("x-codementor-reply-partition", "16").await.status == 422;
    until("kafka has said that there are 16 partitions", refused).await;
    execute.stop().await;
}

#[tokio::test]
async fn refuses_queries_that_make_no_sense() {
    let setup = Setup::without_kafka().await;
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
    let setup = Setup::without_kafka().await;
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
