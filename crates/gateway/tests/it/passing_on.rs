//! What services behind the gateway get of a request, and what clients get of their answers.

use contract::Role;
use futures::{StreamExt, stream};
use reqwest::{Body, Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::support::{World, behind::Asked, body, problem, send, text};

fn one(mut asked: Vec<Asked>) -> Asked {
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

#[tokio::test]
async fn each_prefix_reaches_its_service_with_a_token_of_ours() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Teacher).await;
    for (path, question) in [
        ("/api/v1/questions", true),
        ("/api/v1/questions/two-sum/tests/1?x=%41&y", true),
        ("/api/v1/submissions", false),
        ("/api/v1/submissions/1/code", false),
        ("/api/v1/runs/1", false),
        ("/api/v1/rejudges", false),
        ("/api/v1/batches/1/apply", false),
        ("/api/v1/usage", false),
        ("/api/v1/feed?after=1", false),
        ("/api/v1/dead-letters/1", false),
    ] {
        let test = Uuid::now_v7().to_string();
        let answer = send(
            world
                .get(path)
                .bearer_auth(&person.token)
                .header("x-test", &test),
        )
        .await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let (service, name) = if question {
            (&world.question, "question")
        } else {
            (&world.execute, "execute")
        };
        let asked = one(service.asked(&test));
        assert_eq!(asked.path_and_query, path);
        assert_eq!(
            (&asked.claims["iss"], &asked.claims["aud"]),
            (&json!("gateway"), &json!(name))
        );
        assert_eq!(asked.claims["account"]["id"], person.id.to_string());
        assert_eq!(asked.claims["account"]["role"], "teacher");
        assert!(
            !format!("{asked:?}").contains(&person.token),
            "the person's own token ends at the gateway"
        );
    }
}

#[tokio::test]
async fn nobody_reaches_a_service_but_for_the_languages() {
    let world = &World::shared().await;
    for path in [
        "/api/v1/questions",
        "/api/v1/submissions",
        "/api/v1/runs/1/events",
        "/api/v1/usage",
        "/api/v1/languages/x",
    ] {
        problem(send(world.get(path)).await, 401, "unauthenticated").await;
    }
    let test = Uuid::now_v7().to_string();
    let answer = send(world.get("/api/v1/languages").header("x-test", &test)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        one(world.execute.asked(&test)).claims["account"],
        json!(null)
    );
}

#[tokio::test]
async fn what_a_client_says_for_one_hop_or_in_our_name_is_dropped() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let test = Uuid::now_v7().to_string();
    let id = Uuid::now_v7().to_string();
    let request = world
        .get("/api/v1/questions")
        .bearer_auth(&person.token)
        .header("x-test", &test)
        .header("x-request-id", &id)
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .header("connection", "x-hop, content-type")
        .header("x-hop", "1")
        .header("te", "trailers")
        .header("proxy-connection", "keep-alive")
        .header("cookie", "a=b")
        .header("forwarded", "for=1.2.3.4")
        .header("x-forwarded-for", "1.2.3.4")
        .header("x-codementor-submission", Uuid::now_v7().to_string())
        .header("x-codementor-anything", "1")
        .header("accept-language", "ko")
        .header("content-type", "text/plain")
        .header("if-match", "\"3\"");
    let answer = send(request).await;
    assert_eq!(answer.headers()["x-request-id"], id);
    let headers = one(world.question.asked(&test)).headers;
    for dropped in [
        "x-hop",
        "te",
        "proxy-connection",
        "cookie",
        "forwarded",
        "x-forwarded-for",
        "x-codementor-submission",
        "x-codementor-anything",
    ] {
        assert!(!headers.contains_key(dropped), "{dropped}");
    }
    for (kept, value) in [
        ("accept-language", "ko"),
        ("if-match", "\"3\""),
        ("content-type", "text/plain"),
        ("x-request-id", &id),
    ] {
        assert_eq!(headers[kept], value);
    }
    let trace = headers["traceparent"].to_str().expect("text");
    assert!(
        trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{trace}"
    );
    assert!(
        !trace.contains("00f067aa0ba902b7"),
        "a span of its own: {trace}"
    );
}

#[tokio::test]
async fn an_answer_comes_back_without_what_is_ours() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let answer = send(
        world
            .get("/api/v1/questions/headers")
            .bearer_auth(&person.token),
    )
    .await;
    assert_eq!(answer.headers()["etag"], "\"7\"");
    assert_eq!(
        answer.headers()["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
    for dropped in ["x-codementor-secret", "set-cookie", "x-hop"] {
        assert!(!answer.headers().contains_key(dropped), "{dropped}");
    }
    assert_eq!(text(answer).await, "headers");
    let conflict = send(
        world
            .get("/api/v1/questions/conflict")
            .bearer_auth(&person.token),
    )
    .await;
    assert_eq!(conflict.status(), StatusCode::CONFLICT);
    assert_eq!(body(conflict).await["detail"], "it was changed meanwhile");
}

#[tokio::test]
async fn a_body_flows_through_up_to_its_limit() {
    let world = World::start(&["--max-body=1000000", "--max-upload=3000000"]).await;
    let person = world.sign_in_as(Role::Teacher).await;
    let put = |path: &str, body: Body| {
        send(
            world
                .request(Method::PUT, path)
                .bearer_auth(&person.token)
                .body(body),
        )
    };
    // In pieces, without a length that could be looked at.
    let pieces = |count: usize| {
        let piece = vec![b'x'; 10_000];
        Body::wrap_stream(stream::iter(
            (0..count).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
        ))
    };
    for (path, pieces_sent, status) in [
        ("/api/v1/questions/1/languages/c/driver", 100, 200),
        ("/api/v1/questions/1/languages/c/driver", 101, 413),
        ("/api/v1/questions/1/tests", 300, 200),
        ("/api/v1/questions/1/tests/1", 301, 413),
        ("/api/v1/submissions/1", 101, 413),
    ] {
        let answer = put(path, pieces(pieces_sent)).await;
        assert_eq!(answer.status(), status, "{path} {pieces_sent}");
        if status == 200 {
            assert_eq!(body(answer).await["bytes"], pieces_sent * 10_000);
        } else {
            problem(answer, 413, "payload-too-large").await;
        }
    }
    let told = put("/api/v1/submissions/1", vec![b'x'; 1_000_001].into()).await;
    problem(told, 413, "payload-too-large").await;
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable() {
    let flags = ["--execute-url=http://127.0.0.1:1"];
    let world = World::start(&flags).await;
    let person = world.sign_in_as(Role::Learner).await;
    for (method, path) in [
        (Method::GET, "/api/v1/submissions"),
        (Method::POST, "/api/v1/submissions"),
        (
            Method::GET,
            "/api/v1/submissions/0198c0de-0000-7000-8000-000000000000/events",
        ),
    ] {
        let answer = send(
            world
                .request(method, path)
                .bearer_auth(&person.token)
                .body("{}"),
        )
        .await;
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        problem(answer, 503, "unavailable").await;
    }
    assert_eq!(
        send(world.get("/api/v1/questions").bearer_auth(&person.token))
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let world = World::start(&["--upstream-timeout-ms=500"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let answer = send(
        world
            .get("/api/v1/questions/never")
            .bearer_auth(&person.token),
    )
    .await;
    problem(answer, 504, "unavailable").await;
    let slow = send(
        world
            .get("/api/v1/questions/slow")
            .bearer_auth(&person.token),
    )
    .await;
    assert_eq!(text(slow).await, "slow");
    let stalls = send(
        world
            .get("/api/v1/questions/stalls")
            .bearer_auth(&person.token),
    )
    .await;
    assert_eq!(stalls.status(), StatusCode::OK);
    let mut body = stalls.bytes_stream();
    assert_eq!(body.next().await.expect("a part").expect("a part"), "begun");
    body.next()
        .await
        .expect("a broken end")
        .expect_err("not as if it were whole");
}

#[tokio::test]
async fn a_service_that_refuses_us_is_not_the_persons_fault() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let answer = send(
        world
            .get("/api/v1/questions/refuses-us")
            .bearer_auth(&person.token),
    )
    .await;
    problem(answer, 500, "internal").await;
}
