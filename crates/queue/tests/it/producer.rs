//! Sending: order, placement, bounds, and clients that broke.

use std::time::Duration;

use contract::{Headers, Topic, topic::MAX_MESSAGE_BYTES};
use queue::{KafkaConfig, Message, ProduceError, Producer, QueueError};
use rdkafka::{mocking::MockCluster, types::RDKafkaRespErr};

use crate::world::{World, message};

#[tokio::test]
async fn stores_in_the_order_of_calls() {
    let world = World::with(&[(Topic::Events, 2)]).await;
    let receipts: Vec<_> = (0..2000)
        .map(|number| {
            world
                .producer
                .send_now(message(Topic::Events, 1, &number.to_string()))
                .expect("there is room")
        })
        .collect();
    for (number, receipt) in (0..).zip(receipts) {
        let placed = receipt.await.expect("it is stored");
        assert_eq!((placed.partition, placed.offset), (1, number));
    }
    let ids: Vec<_> = world
        .watch(Topic::Events)
        .count(2000)
        .await
        .into_iter()
        .map(|delivery| delivery.headers.id)
        .collect();
    assert_eq!(
        ids,
        (0..2000)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn delivers_what_was_sent() {
    let world = World::with(&[(Topic::Submissions, 4)]).await;
    let sent = Message {
        topic: Topic::Submissions,
        key: "제출".to_owned(),
        partition: None,
        headers: Headers {
            reply_partition: Some(3),
            traceparent: Some("00-1-2-01".to_owned()),
            ..Headers::new("id/1", "judge-job")
        },
        payload: vec![0, 159, 146, 150],
    };
    let placed = world.producer.send(sent.clone()).await.expect("stored");
    let again = world.producer.send(sent.clone()).await.expect("stored");
    assert_eq!(again.partition, placed.partition, "the key decides");

    let came = world
        .watch(Topic::Submissions)
        .count(2)
        .await
        .swap_remove(0);
    assert_eq!(came.topic, sent.topic);
    assert_eq!(
        (came.partition, came.offset),
        (placed.partition, placed.offset)
    );
    assert_eq!(came.key, sent.key);
    assert_eq!(came.headers, sent.headers);
    assert_eq!(came.payload, sent.payload);
    let age = time::OffsetDateTime::now_utc() - came.timestamp;
    assert!(age < time::Duration::minutes(1), "{age}");
}

#[tokio::test]
async fn carries_the_largest_message_and_refuses_larger_ones() {
    let world = World::with(&[(Topic::Submissions, 1)]).await;
    let mut large = message(Topic::Submissions, 0, "large");
    // Nothing that compression could make small.
    let mut noise: u64 = 1;
    large.payload = std::iter::repeat_with(|| {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        noise.to_le_bytes()[7]
    })
    .take(MAX_MESSAGE_BYTES)
    .collect();
    world
        .producer
        .send(large.clone())
        .await
        .expect("the largest is stored");
    let came = world.watch(Topic::Submissions).count(1).await;
    assert!(came[0].payload == large.payload, "it comes whole");

    large.payload.push(0);
    let refused = world.producer.send(large).await;
    assert!(
        matches!(refused, Err(ProduceError::TooLarge { bytes }) if bytes == MAX_MESSAGE_BYTES + 1),
        "{refused:?}"
    );
}

#[tokio::test]
async fn says_that_its_queue_is_full_instead_of_waiting() {
    // Nobody listens there.
    let port = devkit::free_port().expect("a port");
    let config = KafkaConfig::new(format!("127.0.0.1:{port}"), "");
    let producer = Producer::start(&config, "test").expect("it starts without brokers");
    let mut large = message(Topic::Submissions, 0, "large");
    large.payload = vec![0; MAX_MESSAGE_BYTES];
    let mut receipts = Vec::new();
    let full = loop {
        match producer.send_now(large.clone()) {
            Ok(receipt) => receipts.push(receipt),
            Err(error) => break error,
        }
        assert!(receipts.len() < 100, "its memory is bounded");
    };
    assert!(matches!(full, ProduceError::QueueFull), "{full:?}");
    assert!(!producer.flush(Duration::from_millis(50)).await);
    drop(producer);
    for receipt in receipts {
        receipt.await.expect_err("nobody stored it");
    }
}

#[tokio::test]
async fn knows_how_many_partitions_a_topic_has() {
    let world = World::with(&[(Topic::Events, 3)]).await;
    let count = world.producer.partitions(Topic::Events).await;
    assert_eq!(count.expect("it is there"), 3);
    let missing = world.producer.partitions(Topic::Results).await;
    assert!(
        matches!(missing, Err(QueueError::Missing(_))),
        "{missing:?}"
    );
    let nowhere = world.producer.send(message(Topic::Events, 3, "a")).await;
    assert!(
        matches!(nowhere, Err(ProduceError::Failed(_))),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn replaces_a_client_that_broke_for_good() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let config = KafkaConfig::new(cluster.bootstrap_servers(), "");
    cluster
        .create_topic(&config.topic(Topic::Events), 1, 1)
        .expect("a topic");
    let producer = Producer::start(&config, "test").expect("a producer");
    producer
        .send(message(Topic::Events, 0, "before"))
        .await
        .expect("it is stored");

    // Broker and client disagree about what was sent before: the library gives up for ever.
    cluster.request_errors(
        rdkafka::types::RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    );
    producer
        .send(message(Topic::Events, 0, "broken"))
        .await
        .expect_err("it is refused");
    producer
        .send(message(Topic::Events, 0, "after"))
        .await
        .expect("a new client stores it");
}
