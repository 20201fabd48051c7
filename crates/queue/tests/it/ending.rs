//! The end: what runs is waited for or given up, the group is left, nothing is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contract::Topic;
use queue::{Done, Stop};
use tokio::sync::Semaphore;

use crate::{
    windowed::{GROUP, WINDOW, start},
    world::{Notes, World},
};

fn manual() -> Stop {
    Stop::manual(Duration::from_secs(10))
}

#[tokio::test]
async fn drains_at_the_end_and_leaves_its_group_at_once() {
    let world = World::with(&[(Topic::Submissions, 2)]).await;
    let (notes, gate, stop) = (Notes::default(), Arc::new(Semaphore::new(0)), manual());
    let consumer = start(&world, WINDOW, &stop, {
        let (notes, gate) = (notes.clone(), gate.clone());
        move |delivery| {
            notes.add(delivery.headers.id.clone());
            let (notes, gate) = (notes.clone(), gate.clone());
            async move {
                gate.acquire().await.expect("open").forget();
                notes.add(format!("{} done", delivery.headers.id));
                Done::Finished
            }
        }
    });
    world.put(Topic::Submissions, 0, "before").await;
    notes.until_len(1).await;
    stop.soft();
    world.put(Topic::Submissions, 1, "after").await;
    let still_there = tokio::time::timeout(Duration::from_millis(300), consumer.ended()).await;
    assert!(still_there.is_err(), "it waits for what runs");
    gate.add_permits(1);
    consumer.ended().await.expect("it ends");
    assert_eq!(notes.all(), ["before", "before done"]);

    let (since, next) = (Instant::now(), Notes::default());
    let _successor = start(&world, WINDOW, &manual(), {
        let notes = next.clone();
        move |delivery| {
            notes.add(delivery.headers.id);
            async { Done::Finished }
        }
    });
    world.all_committed(GROUP, Topic::Submissions).await;
    assert_eq!(next.all(), ["after"], "what was done does not come again");
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "the group did not wait for the former member's session"
    );
}

#[tokio::test]
async fn gives_up_what_outlasts_the_grace_time() {
    struct Dropped(Notes);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.add("dropped");
        }
    }
    let world = World::with(&[(Topic::Submissions, 1)]).await;
    world.put(Topic::Submissions, 0, "endless").await;
    for ending in ["grace", "hard", "dropped"] {
        let (notes, stop) = (Notes::default(), Stop::manual(Duration::from_millis(200)));
        let consumer = start(&world, WINDOW, &stop, {
            let notes = notes.clone();
            move |delivery| {
                notes.add(delivery.headers.id);
                let dropped = Dropped(notes.clone());
                async move {
                    std::future::pending::<()>().await;
                    drop(dropped);
                    Done::Finished
                }
            }
        });
        notes.until_len(1).await;
        match ending {
            "grace" => stop.soft(),
            "hard" => stop.hard(),
            _ => {}
        }
        if ending == "dropped" {
            drop(consumer);
            notes.until_len(2).await;
        } else {
            consumer.ended().await.expect("it ends");
        }
        // It came again each time: it was never committed.
        assert_eq!(notes.all(), ["endless", "dropped"], "{ending}");
    }
}
