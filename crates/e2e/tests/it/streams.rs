//! Streams as learners meet them: taken up in the middle, opened twice, replayed later, posted twice.

use e2e::{Product, Transcript};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::faults::until;

/// Says what it reads: wrong, but judged on every test.
pub(crate) const ECHO: &str = "import sys\nprint(sys.stdin.read())\n";

/// One of the samples, with full feedback.
pub(crate) fn any_question() -> String {
    "tangerine-boxes".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_everything_in_order() {
    let product = Product::shared().await;
    let learner = product.newcomer("Order").await;
    let transcript = learner
        .submit_and_follow(&any_question(), "python", ECHO)
        .await;
    let names = transcript.names();
    assert_eq!(names[..3], ["accepted", "judging", "compiled"]);
    let tests = names.iter().filter(|name| **name == "test").count();
    assert_eq!(transcript.data("judging")["tests"], tests);
    let verdict = names
        .iter()
        .position(|name| *name == "verdict")
        .expect("a verdict");
    assert_eq!(verdict, 3 + tests);
    assert_eq!(names[verdict + 1], "review.started");
    assert_eq!(names.last(), Some(&"done"));
    let indices: Vec<u64> = transcript
        .all("test")
        .iter()
        .map(|test| test["index"].as_u64().expect("a number"))
        .collect();
    assert_eq!(indices, (1..=tests as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_on_a_second_connection() {
    let product = Product::shared().await;
    let learner = product.newcomer("Resume").await;
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let seen = learner.peek(&id, 3).await;
    let rest = learner.follow(&id, Some(&seen[2].id)).await;
    let whole = learner.follow(&id, None).await;
    let joined: Vec<_> = seen.into_iter().chain(rest.frames).collect();
    assert_eq!(joined, whole.frames);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_show_the_same() {
    let product = Product::shared().await;
    let learner = product.newcomer("Tabs").await;
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let (one, other) = tokio::join!(learner.follow(&id, None), learner.follow(&id, None));
    assert_eq!(one, other);
    let later = learner.follow(&id, None).await;
    assert_eq!(one, later, "a finished one is replayed whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_not_known_replays_all() {
    let product = Product::shared().await;
    let learner = product.newcomer("Unknown").await;
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let whole = learner.follow(&id, None).await;
    for unknown in [
        "nonsense",
        "9.9.9",
        "1.1",
        "-1.0.0",
        "1.1.99999999999999999999",
    ] {
        assert_eq!(learner.follow(&id, Some(unknown)).await, whole, "{unknown}");
    }
    let last = &whole.frames.last().expect("an end").id;
    let after = learner.open_events(&id, Some(last)).await;
    let nothing = e2e::stream::first(after, 1).await;
    assert!(nothing.is_empty(), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_post_is_the_same_submission() {
    let product = Product::shared().await;
    let learner = product.newcomer("Repeat").await;
    let question = any_question();
    let post = |code: &str| {
        let body = json!({"question": question, "language": "python", "code": code});
        learner
            .request(Method::POST, "/submissions")
            .header("idempotency-key", "the-same-key")
            .json(&body)
            .send()
    };
    let (first, second) = tokio::join!(post(ECHO), post(ECHO));
    let (first, second) = (first.expect("an answer"), second.expect("an answer"));
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::ACCEPTED, StatusCode::ACCEPTED)
    );
    let (first, second): (Value, Value) = (
        first.json().await.expect("JSON"),
        second.json().await.expect("JSON"),
    );
    assert_eq!(first["id"], second["id"]);
    let other = post("print(2)").await.expect("an answer");
    assert_eq!(other.status(), StatusCode::CONFLICT);
    let list = learner.get_json("/submissions").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_show_output_and_no_review() {
    let product = Product::shared().await;
    let learner = product.newcomer("Runs").await;
    let body = json!({"language": "python", "code": "print(input()[::-1])", "stdin": "abc\n"});
    let transcript = learner.stream("/runs", &body).await;
    assert_eq!(transcript.data("output")["stdout"], "cba\n");
    assert!(
        !transcript
            .names()
            .iter()
            .any(|name| name.starts_with("review"))
    );
    let body =
        json!({"language": "python", "code": ECHO, "question": any_question(), "samples": true});
    let samples: Transcript = learner.stream("/runs", &body).await;
    assert!(!samples.all("output").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_what_the_stream_said() {
    let product = Product::shared().await;
    let learner = product.newcomer("Record").await;
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let transcript = learner.follow(&id, None).await;
    let path = format!("/submissions/{id}");
    // The stream does not wait for the log.
    until("the log has the end", async || {
        learner.get_json(&path).await["status"] == "done"
    })
    .await;
    let record = learner.get_json(&path).await;
    assert_eq!(record["verdict"], transcript.verdict());
    let code = learner.get_json(&format!("/submissions/{id}/code")).await;
    assert!(code.to_string().contains("sys.stdin.read()"), "{code}");
}
