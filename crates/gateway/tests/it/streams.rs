//! Streams: from a submission's receipt to its end, whatever happens to events and connections on the way.

use contract::{
    EventBody, EventKey, Role, StreamEvent, SubmissionId,
    event::{Compiled, Done, JudgingStarted},
};
use futures::future::join_all;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use crate::support::{
    Person, World,
    behind::{Submission, accepted},
    body, problem, send,
    sse::Sse,
};

fn event(submission: SubmissionId, seq: u32, body: EventBody) -> StreamEvent {
    let key = EventKey {
        judgement: 1,
        attempt: 1,
        seq,
    };
    StreamEvent {
        submission,
        key,
        follows: None,
        body,
    }
}

/// A judging in so many steps, the last one terminal.
fn judging(submission: SubmissionId, steps: u32) -> Vec<StreamEvent> {
    let start = JudgingStarted {
        attempt: 1,
        tests: 0,
    };
    let compiled = Compiled {
        ok: true,
        cached: false,
        time_ms: 1,
        log: "<solution>:1\nx".to_owned(),
    };
    (1..=steps)
        .map(|seq| match seq {
            1 => event(submission, seq, EventBody::Judging(start)),
            last if last == steps => event(submission, seq, EventBody::Done(Done {})),
            _ => event(submission, seq, EventBody::Compiled(compiled.clone())),
        })
        .collect()
}

fn submit(world: &World, person: &Person) -> RequestBuilder {
    world
        .post("/api/v1/submissions")
        .bearer_auth(&person.token)
        .json(&json!({ "code": "x" }))
}

fn id_of(answer: &Response) -> SubmissionId {
    let location = answer.headers()["location"].to_str().expect("text");
    location
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id")
}

async fn open(world: &World, person: &Person) -> (SubmissionId, Sse) {
    let answer = send(submit(world, person).header("accept", "text/event-stream")).await;
    (id_of(&answer), Sse::new(answer))
}

fn events(world: &World, person: &Person, id: SubmissionId) -> RequestBuilder {
    world
        .get(&format!("/api/v1/submissions/{id}/events"))
        .bearer_auth(&person.token)
}

/// A submission of the person in that partition, with its receipt.
fn known(world: &World, person: &Person, partition: i32) -> SubmissionId {
    let id = SubmissionId::new();
    let submission = Submission {
        owner: json!(person.id),
        partition,
        log: vec![accepted(id)],
        position: None,
    };
    world.execute.know(id, submission);
    id
}

#[tokio::test]
async fn a_submission_is_answered_with_202_or_with_its_stream() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let answer = send(submit(world, &person)).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(
        !answer
            .headers()
            .contains_key("x-codementor-reply-partition")
    );
    let id = id_of(&answer);
    assert_eq!(body(answer).await["id"], id.to_string());

    let (id, mut stream) = open(world, &person).await;
    assert_eq!(stream.frame().await.expect("a frame").text, "retry: 1000");
    let first = stream.event().await.expect("an event");
    assert_eq!(
        (first.event.as_str(), first.id.as_str()),
        ("accepted", "1.0.1")
    );
    let data: serde_json::Value = serde_json::from_str(&first.data).expect("one line of JSON");
    assert_eq!(data["submission"], id.to_string());
    assert_eq!(data["language"], "python");

    let refused = submit(world, &person)
        .header("accept", "text/event-stream")
        .body(r#"{"refuse":1}"#);
    assert_eq!(send(refused).await.status(), 422);
}

#[tokio::test]
async fn events_come_through_kafka_as_they_are_made() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (id, mut stream) = open(world, &person).await;
    let partition = world.execute.partition(id);
    assert_eq!(stream.event().await.expect("an event").id, "1.0.1");
    let reads = world.execute.log_reads().len();
    for event in judging(id, 4) {
        world.produce(&producer, partition, &event).await;
        // Doubled deliveries are shown once.
        world.produce(&producer, partition, &event).await;
        let shown = stream.event().await.expect("an event");
        assert_eq!(shown.id, event.key.to_string());
    }
    assert_eq!(
        stream.rest().await,
        Vec::<String>::new(),
        "it ends behind the terminal event"
    );
    assert!(
        world.execute.log_reads().len() - reads <= 4,
        "the slow net at most"
    );
}

#[tokio::test]
async fn what_kafka_loses_comes_from_the_log() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (id, mut stream) = open(world, &person).await;
    let partition = world.execute.partition(id);
    assert_eq!(stream.event().await.expect("an event").id, "1.0.1");
    let all = judging(id, 6);
    world.produce(&producer, partition, &all[0]).await;
    assert_eq!(stream.event().await.expect("an event").id, "1.1.1");
    // The second is lost: the third shows that something is missing, and waits.
    world.produce(&producer, partition, &all[2]).await;
    world.execute.store(&all[0]);
    world.execute.store(&all[1]);
    for id in ["1.1.2", "1.1.3"] {
        assert_eq!(stream.event().await.expect("an event").id, id);
    }
    // The end is lost whole: the slow net finds it.
    for event in &all[2..] {
        world.execute.store(event);
    }
    assert_eq!(
        stream.rest().await,
        ["1.1.4 compiled", "1.1.5 compiled", "1.1.6 done"]
    );
}

#[tokio::test]
async fn a_stream_is_resumed_in_the_middle() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (id, mut stream) = open(world, &person).await;
    let partition = world.execute.partition(id);
    let all = judging(id, 5);
    for event in &all[..2] {
        world.produce(&producer, partition, event).await;
        world.execute.store(event);
    }
    let mut last = String::new();
    for _ in 0..3 {
        last = stream.event().await.expect("an event").id;
    }
    assert_eq!(last, "1.1.2");
    drop(stream);
    for event in &all[2..4] {
        world.produce(&producer, partition, event).await;
        world.execute.store(event);
    }
    let mut resumed =
        Sse::new(send(events(world, &person, id).header("last-event-id", &last)).await);
    assert_eq!(resumed.event().await.expect("an event").id, "1.1.3");
    world.produce(&producer, partition, &all[4]).await;
    assert_eq!(resumed.rest().await, ["1.1.4 compiled", "1.1.5 done"]);
}

#[tokio::test]
async fn any_replica_takes_over_any_stream() {
    let world = World::start(&["--instance=one"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (other, _, end) = world.another(&["--instance=two"]).await;
    for partition in 0..16 {
        let id = known(&world, &person, partition);
        let request = world
            .client
            .get(format!("{other}/api/v1/submissions/{id}/events"))
            .bearer_auth(&person.token);
        let mut stream = Sse::new(send(request).await);
        assert_eq!(stream.event().await.expect("an event").id, "1.0.1");
        let reads = world.execute.log_reads().len();
        for event in judging(id, 3) {
            world.produce(&producer, partition, &event).await;
        }
        assert_eq!(
            stream.rest().await,
            ["1.1.1 judging", "1.1.2 compiled", "1.1.3 done"]
        );
        assert_eq!(
            world.execute.log_reads().len(),
            reads,
            "all came through Kafka"
        );
    }
    end.stop_now();
}

#[tokio::test]
async fn a_late_reader_loses_nothing_between_log_and_kafka() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let all: Vec<_> = {
        let id = known(world, &person, 3);
        judging(id, 200)
    };
    let id = all[0].submission;
    let producing = async {
        for event in &all {
            world.produce(&producer, 3, event).await;
            world.execute.store(event);
        }
    };
    let reading = async {
        let mut readers = Vec::new();
        for _ in 0..10 {
            let answer = send(events(world, &person, id)).await;
            readers.push(async move { Sse::new(answer).rest().await });
            tokio::task::yield_now().await;
        }
        join_all(readers).await
    };
    let ((), read) = tokio::join!(producing, reading);
    let expected: Vec<_> = std::iter::once("1.0.1 accepted".to_owned())
        .chain(
            all.iter()
                .map(|event| format!("{} {}", event.key, event.body.name())),
        )
        .collect();
    for seen in read {
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_finished_submission_is_replayed_whole_and_ends() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let id = known(world, &person, 0);
    for event in judging(id, 3) {
        world.execute.store(&event);
    }
    let whole = [
        "1.0.1 accepted",
        "1.1.1 judging",
        "1.1.2 compiled",
        "1.1.3 done",
    ];
    for (last, expected) in [
        (None, &whole[..]),
        (Some("1.1.1"), &whole[2..]),
        (Some("1.1.3"), &[]),
        (Some("1.9.9"), &whole),
        (Some("7.1.1"), &whole),
        (Some("rubbish"), &whole),
        (Some("99999999999999999999"), &whole),
        (Some(""), &whole),
    ] {
        let mut request = events(world, &person, id);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        assert_eq!(
            Sse::new(send(request).await).rest().await,
            expected,
            "{last:?}"
        );
    }
}

#[tokio::test]
async fn another_judgement_is_a_stream_of_its_own() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let id = known(world, &person, 5);
    let second: Vec<_> = judging(id, 3)
        .into_iter()
        .map(|event| StreamEvent {
            key: EventKey {
                judgement: 2,
                ..event.key
            },
            ..event
        })
        .collect();
    let path = format!("/api/v1/submissions/{id}/events?judgement=2");
    let mut stream = Sse::new(send(world.get(&path).bearer_auth(&person.token)).await);
    for event in judging(id, 3).iter().chain(&second) {
        world.produce(&producer, 5, event).await;
    }
    assert_eq!(
        stream.rest().await,
        ["2.1.1 judging", "2.1.2 compiled", "2.1.3 done"]
    );
    for bad in ["judgement=x", "judgement=-1", "from=1"] {
        let request = world
            .get(&format!("/api/v1/submissions/{id}/events?{bad}"))
            .bearer_auth(&person.token);
        assert!(send(request).await.status().is_client_error(), "{bad}");
    }
}

#[tokio::test]
async fn a_stream_of_somebody_else_is_not_there() {
    let world = &World::shared().await;
    let (owner, other) = (
        world.sign_in_as(Role::Learner).await,
        world.sign_in_as(Role::Learner).await,
    );
    let id = known(world, &owner, 0);
    problem(send(events(world, &other, id)).await, 404, "not-found").await;
    problem(
        send(events(world, &owner, SubmissionId::new())).await,
        404,
        "not-found",
    )
    .await;
    let path = "/api/v1/submissions/not-an-id/events";
    problem(
        send(world.get(path).bearer_auth(&owner.token)).await,
        404,
        "not-found",
    )
    .await;
    problem(
        send(world.get(&format!("/api/v1/submissions/{id}/events"))).await,
        401,
        "unauthenticated",
    )
    .await;
}

#[tokio::test]
async fn a_repeated_submission_is_the_stream_of_the_first() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let key = Uuid::now_v7().to_string();
    let again = || {
        send(
            submit(world, &person)
                .header("accept", "text/event-stream")
                .header("idempotency-key", &key),
        )
    };
    let answer = again().await;
    let id = id_of(&answer);
    let mut first = Sse::new(answer);
    assert_eq!(first.event().await.expect("an event").id, "1.0.1");
    let answer = again().await;
    assert_eq!(id_of(&answer), id);
    let mut second = Sse::new(answer);
    let producer = world.producer();
    for event in judging(id, 2) {
        world
            .produce(&producer, world.execute.partition(id), &event)
            .await;
        world.execute.store(&event);
    }
    assert_eq!(first.rest().await, ["1.1.1 judging", "1.1.2 done"]);
    assert_eq!(
        second.rest().await,
        ["1.0.1 accepted", "1.1.1 judging", "1.1.2 done"]
    );
    assert_eq!(
        Sse::new(again().await).rest().await.len(),
        3,
        "finished: replayed whole"
    );
}

#[tokio::test]
async fn two_tabs_see_the_same() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let (id, mut first) = open(world, &person).await;
    let mut second = Sse::new(send(events(world, &person, id)).await);
    let producer = world.producer();
    for event in judging(id, 5) {
        world
            .produce(&producer, world.execute.partition(id), &event)
            .await;
    }
    let (first, second) = (first.rest().await, second.rest().await);
    assert_eq!(first, second);
    assert_eq!(first.len(), 6);
}

#[tokio::test]
async fn who_waits_is_told_the_position() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let (id, mut stream) = open(world, &person).await;
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
    world.execute.set_position(id, Some(3));
    let queued = loop {
        let frame = stream.frame().await.expect("a frame");
        if frame.event == "queued" && frame.data != r#"{"position":1}"# {
            break frame;
        }
    };
    assert_eq!(
        (queued.data.as_str(), queued.id.as_str()),
        (r#"{"position":3}"#, "")
    );
    world.execute.set_position(id, None);
}

#[tokio::test]
async fn attaches_at_about_the_same_time_share_a_read() {
    let world = World::start(&["--streams-per-account=0"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let ids: Vec<_> = (0..60).map(|_| known(&world, &person, 1)).collect();
    let answers = join_all(ids.iter().map(|&id| send(events(&world, &person, id)))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status() == StatusCode::OK)
    );
    let reads = world.execute.log_reads();
    // The slow net may have asked for some of them already.
    assert!(reads.iter().sum::<usize>() >= 60, "{reads:?}");
    assert!(reads.len() < 30, "{reads:?}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_read_later() {
    let world = World::start(&[]).await;
    let person = world.sign_in_as(Role::Learner).await;
    world.execute.take_log_away(true);
    // What exists can be asked for again; what was just accepted must not look as if it were not.
    let id = known(&world, &person, 0);
    problem(send(events(&world, &person, id)).await, 503, "unavailable").await;
    let (_, mut stream) = open(&world, &person).await;
    assert_eq!(stream.frame().await.expect("a hint").text, "retry: 1000");
    world.execute.take_log_away(false);
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
}

#[tokio::test]
async fn a_stream_outlives_its_token() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let (id, mut stream) = open(world, &person).await;
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
    let log_out = world
        .post("/api/v1/auth/logout")
        .header("cookie", format!("codementor_refresh={}", person.refresh));
    assert_eq!(send(log_out).await.status(), StatusCode::NO_CONTENT);
    problem(
        send(events(world, &person, id)).await,
        401,
        "unauthenticated",
    )
    .await;
    let producer = world.producer();
    for event in judging(id, 2) {
        world
            .produce(&producer, world.execute.partition(id), &event)
            .await;
    }
    assert_eq!(stream.rest().await.len(), 2);
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_after_whole_events_and_resumes() {
    const EVENTS: u32 = 300;
    let world = World::start(&[]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let id = known(&world, &person, 2);
    let log = "x".repeat(100_000);
    let all: Vec<_> = (1..=EVENTS)
        .map(|seq| {
            let log = log.clone();
            let body = match seq {
                1 => EventBody::Judging(JudgingStarted {
                    attempt: 1,
                    tests: 0,
                }),
                EVENTS => EventBody::Done(Done {}),
                _ => EventBody::Compiled(Compiled {
                    ok: true,
                    cached: false,
                    time_ms: 1,
                    log,
                }),
            };
            event(id, seq, body)
        })
        .collect();
    let address = world.url.strip_prefix("http://").expect("an address");
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    let head = format!(
        "GET /api/v1/submissions/{id}/events HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        person.token
    );
    socket.write_all(head.as_bytes()).await.expect("it is sent");
    // Its first frames have come, and wait in the socket.
    socket.readable().await.expect("it is open");
    let producer = world.producer();
    let producing = async {
        for event in &all {
            world.execute.store(event);
            world.produce(&producer, 2, event).await;
        }
    };
    // Another one keeps up, and comes back when it does not; when it has seen the end, the hub has offered all to both.
    let reading = async {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|id| *id != format!("1.1.{EVENTS}")) {
            let mut request = events(&world, &person, id);
            if let Some(last) = seen.last() {
                request = request.header("last-event-id", last);
            }
            let mut stream = Sse::new(send(request).await);
            while let Some(frame) = stream.event().await {
                seen.push(frame.id);
            }
        }
        seen
    };
    let ((), expected) = tokio::join!(producing, reading);
    assert_eq!(expected.len(), 301);

    let mut read = Vec::new();
    tokio::time::timeout(crate::support::PATIENCE, socket.read_to_end(&mut read))
        .await
        .expect("in time")
        .expect("an end");
    let read = String::from_utf8(read).expect("text");
    assert!(read.ends_with("0\r\n\r\n"), "a clean end");
    let ids: Vec<_> = read
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert!(ids.len() > 2 && ids.len() < 301, "{}", ids.len());
    assert_eq!(ids, expected[..ids.len()]);

    let last = ids.last().expect("an id");
    let request = events(&world, &person, id).header("last-event-id", *last);
    let rest = Sse::new(send(request).await).rest().await;
    assert_eq!(rest.len() + ids.len(), expected.len());
}

#[tokio::test]
async fn a_silent_stream_says_that_it_lives() {
    let world = World::start(&["--heartbeat-ms=100"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let id = known(&world, &person, 0);
    let mut stream = Sse::new(send(events(&world, &person, id)).await);
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
    for _ in 0..3 {
        assert_eq!(stream.frame().await.expect("a comment").text, ":");
    }
}
