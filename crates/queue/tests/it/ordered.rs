//! Logs: order within a partition, batches, errors, what cannot be read, partitions that move.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use contract::Topic;
use queue::{
    Consumer, Stop,
    ordered::{self, Batch, Batches},
};
use tokio::sync::Semaphore;

use crate::world::{Notes, World, until};

const GROUP: &str = "log";

fn start<F>(
    world: &World,
    batches: Batches,
    stop: &Stop,
    handler: impl Fn(Batch) -> F + Send + Sync + 'static,
) -> Consumer
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    ordered::start(
        &world.config,
        &world.producer,
        GROUP,
        &[Topic::Events],
        batches,
        stop.clone(),
        handler,
    )
    .expect("a consumer")
}

fn manual() -> Stop {
    Stop::manual(Duration::from_secs(10))
}

fn ids(batch: &Batch) -> Vec<String> {
    batch
        .deliveries
        .iter()
        .map(|delivery| delivery.headers.id.clone())
        .collect()
}

#[tokio::test]
async fn hands_over_each_partition_in_order_in_bounded_batches() {
    let world = World::with(&[(Topic::Events, 3)]).await;
    for number in 0..300 {
        world
            .put(Topic::Events, number % 3, &number.to_string())
            .await;
    }
    let log: Arc<Mutex<HashMap<i32, Vec<i64>>>> = Arc::default();
    let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
    let batches = Batches {
        count: 20,
        ..Batches::default()
    };
    let consumer = start(&world, batches, &manual(), {
        let (log, sizes) = (log.clone(), sizes.clone());
        move |batch| {
            let (log, sizes) = (log.clone(), sizes.clone());
            async move {
                // Another batch of the same partition would come between.
                tokio::time::sleep(Duration::from_millis(5)).await;
                sizes.lock().expect("no panic").push(batch.deliveries.len());
                log.lock()
                    .expect("no panic")
                    .entry(batch.partition)
                    .or_default()
                    .extend(batch.deliveries.iter().map(|delivery| delivery.offset));
                Ok(())
            }
        }
    });
    world.all_committed(GROUP, Topic::Events).await;
    drop(consumer);
    let log = log.lock().expect("no panic");
    for partition in 0..3 {
        assert_eq!(log[&partition], (0..100).collect::<Vec<_>>());
    }
    let largest = sizes.lock().expect("no panic").iter().max().copied();
    assert_eq!(largest, Some(20), "they gather, up to the bound");
}

#[tokio::test]
async fn bounds_batches_by_bytes_and_writes_few_at_once() {
    let world = World::with(&[(Topic::Events, 4)]).await;
    for number in 0..40 {
        world.put(Topic::Events, number % 4, "x").await;
    }
    let bytes = "payload-x".len();
    let batches = Batches {
        bytes: bytes * 2,
        lanes: 2,
        ..Batches::default()
    };
    let (notes, gate) = (Notes::default(), Arc::new(Semaphore::new(0)));
    let consumer = start(&world, batches, &manual(), {
        let (notes, gate) = (notes.clone(), gate.clone());
        move |batch| {
            notes.add(batch.deliveries.len().to_string());
            let gate = gate.clone();
            async move {
                gate.acquire().await.expect("open").forget();
                Ok(())
            }
        }
    });
    notes.until_len(2).await;
    gate.add_permits(1);
    notes.until_len(3).await;
    assert_eq!(notes.all().len(), 3, "no third lane");
    gate.add_permits(100);
    world.all_committed(GROUP, Topic::Events).await;
    drop(consumer);
    assert_eq!(notes.all(), ["2"; 20]);
}

#[tokio::test]
async fn gives_a_batch_again_until_it_is_written() {
    let world = World::with(&[(Topic::Events, 1)]).await;
    for number in 0..4 {
        world.put(Topic::Events, 0, &number.to_string()).await;
    }
    let notes = Notes::default();
    let batches = Batches {
        count: 2,
        ..Batches::default()
    };
    let consumer = start(&world, batches, &manual(), {
        let notes = notes.clone();
        move |batch| {
            let all = ids(&batch).join(" ");
            notes.add(all.clone());
            let tries = notes.all().iter().filter(|note| **note == all).count();
            async move {
                match tries {
                    1 => Err("no database".to_owned()),
                    2 => panic!("at {all}"),
                    _ => Ok(()),
                }
            }
        }
    });
    world.all_committed(GROUP, Topic::Events).await;
    drop(consumer);
    let notes = notes.all();
    // The first may have been fetched alone.
    let mut distinct = notes.clone();
    distinct.dedup();
    assert_eq!(notes.len(), distinct.len() * 3, "{notes:?}");
    assert_eq!(distinct.join(" "), "0 1 2 3");
}

#[tokio::test]
async fn sets_only_aside_what_cannot_be_read() {
    let world = World::with(&[(Topic::Events, 1), (Topic::DeadLetters, 1)]).await;
    for id in ["a", "", "b", "", "", "c"] {
        if id.is_empty() {
            world.put_raw(Topic::Events, 0, b"bad", None).await;
        } else {
            world.put(Topic::Events, 0, id).await;
        }
    }
    // Unreadable ones at the end, too: they are passed without a batch.
    world.put_raw(Topic::Events, 0, b"bad", None).await;
    let notes = Notes::default();
    let consumer = start(&world, Batches::default(), &manual(), {
        let notes = notes.clone();
        move |batch| {
            for id in ids(&batch) {
                notes.add(id);
            }
            async { Ok(()) }
        }
    });
    world.all_committed(GROUP, Topic::Events).await;
    drop(consumer);
    assert_eq!(notes.all(), ["a", "b", "c"]);
    let dead = world.watch(Topic::DeadLetters).count(4).await;
    let mut ids: Vec<_> = dead.into_iter().map(|letter| letter.headers.id).collect();
    ids.sort();
    let expected = [1, 3, 4, 6].map(|offset| format!("codementor.events.v1/0/{offset}"));
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn drops_a_batch_that_outlasts_a_revoke() {
    let world = World::with(&[(Topic::Events, 2)]).await;
    for partition in 0..2 {
        world
            .put(Topic::Events, partition, &partition.to_string())
            .await;
    }
    let (notes, stop) = (Notes::default(), manual());
    let first = start(&world, Batches::default(), &stop, {
        let notes = notes.clone();
        move |batch| {
            let (id, notes) = (ids(&batch).join(" "), notes.clone());
            notes.add(format!("one began {id}"));
            async move {
                batch.leaving.cancelled().await;
                notes.add(format!("one leaves {id}"));
                std::future::pending().await
            }
        }
    });
    notes.until_len(2).await;
    let second = start(&world, Batches::default(), &manual(), {
        let notes = notes.clone();
        move |batch| {
            notes.add(format!("two wrote {}", ids(&batch).join(" ")));
            async { Ok(()) }
        }
    });
    until("the new owner writes what moved", async || {
        notes.all().iter().any(|note| note.starts_with("two wrote"))
    })
    .await;
    let all = notes.all();
    let leaves: Vec<_> = all
        .iter()
        .filter(|note| note.starts_with("one leaves"))
        .collect();
    assert_eq!(leaves.len(), 1, "only the partition that moves: {all:?}");

    stop.soft();
    until("the other one is told as well", async || {
        notes.contains("one leaves 0") && notes.contains("one leaves 1")
    })
    .await;
    stop.hard();
    first.ended().await.expect("it ends");
    world.all_committed(GROUP, Topic::Events).await;
    assert!(
        notes.contains("two wrote 0") && notes.contains("two wrote 1"),
        "nothing was skipped"
    );
    drop(second);
}
