//! What clients do wrong, by accident or on purpose: each gets a problem that says what to do, and loses nothing.

use e2e::{Person, Product};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use crate::streams::{ECHO, any_question};

/// Sends it and checks the problem's status and word.
async fn refused(request: RequestBuilder, status: u16, word: &str) -> Value {
    let answer = request.send().await.expect("the server answers");
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let (got, text) = (
        answer.status().as_u16(),
        answer.text().await.expect("a body"),
    );
    assert_eq!(got, status, "{text}");
    let kind = kind.and_then(|kind| kind.to_str().map(str::to_owned).ok());
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{text}");
    let problem: Value = serde_json::from_str(&text).expect("JSON");
    let found = problem["type"].as_str().expect("a type").rsplit('/').next();
    assert_eq!(found, Some(word), "{text}");
    for field in ["title", "detail", "instance", "request_id"] {
        assert!(problem[field].is_string(), "no {field}: {text}");
    }
    problem
}

fn submit(person: &Person, body: &Value) -> RequestBuilder {
    person.request(Method::POST, "/submissions").json(body)
}

fn raw(person: &Person, body: impl Into<reqwest::Body>) -> RequestBuilder {
    person
        .request(Method::POST, "/submissions")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_bodies_that_are_none() {
    let product = Product::shared().await;
    let learner = product.newcomer("Bodies").await;
    for broken in [
        &b"{\"question\": "[..],
        b"",
        b"\xff\xfe",
        b"{\"code\": \"\xff\"}",
    ] {
        refused(raw(&learner, broken.to_vec()), 400, "invalid-request").await;
    }
    for wrong in [
        json!([]),
        json!(1),
        json!({}),
        json!({"question": 1, "language": "python", "code": "x"}),
    ] {
        refused(submit(&learner, &wrong), 422, "invalid-request").await;
    }
    let plain = learner.request(Method::POST, "/submissions").body("code");
    refused(plain, 415, "unsupported-media-type").await;
    let large = "x".repeat(10 << 20);
    let large = json!({"question": any_question(), "language": "python", "code": large});
    refused(submit(&learner, &large), 413, "payload-too-large").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_code_and_names_that_cannot_be() {
    let product = Product::shared().await;
    let learner = product.newcomer("Names").await;
    let question = any_question();
    let body = |question: &str, language: &str, code: &str| json!({"question": question, "language": language, "code": code});
    let cobol = submit(&learner, &body(&question, "cobol", ECHO));
    let problem = refused(cobol, 422, "invalid-request").await;
    assert!(problem.to_string().contains("language"), "{problem}");
    let nothing = submit(&learner, &body("no-such-question", "python", ECHO));
    refused(nothing, 404, "not-found").await;
    let nul = submit(&learner, &body(&question, "python", "print('\0')"));
    refused(nul, 400, "invalid-request").await;
    let large = submit(&learner, &body(&question, "python", &"#".repeat(65 * 1024)));
    let answer = large.send().await.expect("an answer");
    assert!(
        [413, 422].contains(&answer.status().as_u16()),
        "{}",
        answer.status()
    );
    let empty = submit(&learner, &body(&question, "python", ""));
    refused(empty, 422, "invalid-request").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_headers_without_end() {
    let product = Product::shared().await;
    let learner = product.newcomer("Headers").await;
    let request = learner
        .request(Method::GET, "/me")
        .header("x-much", "y".repeat(1_000_000));
    refused(request, 431, "payload-too-large").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_tokens_that_are_not_ours() {
    let product = Product::shared().await;
    let learner = product.newcomer("Tokens").await;
    let parts: Vec<&str> = learner.token.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    let forged = format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86));
    let foreign = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl".to_owned();
    for token in [
        none,
        forged,
        foreign,
        "cm_pat_nothing".to_owned(),
        "x".to_owned(),
    ] {
        let mut stranger = learner.clone();
        stranger.token = token;
        refused(stranger.request(Method::GET, "/me"), 401, "unauthenticated").await;
    }
    let nobody = Person::nobody(product.url());
    let in_url = format!("/me?access_token={}", learner.token);
    refused(nobody.request(Method::GET, &in_url), 401, "unauthenticated").await;
    let internal = format!("{}/internal/log", product.url());
    refused(learner.request(Method::POST, &internal), 404, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_submission_is_not_there() {
    let product = Product::shared().await;
    let (one, other) = (
        product.newcomer("One").await,
        product.newcomer("Other").await,
    );
    let id = one.submit(&any_question(), "python", ECHO).await;
    for path in ["", "/code", "/events"] {
        let path = format!("/submissions/{id}{path}");
        refused(other.request(Method::GET, &path), 404, "not-found").await;
    }
    let cancel = other.request(Method::POST, &format!("/submissions/{id}/cancel"));
    refused(cancel, 404, "not-found").await;
    let nothing = one.request(Method::GET, "/submissions/not-an-id");
    refused(nothing, 404, "not-found").await;
    refused(one.request(Method::GET, "/nothing-here"), 404, "not-found").await;
    refused(one.request(Method::DELETE, "/me"), 405, "invalid-request").await;
}
