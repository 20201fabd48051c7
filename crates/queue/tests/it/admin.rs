//! Topics are made as the contract says, once; groups are looked at without joining them.

use std::{collections::HashMap, time::Duration};

use contract::Topic;
use queue::{
    Done, KafkaConfig, QueueError, Stop,
    admin::{self, Admin, PartitionLag, Profile},
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
};

use crate::{
    windowed::{WINDOW, start},
    world::{World, until},
};

#[tokio::test]
async fn makes_all_topics_once_and_as_the_contract_says() {
    let stack = devkit::Stack::for_tests().expect("a stack");
    let brokers = stack.brokers().await.expect("Kafka runs");
    let config = KafkaConfig::new(&brokers, stack.topic_prefix());
    let missing = admin::check_topics(&config, Profile::Dev).await;
    assert!(
        matches!(missing, Err(QueueError::Missing(_))),
        "{missing:?}"
    );
    for _ in 0..2 {
        admin::create_topics(&config, Profile::Dev)
            .await
            .expect("they are made, or are there");
    }
    admin::check_topics(&config, Profile::Dev)
        .await
        .expect("they are there");
    let small = admin::check_topics(&config, Profile::Prod).await;
    let Err(QueueError::TooFewPartitions(small)) = small else {
        panic!("{small:?}");
    };
    assert!(
        small.contains("codementor.events.v1 has 16 of 256"),
        "{small}"
    );
    admin::check_topics(&config, Profile::Test)
        .await
        .expect("fewer would do");
    let topics = Admin::new(&config).expect("an admin");
    for topic in Topic::ALL {
        let ends = topics.end_offsets(topic).await.expect("it is there");
        assert_eq!(ends.len(), usize::from(topic.settings().partitions_dev));
        assert!(ends.values().all(|end| *end == 0));
    }
    for (topic, expected) in [
        (
            Topic::Submissions,
            [("cleanup.policy", "delete"), ("retention.ms", "604800000")],
        ),
        (
            Topic::Events,
            [("cleanup.policy", "delete"), ("retention.ms", "86400000")],
        ),
        (
            Topic::Accounts,
            [
                ("cleanup.policy", "compact"),
                ("max.message.bytes", "4325376"),
            ],
        ),
    ] {
        let found = settings(&config, topic).await;
        for (key, value) in expected {
            assert_eq!(
                found.get(key).map(String::as_str),
                Some(value),
                "{topic:?} {key}"
            );
        }
    }
}

#[tokio::test]
async fn deletes_what_tests_left_behind_long_ago() {
    let stack = devkit::Stack::for_tests().expect("a stack");
    let brokers = stack.brokers().await.expect("Kafka runs");
    let old = format!(
        "test-01900000{}.",
        &uuid::Uuid::new_v4().simple().to_string()[8..]
    );
    let old = World::on(&brokers, &old, &[(Topic::Results, 1)]).await;
    let new = World::on(&brokers, &stack.topic_prefix(), &[(Topic::Results, 1)]).await;
    let config = KafkaConfig::new(&brokers, stack.topic_prefix());
    admin::create_topics(&config, Profile::Test)
        .await
        .expect("they are made");
    until("the old one is gone", async || {
        let ends = old.admin.end_offsets(Topic::Results).await;
        matches!(ends, Err(QueueError::Missing(_)))
    })
    .await;
    let ends = new.admin.end_offsets(Topic::Results).await;
    assert_eq!(ends.expect("it is there").len(), 1);
}

async fn settings(config: &KafkaConfig, topic: Topic) -> HashMap<String, String> {
    let client: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &config.kafka_brokers)
        .create()
        .expect("a client");
    let name = config.topic(topic);
    let described = client
        .describe_configs(&[ResourceSpecifier::Topic(&name)], &AdminOptions::new())
        .await
        .expect("Kafka answers")
        .swap_remove(0)
        .expect("the topic is there");
    let entries = described.entries.into_iter();
    entries
        .filter_map(|entry| Some((entry.name, entry.value?)))
        .collect()
}

#[tokio::test]
async fn knows_how_far_a_group_is_behind() {
    let world = World::with(&[(Topic::Submissions, 3)]).await;
    for partition in [0, 0, 0, 1] {
        world.put(Topic::Submissions, partition, "a").await;
    }
    let lag = async || {
        let lag = world.admin.lag("judges", Topic::Submissions).await;
        lag.expect("Kafka answers")
    };
    let before = lag().await;
    assert_eq!(before.total(), 4);
    assert_eq!(
        before.partitions[&0],
        PartitionLag {
            committed: None,
            end: 3,
            lag: 3
        }
    );
    let consumer = start(&world, WINDOW, &Stop::manual(Duration::ZERO), |_| async {
        Done::Finished
    });
    world.all_committed("judges", Topic::Submissions).await;
    drop(consumer);
    world.put(Topic::Submissions, 1, "b").await;
    let after = lag().await;
    assert_eq!(after.total(), 1);
    assert_eq!(
        after.partitions[&1],
        PartitionLag {
            committed: Some(1),
            end: 2,
            lag: 1
        }
    );
    let committed = world.admin.committed("judges", Topic::Submissions).await;
    assert_eq!(
        committed.expect("Kafka answers"),
        HashMap::from([(0, 3), (1, 1)])
    );
    let ends = world.admin.end_offsets(Topic::Submissions).await;
    assert_eq!(
        ends.expect("Kafka answers"),
        HashMap::from([(0, 3), (1, 2), (2, 0)])
    );
    let missing = world.admin.lag("judges", Topic::Results).await;
    assert!(
        matches!(missing, Err(QueueError::Missing(_))),
        "{missing:?}"
    );
}
