//! Reading by hand: from now on, nothing missed, in order, only what was asked for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use contract::Topic;
use queue::{Delivery, PartitionReader, QueueError};
use tokio_util::sync::CancellationToken;

use crate::world::{World, message, until};

type Seen = Arc<Mutex<Vec<Delivery>>>;

pub(crate) fn start(world: &World, back: u32) -> (PartitionReader, Seen) {
    let seen = Seen::default();
    let into = seen.clone();
    let reader = PartitionReader::start(
        &world.config,
        Topic::Events,
        "gateway",
        back,
        &CancellationToken::new(),
        move |delivery| into.lock().expect("no panic").push(delivery),
    );
    (reader.expect("a reader"), seen)
}

pub(crate) fn ids(seen: &Seen, partition: i32) -> Vec<String> {
    let seen = seen.lock().expect("no panic");
    seen.iter()
        .filter(|delivery| delivery.partition == partition)
        .map(|delivery| delivery.headers.id.clone())
        .collect()
}

#[tokio::test]
async fn delivers_all_that_is_written_after_it_was_assigned() {
    let world = World::with(&[(Topic::Events, 4)]).await;
    let (reader, seen) = start(&world, 0);
    for partition in 0..4 {
        world.put(Topic::Events, partition, "before").await;
    }
    for partition in 0..3 {
        let start = reader.assign(partition).await.expect("it is there");
        assert_eq!(start, 1);
        // At once: nothing waits for the reader to be ready.
        for number in 0..200 {
            let receipt =
                world
                    .producer
                    .send_now(message(Topic::Events, partition, &number.to_string()));
            drop(receipt.expect("there is room"));
        }
    }
    world.put(Topic::Events, 3, "nobody reads this").await;
    let expected: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    until("all came", async || {
        seen.lock().expect("no panic").len() >= 600
    })
    .await;
    for partition in 0..3 {
        assert_eq!(ids(&seen, partition), expected);
    }
    assert!(ids(&seen, 3).is_empty());
    let again = reader.assign(1).await.expect("it is there");
    assert_eq!(again, 1, "it goes on as it is");
}

#[tokio::test]
async fn reads_no_more_after_a_release_and_begins_anew() {
    let world = World::with(&[(Topic::Events, 2)]).await;
    let (reader, seen) = start(&world, 0);
    for partition in 0..2 {
        reader.assign(partition).await.expect("it is there");
        world.put(Topic::Events, partition, "first").await;
    }
    until("both came", async || {
        seen.lock().expect("no panic").len() == 2
    })
    .await;
    reader.release(0).await.expect("it is left");
    reader.release(0).await.expect("it was left");
    world.put(Topic::Events, 0, "meanwhile").await;
    world.put(Topic::Events, 1, "meanwhile").await;
    until("the other one goes on", async || ids(&seen, 1).len() == 2).await;
    assert_eq!(reader.assign(0).await.expect("it is there"), 2);
    world.put(Topic::Events, 0, "anew").await;
    until("it comes", async || ids(&seen, 0).len() == 2).await;
    assert_eq!(ids(&seen, 0), ["first", "anew"]);
}

#[tokio::test]
async fn reads_a_little_of_what_was_before_when_asked_to() {
    let world = World::with(&[(Topic::Events, 2)]).await;
    for number in 0..10 {
        world.put(Topic::Events, 0, &number.to_string()).await;
    }
    world.put(Topic::Events, 1, "only").await;
    let (reader, seen) = start(&world, 3);
    assert_eq!(reader.assign(0).await.expect("it is there"), 7);
    assert_eq!(reader.assign(1).await.expect("it is there"), 0);
    until("they came", async || {
        seen.lock().expect("no panic").len() == 4
    })
    .await;
    assert_eq!(ids(&seen, 0), ["7", "8", "9"]);
    assert_eq!(ids(&seen, 1), ["only"]);
}

#[tokio::test]
async fn lives_on_past_what_cannot_be_read_and_past_panics() {
    let world = World::with(&[(Topic::Events, 1)]).await;
    let seen = Seen::default();
    let into = seen.clone();
    let stop = CancellationToken::new();
    let reader = PartitionReader::start(
        &world.config,
        Topic::Events,
        "gateway",
        0,
        &stop,
        move |delivery| {
            assert_ne!(delivery.headers.id, "panic");
            into.lock().expect("no panic").push(delivery);
        },
    )
    .expect("a reader");
    reader.assign(0).await.expect("it is there");
    world.put_raw(Topic::Events, 0, b"bad", None).await;
    world.put(Topic::Events, 0, "panic").await;
    world.put(Topic::Events, 0, "good").await;
    until("the good one came", async || ids(&seen, 0) == ["good"]).await;
    assert!(reader.heartbeat().is_alive());
    stop.cancel();
    let refused = reader.assign(0).await;
    assert!(matches!(refused, Err(QueueError::Ended)), "{refused:?}");
}

#[tokio::test]
async fn says_what_is_missing() {
    let world = World::with(&[(Topic::Events, 1)]).await;
    let (reader, _) = start(&world, 0);
    let missing = reader.assign(7).await;
    assert!(
        matches!(missing, Err(QueueError::Missing(_))),
        "{missing:?}"
    );
    drop(reader);

    let port = devkit::free_port().expect("a port");
    let config = queue::KafkaConfig::new(format!("127.0.0.1:{port}"), "");
    let stop = CancellationToken::new();
    let reader = PartitionReader::start(&config, Topic::Events, "gateway", 0, &stop, |_| {})
        .expect("it starts without brokers");
    let since = std::time::Instant::now();
    let unreachable = reader.assign(0).await;
    assert!(
        matches!(unreachable, Err(QueueError::Unreachable(_))),
        "{unreachable:?}"
    );
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "nobody waits for ever"
    );
}
