//! A service ends in time, whatever its clients do, and drops nothing that it can finish.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    response::{Sse, sse::Event},
    routing::get,
};
use futures::{StreamExt, stream};
use service::{Ops, Shutdown};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use crate::support::{PATIENCE, Server, http};

/// A stream that says something once, and then never again, and never ends.
async fn endless() -> Sse<impl futures::Stream<Item = Result<Event, Infallible>>> {
    let first = stream::iter([Ok(Event::default().data("first"))]);
    Sse::new(first.chain(stream::pending()))
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || "ok"))
        .route("/events", get(endless))
}

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let server = Server::start(router()).await;
    let mut kept_alive = TcpStream::connect(server.api).await.expect("it listens");
    kept_alive
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("it is taken");
    let mut room = [0; 4096];
    assert!(kept_alive.read(&mut room).await.expect("an answer") > 0);
    let mut silent = TcpStream::connect(server.api).await.expect("it listens");
    let begun = Instant::now();
    server.shutdown.stop();
    for stream in [&mut kept_alive, &mut silent] {
        assert_eq!(stream.read(&mut room).await.expect("an end"), 0);
    }
    server.ended().await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it waited for idle connections"
    );
}

#[tokio::test]
async fn what_is_being_answered_is_finished() {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_handler, at_test) = ((asked.clone(), go_on.clone()), (asked, go_on));
    let handler = async move || {
        at_handler.0.notify_one();
        at_handler.1.notified().await;
        "finished"
    };
    let server = Server::start(Router::new().route("/", get(handler))).await;
    let url = server.url("/");
    let answer = tokio::spawn(http(false).get(&url).send());
    at_test.0.notified().await;
    server.shutdown.stop();
    refused(&url).await;
    at_test.1.notify_one();
    let answer = answer.await.expect("no panic").expect("an answer");
    assert_eq!(answer.text().await.expect("a body"), "finished");
    server.ended().await;
}

/// Returns when nobody listens any more.
async fn refused(url: &str) {
    let deadline = Instant::now() + PATIENCE;
    while http(false)
        .get(url)
        .timeout(Duration::from_millis(100))
        .send()
        .await
        .is_ok_and(|_| true)
    {
        assert!(Instant::now() < deadline, "it still listens");
    }
}

#[tokio::test]
async fn open_streams_are_cut_after_the_grace_time() {
    let shutdown = Shutdown::manual().with_grace(Duration::from_millis(300));
    let server = Server::start_with(router(), Ops::new("test"), shutdown).await;
    let mut stream = http(false)
        .get(server.url("/events"))
        .send()
        .await
        .expect("an answer");
    assert!(stream.chunk().await.expect("an event").is_some());
    let begun = Instant::now();
    server.shutdown.stop();
    server.ended().await;
    assert!(
        begun.elapsed() >= Duration::from_millis(300),
        "streams had no time to end"
    );
    assert!(
        !matches!(stream.chunk().await, Ok(Some(_))),
        "nothing more comes"
    );
}

#[tokio::test]
async fn open_streams_are_cut_at_the_hard_end() {
    for version_2 in [false, true] {
        let server = Server::start(router()).await;
        let mut stream = http(version_2)
            .get(server.url("/events"))
            .send()
            .await
            .expect("an answer");
        assert!(stream.chunk().await.expect("an event").is_some());
        server.shutdown.stop_now();
        server.ended().await;
    }
}

#[tokio::test]
async fn it_is_not_ready_while_it_ends() {
    let server = Server::start(router()).await;
    let mut stream = http(false)
        .get(server.url("/events"))
        .send()
        .await
        .expect("an answer");
    assert!(stream.chunk().await.expect("an event").is_some());
    server.shutdown.stop();
    let ready = http(false)
        .get(server.ops_url("/readyz"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.expect("a body").contains("ending"));
    let live = http(false)
        .get(server.ops_url("/livez"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        live.status(),
        200,
        "a restart would cut what is being finished"
    );
    drop(stream);
    server.ended().await;
}

#[tokio::test]
async fn an_event_is_sent_at_once_and_a_stream_has_no_time_limit_of_its_own() {
    let server = Server::start(router()).await;
    let mut stream = http(false)
        .get(server.url("/events"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(!stream.headers().contains_key("content-encoding"));
    let first = stream.chunk().await.expect("an event").expect("an event");
    assert_eq!(&first[..], b"data: first\n\n");
}
