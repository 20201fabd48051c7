//! How much one address or account may ask for.

use contract::Role;
use reqwest::{Response, StatusCode};
use serde_json::json;

use crate::support::{World, problem, send, sse::Sse, until};

async fn is_limited(answer: Response) {
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    problem(answer, 429, "rate-limited").await;
}

#[tokio::test]
async fn sign_in_attempts_are_limited_by_address() {
    let world = World::start(&["--sign-ins-per-minute=5", "--trusted-proxies=1"]).await;
    let attempt = |path: &str, from: &str| {
        let body = json!({ "email": "a@b", "password": "12345678", "name": "x", "code": "x" });
        let request = world
            .post(&format!("/api/v1/auth/{path}"))
            .header("x-forwarded-for", format!("9.9.9.9, {from}"));
        let fields: &[&str] = match path {
            "login" => &["email", "password"],
            "reset" => &["code", "password"],
            _ => &["email", "password", "name"],
        };
        let body: serde_json::Map<_, _> = fields
            .iter()
            .map(|&field| (field.to_owned(), body[field].clone()))
            .collect();
        send(request.json(&body))
    };
    for path in ["login", "register", "reset", "login", "login"] {
        assert_ne!(
            attempt(path, "192.0.2.1").await.status(),
            StatusCode::TOO_MANY_REQUESTS,
            "{path}"
        );
    }
    for path in ["login", "register", "reset"] {
        is_limited(attempt(path, "192.0.2.1").await).await;
    }
    assert_ne!(
        attempt("login", "192.0.2.2").await.status(),
        StatusCode::TOO_MANY_REQUESTS,
        "another address may"
    );
}

#[tokio::test]
async fn submissions_and_requests_are_limited_by_account() {
    let world = World::start(&["--submissions-per-minute=3", "--requests-per-minute=8"]).await;
    let (one, other) = (
        world.sign_in_as(Role::Learner).await,
        world.sign_in_as(Role::Learner).await,
    );
    let submit =
        |token: &str, path: &str| send(world.post(path).bearer_auth(token).json(&json!({})));
    for path in ["/api/v1/submissions", "/api/v1/runs", "/api/v1/submissions"] {
        assert_eq!(
            submit(&one.token, path).await.status(),
            StatusCode::ACCEPTED
        );
    }
    is_limited(submit(&one.token, "/api/v1/runs").await).await;
    assert_eq!(
        submit(&other.token, "/api/v1/submissions").await.status(),
        StatusCode::ACCEPTED
    );
    let me = || send(world.get("/api/v1/me").bearer_auth(&one.token));
    for _ in 0..4 {
        assert_eq!(me().await.status(), StatusCode::OK);
    }
    is_limited(me().await).await;
}

#[tokio::test]
async fn open_streams_are_limited_by_account() {
    let world = World::start(&["--streams-per-account=2"]).await;
    let (one, other) = (
        world.sign_in_as(Role::Learner).await,
        world.sign_in_as(Role::Learner).await,
    );
    let open = |token: &str| {
        send(
            world
                .post("/api/v1/runs")
                .bearer_auth(token)
                .header("accept", "text/event-stream")
                .json(&json!({})),
        )
    };
    let mut first = Sse::new(open(&one.token).await);
    let _second = Sse::new(open(&one.token).await);
    is_limited(open(&one.token).await).await;
    let _others = Sse::new(open(&other.token).await);
    assert_eq!(first.event().await.expect("an event").event, "accepted");
    drop(first);
    until("a stream that was left makes room", async || {
        let answer = open(&one.token).await;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
}
