//! Streams: from a submission's receipt to its end, as its events are made.

use contract::{Role, SubmissionId};
use reqwest::StatusCode;
use uuid::Uuid;

use crate::support::{
    World, body, problem, send,
    sse::Sse,
    submissions::{events, id_of, judging, known, open, submit},
};

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
