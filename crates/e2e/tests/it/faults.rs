//! Parts that fail while learners submit: what was accepted is judged, exactly once, when they are back.

use std::{fs, time::Duration};

use e2e::{Person, Product, Start, product::descendants};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::streams::{ECHO, any_question};

/// A product of this test's own, each service a process: to be hurt.
async fn product() -> Product {
    Product::start(Start {
        arguments: vec!["--split".to_owned()],
        ..Start::default()
    })
    .await
}

/// The server below `up` that runs this program.
fn server(product: &Product, program: &str) -> Pid {
    let named = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == program)
    };
    let pid = descendants(product.process()).into_iter().find(named);
    let pid = pid.unwrap_or_else(|| panic!("no {program} is running"));
    Pid::from_raw(i32::try_from(pid).expect("a pid"))
}

fn signal(pid: Pid, signal: Signal) {
    kill(pid, signal).expect("it is running");
}

/// Asks until the answer is as hoped for, within reason.
pub(crate) async fn until(what: &str, mut asks: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(90);
    while !asks().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not within 90 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_may_be_away_when_something_is_submitted() {
    let product = product().await;
    let learner = product.demo("learner").await;
    let kafka = server(&product, "java");
    signal(kafka, Signal::SIGSTOP);
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let seen = learner.peek(&id, 1).await;
    assert_eq!(seen[0].event, "accepted", "accepted without Kafka");
    signal(kafka, Signal::SIGCONT);
    let transcript = learner.follow(&id, None).await;
    assert_eq!(transcript.names().last(), Some(&"done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_nothing_is_half_done() {
    let product = product().await;
    let learner = product.demo("learner").await;
    let postmaster = postmaster(&product);
    signal(postmaster, Signal::SIGSTOP);
    for session in descendants(u32::try_from(postmaster.as_raw()).expect("a pid")) {
        signal(
            Pid::from_raw(i32::try_from(session).expect("a pid")),
            Signal::SIGSTOP,
        );
    }
    let body = json!({"question": any_question(), "language": "python", "code": ECHO});
    let answer = learner
        .request(Method::POST, "/submissions")
        .header("idempotency-key", "while-it-was-away")
        .json(&body)
        .send()
        .await
        .expect("the gateway answers");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let problem: Value = answer.json().await.expect("a problem");
    assert!(
        problem["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("/unavailable")),
        "{problem}"
    );
    for session in descendants(u32::try_from(postmaster.as_raw()).expect("a pid")) {
        signal(
            Pid::from_raw(i32::try_from(session).expect("a pid")),
            Signal::SIGCONT,
        );
    }
    signal(postmaster, Signal::SIGCONT);
    until("a submission after Postgres is back", async || {
        let answer = learner
            .request(Method::POST, "/submissions")
            .header("idempotency-key", "while-it-was-away")
            .json(&body)
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED)
    })
    .await;
    let list = learner.get_json("/submissions").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
}

/// Its own pid stands in the first line of a file of its own.
fn postmaster(product: &Product) -> Pid {
    let path = product.data().join("postgres/data/postmaster.pid");
    let text = fs::read_to_string(path).expect("Postgres runs");
    Pid::from_raw(
        text.lines()
            .next()
            .and_then(|line| line.parse().ok())
            .expect("a pid"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_is_away_only_delays() {
    let product = product().await;
    let learner = product.demo("learner").await;
    let runner = product.pid("runner");
    signal(runner, Signal::SIGSTOP);
    let id = learner.submit(&any_question(), "python", ECHO).await;
    let seen = learner.peek(&id, 1).await;
    assert_eq!(seen[0].event, "accepted");
    signal(runner, Signal::SIGCONT);
    let transcript = learner.follow(&id, None).await;
    assert_eq!(transcript.names().last(), Some(&"done"));
}

/// Runs until its time limit on every test, so that there is a middle to be killed in.
const SLOW: &str = "import time\ntime.sleep(0.4)\nprint(input())\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_evaluation_is_taken_over_with_one_end() {
    let product = product().await;
    let learner = product.demo("learner").await;
    let id = learner.submit(&any_question(), "python", SLOW).await;
    let seen = learner.peek(&id, 2).await;
    assert_eq!(seen[1].event, "judging");
    signal(product.pid("evaluation"), Signal::SIGKILL);
    // `up` ends with its service; the folder's next start takes over.
    let mut product = product;
    product.wait_until_ended().await;
    product.start_again().await;
    let learner = product.demo("learner").await;
    let transcript = learner.follow(&id, None).await;
    let verdicts = transcript.all("verdict").len();
    assert_eq!((verdicts, transcript.names().last()), (1, Some(&"done")));
    let attempts = transcript.all("judging").len();
    assert!(
        attempts >= 2,
        "it was judged again: {:?}",
        transcript.names()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_that_is_away_does_not_hold_up_the_verdict() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = format!("http://{}/v1", closed.local_addr().expect("it is bound"));
    drop(closed);
    let product = Product::start(Start {
        arguments: vec!["--split".to_owned()],
        ends_with_us: false,
        environment: [
            ("CODEMENTOR_REVIEWER", "openai".to_owned()),
            ("CODEMENTOR_REVIEW_URL", nowhere),
            ("CODEMENTOR_REVIEW_MODEL", "a-model".to_owned()),
            ("CODEMENTOR_REVIEW_KEY", "a-key".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec(),
    })
    .await;
    let learner: Person = product.demo("learner").await;
    let transcript = learner
        .submit_and_follow(&any_question(), "python", ECHO)
        .await;
    assert!(!transcript.verdict().is_empty());
    assert_eq!(transcript.data("review.skipped")["reason"], "unavailable");
}
