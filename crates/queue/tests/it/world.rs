//! Topics of a test's own on the shared Kafka, and ways to look at them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use contract::{Headers, Topic};
use queue::{Batches, Delivery, KafkaConfig, Message, Placed, Producer, Stop, admin::Admin};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord},
};

/// No condition of these tests takes as long, even on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) config: KafkaConfig,
    pub(crate) producer: Producer,
    pub(crate) admin: Admin,
}

impl World {
    /// Topics with so many partitions, under a prefix of their own.
    pub(crate) async fn with(topics: &[(Topic, i32)]) -> Self {
        let stack = devkit::Stack::for_tests().expect("a stack");
        let brokers = stack.brokers().await.expect("Kafka runs");
        Self::on(&brokers, &stack.topic_prefix(), topics).await
    }

    pub(crate) async fn on(brokers: &str, prefix: &str, topics: &[(Topic, i32)]) -> Self {
        let config = KafkaConfig::new(brokers, prefix);
        let client: AdminClient<DefaultClientContext> =
            client(&config).create().expect("an admin client");
        let names: Vec<_> = topics
            .iter()
            .map(|(topic, _)| config.topic(*topic))
            .collect();
        let new: Vec<_> = names
            .iter()
            .zip(topics)
            .map(|(name, (_, partitions))| {
                NewTopic::new(name, *partitions, TopicReplication::Fixed(1))
                    .set("max.message.bytes", "5000000")
            })
            .collect();
        if !new.is_empty() {
            let made = client.create_topics(&new, &AdminOptions::new()).await;
            for made in made.expect("Kafka answers") {
                made.expect("the topic is made");
            }
        }
        let admin = Admin::new(&config).expect("an admin");
        for (topic, partitions) in topics {
            let count = usize::try_from(*partitions).expect("a few");
            until("the topic is known", async || {
                admin
                    .end_offsets(*topic)
                    .await
                    .is_ok_and(|ends| ends.len() == count)
            })
            .await;
        }
        Self {
            producer: Producer::start(&config, "test").expect("a producer"),
            config,
            admin,
        }
    }

    /// Sends a job to a partition.
    pub(crate) async fn put(&self, topic: Topic, partition: i32, id: &str) -> Placed {
        self.producer
            .send(message(topic, partition, id))
            .await
            .expect("it is stored")
    }

    /// Sends what no producer of ours would.
    pub(crate) async fn put_raw(
        &self,
        topic: Topic,
        partition: i32,
        key: &[u8],
        headers: Option<OwnedHeaders>,
    ) {
        let producer: FutureProducer = client(&self.config).create().expect("a producer");
        let name = self.config.topic(topic);
        let record = FutureRecord::to(&name)
            .partition(partition)
            .key(key)
            .payload("raw");
        let record = match headers {
            Some(headers) => record.headers(headers),
            None => record,
        };
        producer.send(record, LIMIT).await.expect("it is stored");
    }

    /// Waits until the group's committed offsets of all partitions that hold anything are at their ends.
    pub(crate) async fn all_committed(&self, group: &str, topic: Topic) {
        until("all is committed", async || {
            self.admin
                .lag(group, topic)
                .await
                .is_ok_and(|lag| lag.total() == 0)
        })
        .await;
    }

    /// All that comes to a topic, in a list that grows.
    pub(crate) fn watch(&self, topic: Topic) -> Watch {
        let seen = Arc::<Mutex<Vec<Delivery>>>::default();
        let into = Arc::clone(&seen);
        let consumer = queue::ordered::start(
            &self.config,
            &self.producer,
            &format!("watch-{}", topic.name()),
            &[topic],
            Batches::default(),
            Stop::manual(Duration::ZERO),
            move |batch| {
                into.lock()
                    .expect("no panic")
                    .extend(batch.deliveries.iter().cloned());
                async { Ok::<_, String>(()) }
            },
        )
        .expect("a consumer");
        Watch {
            seen,
            _consumer: consumer,
        }
    }
}

pub(crate) struct Watch {
    seen: Arc<Mutex<Vec<Delivery>>>,
    _consumer: queue::Consumer,
}

impl Watch {
    pub(crate) fn seen(&self) -> Vec<Delivery> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Waits until there are so many.
    pub(crate) async fn count(&self, count: usize) -> Vec<Delivery> {
        until("enough messages came", async || self.seen().len() >= count).await;
        self.seen()
    }
}

fn client(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.kafka_brokers);
    client
}

pub(crate) fn message(topic: Topic, partition: i32, id: &str) -> Message {
    Message {
        topic,
        key: format!("key-{id}"),
        partition: Some(partition),
        headers: Headers::new(id, "judge-job"),
        payload: format!("payload-{id}").into_bytes(),
    }
}

/// A list that handlers write to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.lock().expect("no panic").push(note.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }

    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut all = self.all();
        all.sort();
        all
    }

    pub(crate) fn contains(&self, note: &str) -> bool {
        self.all().iter().any(|known| known == note)
    }

    pub(crate) async fn until_len(&self, len: usize) {
        until("enough notes", async || self.all().len() >= len).await;
    }
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(LIMIT, holds).await.is_ok(),
        "not within {LIMIT:?}: {what}"
    );
}
