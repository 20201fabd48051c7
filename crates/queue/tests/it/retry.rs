//! What is tried again goes back when it is due.

use std::time::{Duration, Instant};

use contract::{Headers, Topic, topic::group};
use queue::{Message, Stop, retry};
use time::OffsetDateTime;

use crate::world::{World, message};

const TOPICS: [(Topic, i32); 3] = [
    (Topic::Retry, 2),
    (Topic::Submissions, 1),
    (Topic::DeadLetters, 1),
];

fn waiting(partition: i32, id: &str) -> Message {
    let mut message = message(Topic::Retry, partition, id);
    message.headers.attempt = 2;
    message.headers.origin = Some(Topic::Submissions.name().to_owned());
    message.headers.reason = Some("no runner".to_owned());
    message
}

#[tokio::test]
async fn gives_back_in_order_when_the_delay_has_passed() {
    let world = World::with(&TOPICS).await;
    let delay = Duration::from_secs(2);
    let stop = Stop::manual(Duration::from_secs(5));
    let consumer =
        retry::start(&world.config, &world.producer, delay, stop.clone()).expect("a consumer");
    consumer.joined().await.expect("it joins");
    for number in 0..50 {
        let receipt = world.producer.send_now(waiting(0, &number.to_string()));
        receipt.expect("there is room").await.expect("stored");
    }
    let since = Instant::now();
    let back = world.watch(Topic::Submissions).count(50).await;
    assert!(since.elapsed() < Duration::from_secs(10));
    for (number, delivery) in back.iter().enumerate() {
        assert_eq!(
            delivery.headers,
            Headers {
                attempt: 2,
                ..Headers::new(number.to_string(), "judge-job")
            }
        );
        assert_eq!(delivery.key, format!("key-{number}"));
        assert_eq!(delivery.payload, format!("payload-{number}"));
    }
    let lain = back[0].timestamp - first_timestamp(&world).await;
    assert!(lain >= delay, "{lain}");
    world.all_committed(group::RETRY, Topic::Retry).await;
    stop.soft();
    consumer.ended().await.expect("it ends");
}

async fn first_timestamp(world: &World) -> OffsetDateTime {
    world.watch(Topic::Retry).count(1).await[0].timestamp
}

#[tokio::test]
async fn makes_dead_letters_of_what_can_go_nowhere() {
    let world = World::with(&TOPICS).await;
    let mut lost = waiting(0, "lost");
    lost.headers.origin = Some("elsewhere".to_owned());
    world.producer.send(lost).await.expect("stored");
    let mut circle = waiting(1, "circle");
    circle.headers.origin = Some(Topic::Retry.name().to_owned());
    world.producer.send(circle).await.expect("stored");
    world.put_raw(Topic::Retry, 1, b"bad", None).await;
    world
        .producer
        .send(waiting(1, "good"))
        .await
        .expect("stored");

    let stop = Stop::manual(Duration::from_secs(5));
    let consumer =
        retry::start(&world.config, &world.producer, Duration::ZERO, stop).expect("a consumer");
    world.all_committed(group::RETRY, Topic::Retry).await;
    drop(consumer);
    let back = world.watch(Topic::Submissions).count(1).await;
    assert_eq!(back[0].headers.id, "good");
    let dead = world.watch(Topic::DeadLetters).count(3).await;
    let mut origins: Vec<_> = dead
        .iter()
        .map(|letter| {
            (
                letter.key.as_str(),
                letter.headers.origin.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    origins.sort_unstable();
    assert_eq!(
        origins,
        [
            ("bad", "codementor.retry.v1"),
            ("key-circle", "codementor.retry.v1"),
            ("key-lost", "elsewhere"),
        ]
    );
}

#[tokio::test]
async fn leaves_at_once_while_it_waits_and_a_successor_goes_on() {
    let world = World::with(&TOPICS).await;
    let delay = Duration::from_secs(4);
    for number in 0..10 {
        world
            .producer
            .send(waiting(number % 2, &number.to_string()))
            .await
            .expect("stored");
    }
    let stop = Stop::manual(Duration::from_mins(1));
    let consumer =
        retry::start(&world.config, &world.producer, delay, stop.clone()).expect("a consumer");
    consumer.joined().await.expect("it joins");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let since = Instant::now();
    stop.soft();
    consumer.ended().await.expect("it ends");
    let took = since.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "it does not wait for what is not due: {took:?}"
    );

    let stop = Stop::manual(Duration::from_secs(5));
    let successor = retry::start(&world.config, &world.producer, delay, stop).expect("a consumer");
    let back = world.watch(Topic::Submissions).count(10).await;
    assert_eq!(back.len(), 10);
    world.all_committed(group::RETRY, Topic::Retry).await;
    drop(successor);
}
