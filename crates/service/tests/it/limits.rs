//! What is too large or no HTTP at all is refused with a problem, and costs little.

use axum::{Router, extract::ConnectInfo, routing::get};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Server, http, problem, send_raw, word};

const GREETING: &str = "GET / HTTP/1.1\r\nhost: a\r\n";

fn router() -> Router {
    Router::new().route("/", get(async || "ok"))
}

#[tokio::test]
async fn a_megabyte_of_headers_is_refused_with_a_problem() {
    let server = Server::start(router()).await;
    let filler = "a".repeat(1024 * 1024);
    let answer = send_raw(
        server.api,
        format!("{GREETING}x-filler: {filler}\r\n\r\n").as_bytes(),
    )
    .await;
    assert_eq!(
        (answer.status, word(&answer.problem())),
        (431, "payload-too-large")
    );
    assert!(answer.head.contains("connection: close"));
}

#[tokio::test]
async fn a_thousand_small_headers_are_refused_with_a_problem() {
    let server = Server::start(router()).await;
    let fillers = "x-filler: a\r\n".repeat(1000);
    let answer = send_raw(server.api, format!("{GREETING}{fillers}\r\n").as_bytes()).await;
    assert_eq!(
        (answer.status, word(&answer.problem())),
        (431, "payload-too-large")
    );
}

#[tokio::test]
async fn a_second_request_is_refused_as_the_first_would_be() {
    let server = Server::start(router()).await;
    let mut stream = TcpStream::connect(server.api).await.expect("it listens");
    stream
        .write_all(format!("{GREETING}\r\n").as_bytes())
        .await
        .expect("it is taken");
    let mut first = vec![0; 4096];
    let read = stream.read(&mut first).await.expect("an answer");
    assert!(String::from_utf8_lossy(&first[..read]).starts_with("HTTP/1.1 200 OK"));
    let filler = "a".repeat(1024 * 1024);
    let second = format!("{GREETING}x-filler: {filler}\r\n\r\n");
    stream
        .write_all(second.as_bytes())
        .await
        .expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(answer.contains("/problems/payload-too-large"), "{answer}");
}

#[tokio::test]
async fn an_endless_address_is_refused_with_a_problem() {
    let server = Server::start(router()).await;
    let path = "a".repeat(1024 * 1024);
    let answer = send_raw(
        server.api,
        format!("GET /{path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes(),
    )
    .await;
    assert!([414, 431].contains(&answer.status), "{answer:?}");
    answer.problem();
}

#[tokio::test]
async fn what_is_no_http_is_refused_with_a_problem() {
    let server = Server::start(router()).await;
    for nonsense in [
        "NONSENSE\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let answer = send_raw(server.api, nonsense.as_bytes()).await;
        assert_eq!(
            (answer.status, word(&answer.problem())),
            (400, "invalid-request"),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn a_megabyte_of_headers_is_refused_with_a_problem_over_http_2() {
    let server = Server::start(router()).await;
    let request = http(true)
        .get(server.url("/"))
        .header("x-filler", "a".repeat(1024 * 1024));
    let answer = request.send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (431, http::Version::HTTP_2)
    );
    assert_eq!(word(&problem(answer).await), "payload-too-large");
}

#[tokio::test]
async fn both_versions_of_http_are_served_and_know_who_asks() {
    let who = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string();
    let server = Server::start(Router::new().route("/", get(who))).await;
    for version_2 in [false, true] {
        let answer = http(version_2)
            .get(server.url("/"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.version() == http::Version::HTTP_2, version_2);
        assert_eq!(answer.text().await.expect("a body"), "127.0.0.1");
    }
}

#[tokio::test]
async fn a_body_that_looks_like_a_refusal_passes_as_it_is() {
    const BODY: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
    async fn streamed() -> axum::body::Body {
        let chunks = [Ok::<_, std::io::Error>("HTTP/1.1 200 OK\r\n\r\n"), Ok(BODY)];
        axum::body::Body::from_stream(futures::stream::iter(chunks))
    }
    let router = Router::new()
        .route("/whole", get(async || BODY))
        .route("/streamed", get(streamed));
    let server = Server::start(router).await;
    let client = http(false);
    for _ in 0..3 {
        let whole = client
            .get(server.url("/whole"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(whole.text().await.expect("a body"), BODY);
        let streamed = client
            .get(server.url("/streamed"))
            .send()
            .await
            .expect("an answer");
        assert!(streamed.text().await.expect("a body").ends_with(BODY));
    }
}
