//! A broker that dies and comes back, on a Kafka of the test's own.

use std::time::{Duration, Instant};

use contract::Topic;
use devkit::{Kafka, config::Config, resolve_jars};
use queue::{Done, Stop};

use crate::{
    reader,
    windowed::{WINDOW, start},
    world::{Notes, World, message, until},
};

async fn kafka(folder: &tempfile::TempDir) -> Kafka {
    let cache = Config::from_env()
        .expect("the environment is readable")
        .cache()
        .expect("there is a home");
    let jars = resolve_jars(&cache).await.expect("the jars are there");
    Kafka::start(folder.path(), &jars).await.expect("it starts")
}

#[tokio::test]
async fn all_go_on_after_a_broker_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kafka = kafka(&folder).await;
    let topics = [(Topic::Submissions, 2), (Topic::Events, 2)];
    let world = World::on(kafka.brokers(), "", &topics).await;
    let notes = Notes::default();
    let stop = Stop::manual(Duration::from_secs(5));
    let consumer = start(&world, WINDOW, &stop, {
        let notes = notes.clone();
        move |delivery| {
            notes.add(delivery.headers.id);
            async { Done::Finished }
        }
    });
    let (reader, seen) = reader::start(&world, 0);
    reader.assign(0).await.expect("it is there");
    world.put(Topic::Events, 0, "before").await;
    world.put(Topic::Submissions, 0, "before").await;
    notes.until_len(1).await;

    kafka.kill().await.expect("it dies");
    // Kept by the producer until the broker is back.
    let job = world
        .producer
        .send_now(message(Topic::Submissions, 1, "during"));
    let event = world.producer.send_now(message(Topic::Events, 0, "during"));
    let heartbeat = consumer.heartbeat();
    assert!(heartbeat.is_alive());
    kafka.restart().await.expect("it comes back");
    job.expect("there is room").await.expect("it is stored");
    event.expect("there is room").await.expect("it is stored");
    world.put(Topic::Events, 0, "after").await;
    until("the job came", async || notes.contains("during")).await;
    until("the events came", async || reader::ids(&seen, 0).len() >= 3).await;
    assert_eq!(reader::ids(&seen, 0), ["before", "during", "after"]);
    world.all_committed("judges", Topic::Submissions).await;
    assert!(heartbeat.is_alive() && reader.heartbeat().is_alive());
    stop.soft();
    consumer.ended().await.expect("it ends");
    kafka.stop().await.expect("it ends");
}

#[tokio::test]
async fn ends_in_bounded_time_without_a_broker() {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = kafka(&folder).await;
    let world = World::on(kafka.brokers(), "", &[(Topic::Submissions, 2)]).await;
    for frozen in [true, false] {
        let notes = Notes::default();
        let stop = Stop::manual(Duration::from_secs(5));
        let consumer = start(&world, WINDOW, &stop, {
            let notes = notes.clone();
            move |delivery| {
                notes.add(delivery.headers.id);
                async { Done::Finished }
            }
        });
        world.put(Topic::Submissions, 0, "a").await;
        notes.until_len(1).await;
        if frozen {
            kafka.freeze();
        } else {
            kafka.kill().await.expect("it dies");
        }
        let since = Instant::now();
        stop.soft();
        consumer.ended().await.expect("it ends");
        let took = since.elapsed();
        assert!(
            took < Duration::from_secs(8),
            "frozen: {frozen}, it took {took:?}"
        );
        kafka.thaw();
    }
}
