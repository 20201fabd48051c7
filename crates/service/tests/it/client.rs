//! How services ask each other, and what they make of the answers.

use std::time::Duration;

use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};
use contract::{Account, AccountId, Locale, Role};
use futures::{StreamExt, stream};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{
    Client, ClientError, Kind, Problem,
    extract::{Json, Query},
    ndjson,
    token::{Caller, Minter, ServiceKey, TrustedKeys, Verifier},
};
use tokio::net::TcpListener;

use crate::support::Server;

#[derive(Clone, FromRef)]
struct State {
    verifier: Verifier,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    number: u32,
}

fn router(trusted: TrustedKeys) -> Router {
    let count = async || ndjson::response(stream::iter(0..3).map(|number| Item { number }));
    let broken = async || {
        let begin = stream::iter([Ok("{\"number\":1}\n{\"num")]);
        // Once the beginning is out.
        let end = stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::other("gone"))
        });
        axum::body::Body::from_stream(begin.chain(end))
    };
    Router::new()
        .route(
            "/who",
            get(async |caller: Caller| {
                Json((caller.iss, caller.account.map(|account| account.name)))
            }),
        )
        .route("/echo", post(async |_: Caller, item: Json<Item>| item))
        .route("/query", get(async |Query(item): Query<Item>| Json(item)))
        .route("/missing", get(async || Problem::not_found("question")))
        .route("/full", get(async || Problem::overloaded("Full.", 9)))
        .route("/rubbish", get(async || "rubbish"))
        .route("/teapot", get(async || StatusCode::IM_A_TEAPOT))
        .route("/slow", get(std::future::pending::<()>))
        .route("/count", get(count))
        .route("/broken", get(broken))
        .with_state(State {
            verifier: Verifier::new("question", trusted),
        })
}

async fn start() -> (Server, Client) {
    let key = ServiceKey::generate("execute");
    let server = Server::start(router(TrustedKeys::from_keys([&key]))).await;
    let client = Client::new(&server.url("/"), "question", Minter::new(key)).expect("a client");
    (server, client)
}

fn account() -> Account {
    Account {
        id: AccountId::new(),
        role: Role::Learner,
        locale: Locale::En,
        name: "지수".to_owned(),
    }
}

#[tokio::test]
async fn asks_in_its_own_name_or_on_behalf_of_an_account() {
    let (_server, client) = start().await;
    let own: (String, Option<String>) = client.get("/who").json().await.expect("an answer");
    assert_eq!(own, ("execute".to_owned(), None));
    let request = client.get("/who").account(&account());
    let on_behalf: (String, Option<String>) = request.json().await.expect("an answer");
    assert_eq!(on_behalf, ("execute".to_owned(), Some("지수".to_owned())));
}

#[tokio::test]
async fn sends_bodies_and_queries() {
    let (_server, client) = start().await;
    let item = Item { number: 7 };
    assert_eq!(
        client
            .post("/echo")
            .body(&item)
            .json::<Item>()
            .await
            .expect("an answer"),
        item
    );
    assert_eq!(
        client
            .get("/query")
            .query(&item)
            .json::<Item>()
            .await
            .expect("an answer"),
        item
    );
}

#[tokio::test]
async fn without_a_key_it_shows_only_what_it_was_given() {
    let (server, _) = start().await;
    let client = Client::without_key(&server.url(""), "question").expect("a client");
    let error = client
        .get("/who")
        .bytes()
        .await
        .expect_err("nothing to show");
    assert_eq!(
        error.problem().map(Problem::kind),
        Some(Kind::Unauthenticated)
    );
    let error = client
        .get("/who")
        .bearer("x.y.z")
        .bytes()
        .await
        .expect_err("not a token");
    assert_eq!(
        error.problem().map(Problem::kind),
        Some(Kind::Unauthenticated)
    );
}

#[tokio::test]
async fn a_problem_comes_through_with_its_words() {
    let (_server, client) = start().await;
    let error = client.get("/missing").bytes().await.expect_err("a problem");
    assert!(!error.is_transient());
    let problem = Problem::from(error);
    assert_eq!(
        (problem.kind(), problem.status()),
        (Kind::NotFound, StatusCode::NOT_FOUND)
    );
    let error = client.get("/full").bytes().await.expect_err("a problem");
    assert!(error.is_transient());
    assert_eq!(Problem::from(error).retry_after_seconds(), Some(9));
}

#[tokio::test]
async fn a_refused_token_of_ours_is_our_fault_and_not_the_persons() {
    let (server, _) = start().await;
    let stranger = Minter::new(ServiceKey::generate("execute"));
    let client = Client::new(&server.url(""), "question", stranger).expect("a client");
    let error = client.get("/who").bytes().await.expect_err("a problem");
    assert_eq!(Problem::from(error).kind(), Kind::Internal);
}

#[tokio::test]
async fn an_answer_that_is_not_as_agreed_is_told_apart() {
    let (_server, client) = start().await;
    let error = client
        .get("/rubbish")
        .json::<Item>()
        .await
        .expect_err("no JSON");
    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
    let error = client.get("/teapot").bytes().await.expect_err("no success");
    assert_eq!(
        error.problem().map(|problem| problem.status().as_u16()),
        Some(418)
    );
}

#[tokio::test]
async fn a_service_that_is_down_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = free.local_addr().expect("it is bound");
    drop(free);
    let client = Client::without_key(&format!("http://{address}"), "question").expect("a client");
    let error = client.get("/").bytes().await.expect_err("nobody listens");
    assert!(
        matches!(error, ClientError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(error.is_transient());
    let problem = Problem::from(error);
    assert_eq!(problem.kind(), Kind::Unavailable);
    assert!(problem.retry_after_seconds().is_some());
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_not_waited_for() {
    let (_server, client) = start().await;
    let request = client.get("/slow").timeout(Duration::from_millis(50));
    let error = request.bytes().await.expect_err("no answer");
    assert!(matches!(error, ClientError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn lines_come_one_by_one() {
    let (_server, client) = start().await;
    let lines = client
        .get("/count")
        .lines::<Item>()
        .await
        .expect("an answer");
    let numbers: Vec<u32> = lines
        .map(|item| item.expect("an item").number)
        .collect()
        .await;
    assert_eq!(numbers, [0, 1, 2]);
}

#[tokio::test]
async fn a_stream_that_breaks_in_a_line_is_an_error() {
    let (_server, client) = start().await;
    let lines = client
        .get("/broken")
        .lines::<Item>()
        .await
        .expect("an answer");
    let items: Vec<_> = lines.collect().await;
    assert!(matches!(items[0], Ok(Item { number: 1 })));
    assert!(
        matches!(items[1], Err(ClientError::Broken { .. })),
        "{items:?}"
    );
}
