//! What still works when Kafka or Postgres does not.

use std::sync::Arc;

use contract::{EventBody, EventKey, Role, StreamEvent, SubmissionId, event::Done};
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::support::{PASSWORD, World, problem, send, sse::Sse, until};

#[tokio::test]
async fn without_kafka_streams_come_from_the_log() {
    let world = World::start(&["--kafka-brokers=127.0.0.1:1"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let request = world
        .post("/api/v1/runs")
        .bearer_auth(&person.token)
        .header("accept", "text/event-stream");
    let answer = send(request.json(&json!({}))).await;
    let location = answer.headers()["location"]
        .to_str()
        .expect("text")
        .to_owned();
    let submission: SubmissionId = location
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id");
    let mut stream = Sse::new(answer);
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
    let key = EventKey {
        judgement: 1,
        attempt: 1,
        seq: 1,
    };
    world.execute.store(&StreamEvent {
        submission,
        key,
        follows: None,
        body: EventBody::Done(Done {}),
    });
    assert_eq!(stream.rest().await, ["1.1.1 done"]);
    let request = world
        .get(&format!("{location}/events"))
        .bearer_auth(&person.token);
    assert_eq!(Sse::new(send(request).await).rest().await.len(), 2);
}

/// A way to the database that can be broken and mended.
struct Wire {
    address: std::net::SocketAddr,
    broken: watch::Sender<bool>,
}

impl Wire {
    fn new(target: String) -> Arc<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be polled");
        let listener = TcpListener::from_std(listener).expect("a listener");
        let (broken, is_broken) = watch::channel(false);
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut is_broken, target) = (is_broken.clone(), target.clone());
                tokio::spawn(async move {
                    if *is_broken.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect(target).await.expect("the database");
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = is_broken.wait_for(|broken| *broken) => {}
                    }
                });
            }
        });
        Arc::new(Self { address, broken })
    }
}

#[tokio::test]
async fn without_the_database_nobody_signs_in_until_it_is_back() {
    let mut wire = None;
    let world = World::start_behind(&[], |url| {
        let (credentials, rest) = url.split_once('@').expect("an address");
        let (target, name) = rest.split_once('/').expect("a database");
        let made = Wire::new(target.to_owned());
        let url = format!("{credentials}@{}/{name}", made.address);
        wire = Some(made);
        url
    })
    .await;
    let wire = wire.expect("it was made");
    let person = world.sign_in_as(Role::Learner).await;
    wire.broken.send_replace(true);
    let answer = world.log_in(&person.email, PASSWORD).await;
    assert!(answer.headers().contains_key("retry-after"));
    problem(answer, 503, "unavailable").await;
    let cookie = format!("codementor_refresh={}", person.refresh);
    let refresh = || send(world.post("/api/v1/auth/refresh").header("cookie", &cookie));
    problem(refresh().await, 503, "unavailable").await;
    problem(
        send(world.get("/api/v1/me").bearer_auth(&person.token)).await,
        503,
        "unavailable",
    )
    .await;
    until("it is not ready", async || {
        let answer = send(world.client.get(format!("http://{}/readyz", world.ops))).await;
        (answer.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    wire.broken.send_replace(false);
    until("it is back", async || {
        (refresh().await.status() == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(
        send(world.get("/api/v1/me").bearer_auth(&person.token))
            .await
            .status(),
        StatusCode::OK
    );
}
