//! A server on a free port, and a client that says exactly what it is told.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use serde_json::Value;
use service::{Listeners, Ops, Shutdown};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running service.
pub(crate) struct Server {
    pub(crate) api: SocketAddr,
    pub(crate) ops: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        Self::start_with(router, Ops::new("test"), Shutdown::manual()).await
    }

    pub(crate) async fn start_with(router: Router, ops: Ops, shutdown: Shutdown) -> Self {
        let listeners = Listeners::ephemeral().await.expect("free ports");
        let addresses = listeners.local_addrs().expect("they are bound");
        let served = tokio::spawn(service::serve(listeners, router, ops, shutdown.clone()));
        Self {
            api: addresses.api,
            ops: addresses.ops,
            shutdown,
            served,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api)
    }

    pub(crate) fn ops_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.ops)
    }

    /// Returns when it has ended.
    pub(crate) async fn ended(self) {
        let served = timeout(PATIENCE, self.served).await.expect("it ends");
        served.expect("it did not panic").expect("it served");
    }
}

/// A client of HTTP/1, or of HTTP/2 without asking first.
pub(crate) fn http(version_2: bool) -> reqwest::Client {
    service::tls::install_once();
    let builder = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    let builder = if version_2 {
        builder.http2_prior_knowledge()
    } else {
        builder.http1_only()
    };
    builder.build().expect("a client")
}

/// An answer as it came over the socket.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) fn problem(&self) -> Value {
        assert!(
            self.head
                .to_ascii_lowercase()
                .contains("content-type: application/problem+json"),
            "{self:?}"
        );
        let problem: Value = serde_json::from_str(&self.body).expect("a problem is JSON");
        check_problem(&problem, self.status);
        problem
    }
}

/// Sends bytes as they are, and reads until the server closes the connection.
pub(crate) async fn send_raw(address: SocketAddr, bytes: &[u8]) -> Raw {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("all is taken");
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the connection is closed")
        .expect("the connection is not reset");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {answer:?}"));
    Raw {
        status: head[9..12].parse().expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Reads a problem, and checks that it has all that every problem has.
pub(crate) async fn problem(answer: reqwest::Response) -> Value {
    let status = answer.status().as_u16();
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("text").to_owned())
    };
    assert_eq!(
        header("content-type").as_deref(),
        Some("application/problem+json")
    );
    let request_id = header("x-request-id");
    let problem: Value = answer.json().await.expect("a problem is JSON");
    check_problem(&problem, status);
    assert_eq!(problem["request_id"].as_str(), request_id.as_deref());
    problem
}

fn check_problem(problem: &Value, status: u16) {
    assert_eq!(problem["status"], status, "{problem}");
    for field in ["type", "title", "detail", "instance", "request_id"] {
        let text = problem[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field}: {problem}"));
        assert!(!text.is_empty(), "{field}: {problem}");
    }
}

/// The stable word of a problem.
pub(crate) fn word(problem: &Value) -> &str {
    let kind = problem["type"].as_str().expect("a type");
    kind.rsplit('/').next().expect("a word")
}
