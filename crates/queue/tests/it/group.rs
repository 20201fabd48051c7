//! Several members: partitions move, what runs is given time, nothing is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contract::Topic;
use queue::{Done, Stop};
use tokio::sync::Semaphore;

use crate::{
    windowed::{WINDOW, start},
    world::{Notes, World, until},
};

const GRACE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn members_share_the_partitions_and_lose_nothing() {
    let world = World::with(&[(Topic::Submissions, 6)]).await;
    let notes = Notes::default();
    let mut members = Vec::new();
    let member = |name: &'static str| {
        let (notes, stop) = (notes.clone(), Stop::manual(GRACE));
        let consumer = start(&world, WINDOW, &stop, move |delivery| {
            let notes = notes.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(3)).await;
                notes.add(format!("{name} {}", delivery.headers.id));
                Done::Finished
            }
        });
        (consumer, stop)
    };
    members.push(member("one"));
    members[0].0.joined().await.expect("it joins");
    for number in 0..600 {
        match number {
            150 => members.push(member("two")),
            300 => members.push(member("three")),
            450 => {
                let (consumer, stop) = members.remove(0);
                stop.soft();
                tokio::spawn(async move { consumer.ended().await });
            }
            _ => {}
        }
        world
            .put(Topic::Submissions, number % 6, &format!("{number:03}"))
            .await;
    }
    world.all_committed("judges", Topic::Submissions).await;
    // The last member that came may have come when all was done: then it has a share of what comes now.
    until("everybody works", async || {
        for partition in 0..6 {
            world.put(Topic::Submissions, partition, "more").await;
        }
        ["one", "two", "three"]
            .iter()
            .all(|name| notes.all().iter().any(|note| note.starts_with(name)))
    })
    .await;
    let mut ids: Vec<_> = notes
        .all()
        .iter()
        .filter_map(|note| note.split_once(' ').map(|(_, id)| id.to_owned()))
        .filter(|id| id != "more")
        .collect();
    ids.sort();
    let expected: Vec<_> = (0..600).map(|number| format!("{number:03}")).collect();
    // Every job ended within the time that a rebalance leaves: none came twice.
    assert_eq!(ids, expected);
}

/// A member takes one slow job of each partition, then another member comes.
async fn with_slow_jobs(ended_in_time: bool) {
    let world = World::with(&[(Topic::Submissions, 2)]).await;
    let (notes, gate) = (Notes::default(), Arc::new(Semaphore::new(0)));
    let slow = |name: &'static str, gate: Arc<Semaphore>| {
        let notes = notes.clone();
        move |delivery: queue::Delivery| {
            notes.add(format!("{name} began {}", delivery.headers.id));
            let (notes, gate) = (notes.clone(), gate.clone());
            async move {
                gate.acquire().await.expect("open").forget();
                notes.add(format!("{name} ended {}", delivery.headers.id));
                Done::Finished
            }
        }
    };
    let stop = Stop::manual(GRACE);
    let first = start(&world, WINDOW, &stop, slow("one", gate.clone()));
    for partition in 0..2 {
        world
            .put(Topic::Submissions, partition, &partition.to_string())
            .await;
    }
    notes.until_len(2).await;

    let open = Arc::new(Semaphore::new(100));
    let since = Instant::now();
    let second = start(&world, WINDOW, &Stop::manual(GRACE), slow("two", open));
    if ended_in_time {
        // It has joined with nothing: what it shall have must be given up first.
        second.joined().await.expect("it joins");
        gate.add_permits(2);
        world.all_committed("judges", Topic::Submissions).await;
        let again = notes.all().iter().any(|note| note.starts_with("two"));
        assert!(!again, "nothing came again: {:?}", notes.all());
        gate.add_permits(1000);
        until("a partition moves", async || {
            for partition in 0..2 {
                world.put(Topic::Submissions, partition, "later").await;
            }
            notes.contains("two ended later")
        })
        .await;
    } else {
        until("the new owner has the job of its partition", async || {
            notes.all().iter().any(|note| note.starts_with("two ended"))
        })
        .await;
        let waited = since.elapsed();
        assert!(
            waited > Duration::from_secs(3),
            "it was waited for: {waited:?}"
        );
        assert!(
            waited < Duration::from_secs(12),
            "but not for ever: {waited:?}"
        );
        let moved = if notes.contains("two ended 0") {
            "0"
        } else {
            "1"
        };
        // The former owner's job goes on, and its end disturbs nothing.
        gate.add_permits(2);
        until("both ended", async || {
            notes.contains("one ended 0") && notes.contains("one ended 1")
        })
        .await;
        world.all_committed("judges", Topic::Submissions).await;
        let twos = notes
            .all()
            .iter()
            .filter(|note| note.starts_with("two began"))
            .count();
        assert_eq!(twos, 1, "only the job of partition {moved} came again");
    }
    stop.soft();
    first.ended().await.expect("it ends");
    drop(second);
}

#[tokio::test]
async fn a_partition_moves_when_its_jobs_have_ended() {
    with_slow_jobs(true).await;
}

#[tokio::test]
async fn a_partition_moves_after_a_while_although_its_jobs_run() {
    with_slow_jobs(false).await;
}

#[tokio::test]
async fn a_named_instance_goes_on_where_it_was() {
    let mut world = World::with(&[(Topic::Submissions, 2)]).await;
    world.config.kafka_instance = Some("judge-0".to_owned());
    let notes = Notes::default();
    for round in ["first", "second"] {
        let stop = Stop::manual(GRACE);
        let consumer = start(&world, WINDOW, &stop, {
            let notes = notes.clone();
            move |delivery| {
                notes.add(delivery.headers.id);
                async { Done::Finished }
            }
        });
        for partition in 0..2 {
            world.put(Topic::Submissions, partition, round).await;
        }
        world.all_committed("judges", Topic::Submissions).await;
        stop.soft();
        consumer.ended().await.expect("it ends");
    }
    assert_eq!(notes.sorted(), ["first", "first", "second", "second"]);
}

#[tokio::test]
async fn begins_when_its_topic_comes() {
    let early = World::with(&[]).await;
    let notes = Notes::default();
    let consumer = start(&early, WINDOW, &Stop::manual(GRACE), {
        let notes = notes.clone();
        move |delivery| {
            notes.add(delivery.headers.id);
            async { Done::Finished }
        }
    });
    let (brokers, prefix) = (&early.config.kafka_brokers, &early.config.topic_prefix);
    let world = World::on(brokers, prefix, &[(Topic::Submissions, 1)]).await;
    world.put(Topic::Submissions, 0, "first").await;
    notes.until_len(1).await;
    assert!(consumer.heartbeat().is_alive());
}
