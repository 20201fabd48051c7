//! Jobs: concurrency within the window, contiguous commits, putting aside, the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use contract::{Headers, Topic};
use queue::{Consumer, Delivery, Done, Stop, Window};
use rdkafka::message::{Header, OwnedHeaders};
use tokio::sync::Semaphore;

use crate::world::{Notes, World, message, until};

pub(crate) const WINDOW: Window = Window {
    count: 16,
    bytes: 1 << 20,
};
pub(crate) const GROUP: &str = "judges";

pub(crate) fn start<F>(
    world: &World,
    window: Window,
    stop: &Stop,
    handler: impl Fn(Delivery) -> F + Send + Sync + 'static,
) -> Consumer
where
    F: Future<Output = Done> + Send + 'static,
{
    queue::windowed::start(
        &world.config,
        &world.producer,
        GROUP,
        &[Topic::Submissions],
        window,
        stop.clone(),
        handler,
    )
    .expect("a consumer")
}

fn manual() -> Stop {
    Stop::manual(Duration::from_secs(10))
}

#[tokio::test]
async fn handles_everything_once_and_commits_it() {
    let world = World::with(&[(Topic::Submissions, 4)]).await;
    for number in 0..200 {
        world
            .put(Topic::Submissions, number % 4, &format!("{number:03}"))
            .await;
    }
    let (notes, stop) = (Notes::default(), manual());
    let consumer = start(&world, WINDOW, &stop, {
        let notes = notes.clone();
        move |delivery| {
            notes.add(delivery.headers.id);
            async { Done::Finished }
        }
    });
    notes.until_len(200).await;
    world.all_committed(GROUP, Topic::Submissions).await;
    stop.soft();
    consumer.ended().await.expect("it ends in order");
    let expected: Vec<_> = (0..200).map(|number| format!("{number:03}")).collect();
    assert_eq!(notes.sorted(), expected);
    assert!(consumer.heartbeat().is_alive());
}

#[tokio::test]
async fn commits_only_behind_the_first_unfinished() {
    let world = World::with(&[(Topic::Submissions, 1)]).await;
    let first = world.put(Topic::Submissions, 0, "slow").await;
    for number in 0..9 {
        world.put(Topic::Submissions, 0, &number.to_string()).await;
    }
    let (notes, gate) = (Notes::default(), Arc::new(Semaphore::new(0)));
    let consumer = start(&world, WINDOW, &manual(), {
        let (notes, gate) = (notes.clone(), Arc::clone(&gate));
        move |delivery| {
            let (notes, gate) = (notes.clone(), Arc::clone(&gate));
            async move {
                if delivery.headers.id == "slow" {
                    gate.acquire().await.expect("open").forget();
                }
                notes.add(delivery.headers.id);
                Done::Finished
            }
        }
    });
    notes.until_len(9).await;
    assert!(!notes.contains("slow"));
    until("a first commit", async || {
        !committed(&world).await.is_empty()
    })
    .await;
    assert_eq!(committed(&world).await, [first.offset]);
    gate.add_permits(1);
    world.all_committed(GROUP, Topic::Submissions).await;
    drop(consumer);
}

async fn committed(world: &World) -> Vec<i64> {
    let committed = world.admin.committed(GROUP, Topic::Submissions).await;
    committed.expect("Kafka answers").into_values().collect()
}

#[tokio::test]
async fn runs_no_more_at_once_than_the_window_holds() {
    let world = World::with(&[(Topic::Submissions, 4)]).await;
    for number in 0..40 {
        world
            .put(Topic::Submissions, number % 4, &number.to_string())
            .await;
    }
    let bytes = message(Topic::Submissions, 0, "10").payload.len();
    for (window, most) in [
        (
            Window {
                count: 3,
                bytes: 1 << 20,
            },
            3,
        ),
        // The one that passes the bound is the last.
        (
            Window {
                count: 100,
                bytes: bytes * 4 + 1,
            },
            5,
        ),
    ] {
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (gate, stop) = (Arc::new(Semaphore::new(0)), manual());
        let consumer = start(&world, window, &stop, {
            let (running, peak, gate) = (running.clone(), peak.clone(), gate.clone());
            move |_| {
                let (running, peak, gate) = (running.clone(), peak.clone(), gate.clone());
                async move {
                    peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    gate.acquire().await.expect("open").forget();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Done::Finished
                }
            }
        });
        until("the window is full", async || {
            running.load(Ordering::SeqCst) == most
        })
        .await;
        gate.add_permits(15);
        until("it is full again", async || {
            gate.available_permits() == 0 && running.load(Ordering::SeqCst) == most
        })
        .await;
        assert_eq!(peak.load(Ordering::SeqCst), most);
        gate.add_permits(100);
        stop.soft();
        consumer.ended().await.expect("it ends");
    }
}

#[tokio::test]
async fn goes_only_so_far_ahead_of_an_unfinished_message() {
    let world = World::with(&[(Topic::Submissions, 1)]).await;
    for number in 0..4200 {
        let sent = world
            .producer
            .send_now(message(Topic::Submissions, 0, &number.to_string()));
        drop(sent.expect("there is room"));
    }
    assert!(world.producer.flush(Duration::from_secs(10)).await);
    let (ended, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let consumer = start(&world, WINDOW, &manual(), {
        let (ended, gate) = (ended.clone(), gate.clone());
        move |delivery| {
            let (ended, gate) = (ended.clone(), gate.clone());
            async move {
                if delivery.offset == 0 {
                    gate.acquire().await.expect("open").forget();
                }
                ended.fetch_add(1, Ordering::SeqCst);
                Done::Finished
            }
        }
    });
    until("it reaches the bound", async || {
        ended.load(Ordering::SeqCst) == 4095
    })
    .await;
    // Time enough for hundreds of messages, if it took any.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ended.load(Ordering::SeqCst), 4095);
    gate.add_permits(1);
    world.all_committed(GROUP, Topic::Submissions).await;
    assert_eq!(ended.load(Ordering::SeqCst), 4200);
    drop(consumer);
}

#[tokio::test]
async fn feeds_the_first_topic_first() {
    let topics = [Topic::Submissions, Topic::SubmissionsBulk];
    let world = World::with(&topics.map(|topic| (topic, 2))).await;
    for number in 0..100 {
        world.put(topics[1], number % 2, "bulk").await;
    }
    let (notes, window) = (Notes::default(), Window { count: 1, ..WINDOW });
    let consumer = queue::windowed::start(
        &world.config,
        &world.producer,
        GROUP,
        &topics,
        window,
        manual(),
        {
            let notes = notes.clone();
            move |delivery| {
                notes.add(delivery.headers.id);
                async {
                    // A job takes longer than a fetch.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Done::Finished
                }
            }
        },
    )
    .expect("a consumer");
    notes.until_len(1).await;
    for _ in 0..10 {
        let sent = world.producer.send_now(message(topics[0], 0, "learner"));
        drop(sent.expect("there is room"));
    }
    notes.until_len(110).await;
    drop(consumer);

    let notes = notes.all();
    let is_learner = |note: &String| note == "learner";
    let first = notes.iter().position(is_learner).expect("they came");
    let last = notes.iter().rposition(is_learner).expect("they came");
    // The first may have been fetched alone.
    assert!(last - first <= 10, "nothing came between: {notes:?}");
    assert!(first < 50, "they did not wait for the bulk: {notes:?}");
}

#[tokio::test]
async fn puts_aside_before_it_commits() {
    let topics = [Topic::Submissions, Topic::Retry, Topic::DeadLetters];
    let world = World::with(&topics.map(|topic| (topic, 1))).await;
    for id in ["retry", "dead", "panic"] {
        world.put(Topic::Submissions, 0, id).await;
    }
    let mut hopeless = message(Topic::Submissions, 0, "panic-again");
    hopeless.headers.attempt = 5;
    world.producer.send(hopeless).await.expect("stored");

    let consumer = start(&world, WINDOW, &manual(), |delivery| async move {
        match delivery.headers.id.as_str() {
            "retry" => Done::retry("no runner"),
            "dead" => Done::dead("no such language"),
            id => panic!("at {id}"),
        }
    });
    world.all_committed(GROUP, Topic::Submissions).await;
    drop(consumer);

    let headers = |id: &str, attempt, reason: &str| Headers {
        attempt,
        origin: Some(Topic::Submissions.name().to_owned()),
        reason: Some(reason.to_owned()),
        ..Headers::new(id, "judge-job")
    };
    let mut retries = world.watch(Topic::Retry).count(2).await;
    retries.sort_by(|one, other| other.headers.id.cmp(&one.headers.id));
    assert_eq!(retries.len(), 2);
    assert_eq!(retries[0].headers, headers("retry", 2, "no runner"));
    assert_eq!(retries[0].key, "key-retry");
    assert_eq!(retries[0].payload, "payload-retry");
    assert_eq!(
        retries[1].headers,
        headers("panic", 2, "the handler panicked: at panic")
    );

    let mut dead = world.watch(Topic::DeadLetters).count(2).await;
    dead.sort_by(|one, other| one.headers.id.cmp(&other.headers.id));
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0].headers, headers("dead", 1, "no such language"));
    assert_eq!(dead[0].key, "key-dead");
    assert_eq!(dead[0].payload, "payload-dead");
    assert_eq!(
        dead[1].headers,
        headers("panic-again", 5, "the handler panicked: at panic-again")
    );
}

#[tokio::test]
async fn gives_a_dead_letter_again_where_it_lies() {
    let world = World::with(&[(Topic::DeadLetters, 1)]).await;
    let mut letter = message(Topic::DeadLetters, 0, "letter");
    letter.headers.origin = Some(Topic::Reviews.name().to_owned());
    letter.headers.reason = Some("no such model".to_owned());
    let expected = letter.headers.clone();
    world.producer.send(letter).await.expect("stored");
    let tries = Arc::new(AtomicUsize::new(0));
    let consumer = queue::windowed::start(
        &world.config,
        &world.producer,
        GROUP,
        &[Topic::DeadLetters],
        WINDOW,
        manual(),
        {
            let tries = tries.clone();
            move |delivery| {
                assert_eq!(delivery.headers, expected);
                let tries = tries.fetch_add(1, Ordering::SeqCst);
                async move {
                    match tries {
                        0 => Done::retry("no database"),
                        1 => Done::dead("no table"),
                        2 => panic!("no idea"),
                        _ => Done::Finished,
                    }
                }
            }
        },
    )
    .expect("a consumer");
    world.all_committed(GROUP, Topic::DeadLetters).await;
    drop(consumer);
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    let ends = world.admin.end_offsets(Topic::DeadLetters).await;
    assert_eq!(ends.expect("it is there")[&0], 1, "none was added");
}

#[tokio::test]
async fn makes_dead_letters_of_what_cannot_be_read() {
    let topics = [Topic::Submissions, Topic::DeadLetters];
    let world = World::with(&topics.map(|topic| (topic, 1))).await;
    let header = |owned: OwnedHeaders, key, value| {
        owned.insert(Header {
            key,
            value: Some(value),
        })
    };
    let no_type = header(header(OwnedHeaders::new(), "id", "a"), "attempt", "1");
    world.put_raw(Topic::Submissions, 0, b"plain", None).await;
    world
        .put_raw(Topic::Submissions, 0, b"no-type", Some(no_type.clone()))
        .await;
    let full = header(no_type, "type", "judge-job");
    world
        .put_raw(Topic::Submissions, 0, &[0xff, 0xfe], Some(full))
        .await;
    world.put(Topic::Submissions, 0, "good").await;

    let notes = Notes::default();
    let consumer = start(&world, WINDOW, &manual(), {
        let notes = notes.clone();
        move |delivery| {
            notes.add(delivery.headers.id);
            async { Done::Finished }
        }
    });
    world.all_committed(GROUP, Topic::Submissions).await;
    drop(consumer);
    assert_eq!(notes.all(), ["good"], "no handler saw the others");

    let mut dead = world.watch(Topic::DeadLetters).count(3).await;
    dead.sort_by(|one, other| one.headers.id.cmp(&other.headers.id));
    for (letter, (key, reason)) in dead.iter().zip([
        ("plain", "it has no headers"),
        ("no-type", "header type is missing"),
        // A dead letter that cannot be read would beget others.
        ("\u{fffd}\u{fffd}", "the key is not UTF-8"),
    ]) {
        assert_eq!(letter.key, key);
        assert_eq!(letter.payload, "raw");
        assert_eq!(letter.headers.reason.as_deref(), Some(reason));
        assert_eq!(
            letter.headers.origin.as_deref(),
            Some(Topic::Submissions.name())
        );
    }
    assert_eq!(dead.len(), 3);
    assert_eq!(dead[2].headers.id, "codementor.submissions.v1/0/2");
}
