//! Whatever goes wrong is a problem.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Multipart},
    response::{Html, IntoResponse},
    routing::{get, post},
};
use http::{StatusCode, header::SET_COOKIE};
use serde::Deserialize;
use serde_json::{Value, json};
use service::{
    Problem,
    extract::{Json, Path, Query},
};
use uuid::Uuid;

use crate::support::{Server, http, problem, send_raw, word};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    #[expect(dead_code, reason = "only whether it parses matters")]
    code: String,
    #[expect(dead_code, reason = "only whether it parses matters")]
    tries: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[expect(dead_code, reason = "only whether it parses matters")]
    limit: Option<u8>,
}

fn router() -> Router {
    Router::new()
        .route(
            "/things/{id}",
            get(async |Path(id): Path<Uuid>| id.to_string()),
        )
        .route("/names/{name}", get(async |Path(name): Path<String>| name))
        .route("/things", get(async |_: Query<Page>| "ok"))
        .route(
            "/submissions",
            post(async |_: Json<Submission>| "ok").layer(DefaultBodyLimit::max(1024)),
        )
        .route(
            "/raw",
            post(async |_: String| "ok").layer(DefaultBodyLimit::max(1024)),
        )
        .route("/files", post(async |_: Multipart| "ok"))
        .route("/panic", get(panics))
        .route("/missing", get(async || Problem::not_found("question")))
        .route("/bare", get(async || StatusCode::IM_A_TEAPOT))
        .route(
            "/cookie",
            get(async || (StatusCode::CONFLICT, [(SET_COOKIE, "a=b")])),
        )
        .route(
            "/page",
            get(async || (StatusCode::NOT_FOUND, Html("<p>nothing here</p>"))),
        )
        .route(
            "/secret",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, "password=secret")),
        )
}

async fn panics() -> &'static str {
    panic!("password=secret")
}

async fn get_problem(path: &str) -> Value {
    let server = Server::start(router()).await;
    let answer = http(false).get(server.url(path)).send().await;
    problem(answer.expect("an answer")).await
}

async fn post_problem(path: &str, media: &str, body: impl Into<reqwest::Body>) -> Value {
    let server = Server::start(router()).await;
    let request = http(false)
        .post(server.url(path))
        .header("content-type", media);
    let answer = request.body(body).send().await;
    problem(answer.expect("an answer")).await
}

#[tokio::test]
async fn an_unknown_address_is_not_found() {
    let problem = get_problem("/nothing?token=secret").await;
    assert_eq!(
        (problem["status"].as_u64(), word(&problem)),
        (Some(404), "not-found")
    );
    assert_eq!(
        problem["instance"], "/nothing",
        "the query may hold a secret"
    );
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = Server::start(router()).await;
    let answer = http(false)
        .delete(server.url("/things"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["allow"], "GET,HEAD");
    let problem = problem(answer).await;
    assert_eq!(
        (problem["status"].as_u64(), word(&problem)),
        (Some(405), "invalid-request")
    );
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    assert_eq!(word(&get_problem("/things/7").await), "not-found");
}

#[tokio::test]
async fn a_path_or_query_that_is_no_text_is_refused() {
    for path in [
        "/names/a%00b",
        "/names/%ff",
        "/things?limit=%00",
        "/things?limit=%ff",
    ] {
        let problem = get_problem(path).await;
        assert_eq!(
            (problem["status"].as_u64(), word(&problem)),
            (Some(400), "invalid-request"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unknown_query_parameter_is_named() {
    let problem = get_problem("/things?limt=3").await;
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["errors"][0]["pointer"], "/limt");
    assert_eq!(problem["errors"][0]["code"], "unknown-field");
}

#[tokio::test]
async fn a_body_of_another_type_is_unsupported() {
    for path in ["/submissions", "/files"] {
        let problem = post_problem(path, "text/csv", "a;b").await;
        let expected = if path == "/files" { 400 } else { 415 };
        assert_eq!(problem["status"], expected, "{path}");
    }
    let problem = post_problem("/submissions", "text/csv", "a;b").await;
    assert_eq!(word(&problem), "unsupported-media-type");
}

#[tokio::test]
async fn a_body_that_is_no_json_or_no_text_is_malformed() {
    let bodies: [&[u8]; 4] = [
        b"{\"code\":",
        b"{\"code\": \"\xff\"}",
        b"{\"code\": \"\\u0000\"}",
        b"",
    ];
    for body in bodies {
        let problem = post_problem("/submissions", "application/json", body).await;
        assert_eq!(
            (problem["status"].as_u64(), word(&problem)),
            (Some(400), "invalid-request")
        );
    }
}

#[tokio::test]
async fn a_body_that_is_wrong_is_told_where() {
    let body = json!({"code": 1, "tries": 1}).to_string();
    let problem = post_problem("/submissions", "application/json; charset=utf-8", body).await;
    assert_eq!(
        (problem["status"].as_u64(), word(&problem)),
        (Some(422), "invalid-request")
    );
    assert_eq!(problem["errors"][0]["pointer"], "/code");
    assert_eq!(problem["errors"][0]["code"], "invalid-type");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_even_if_it_is_sent_whole() {
    let body = vec![b'a'; 10 * 1024 * 1024];
    for path in ["/submissions", "/raw"] {
        let problem = post_problem(path, "application/json", body.clone()).await;
        assert_eq!(
            (problem["status"].as_u64(), word(&problem)),
            (Some(413), "payload-too-large")
        );
    }
    // A client that reads nothing before it has sent everything.
    let server = Server::start(router()).await;
    let head = format!(
        "POST /submissions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = send_raw(server.api, &[head.as_bytes(), &body].concat()).await;
    assert_eq!(
        (answer.status, word(&answer.problem())),
        (413, "payload-too-large")
    );
}

#[tokio::test]
async fn a_panic_is_internal_and_tells_nothing() {
    let server = Server::start(router()).await;
    let answer = http(false)
        .get(server.url("/panic"))
        .send()
        .await
        .expect("an answer");
    let problem = problem(answer).await;
    assert_eq!(
        (problem["status"].as_u64(), word(&problem)),
        (Some(500), "internal")
    );
    assert!(!problem.to_string().contains("secret"));
    // The server goes on.
    let answer = http(false)
        .get(server.url("/things"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_error_without_a_problem_gets_one_and_keeps_its_headers() {
    assert_eq!(get_problem("/bare").await["status"], 418);
    assert_eq!(get_problem("/missing").await["instance"], "/missing");
    assert!(!get_problem("/secret").await.to_string().contains("secret="));
    let server = Server::start(router()).await;
    let answer = http(false)
        .get(server.url("/cookie"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.headers()["set-cookie"], "a=b");
    assert_eq!(word(&problem(answer).await), "conflict");
}

#[tokio::test]
async fn an_answer_to_head_has_no_body() {
    let server = Server::start(router()).await;
    let answer = http(false)
        .head(server.url("/nothing"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.bytes().await.expect("a body").is_empty());
}

#[tokio::test]
async fn a_page_for_people_stays_a_page() {
    let server = Server::start(router()).await;
    let answer = http(false)
        .get(server.url("/page"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text().await.expect("a body"), "<p>nothing here</p>");
}

#[tokio::test]
async fn a_large_body_of_an_error_is_not_waited_for() {
    async fn endless() -> impl IntoResponse {
        (
            StatusCode::BAD_GATEWAY,
            Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>()),
        )
    }
    let server = Server::start(Router::new().route("/", get(endless))).await;
    let answer = http(false)
        .get(server.url("/"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(word(&problem(answer).await), "unavailable");
}
