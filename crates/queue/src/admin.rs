//! Topics: made once, by an explicit step, and looked at afterwards. Groups: how far they are, without joining them.
//!
//! Never changes a topic that is there: more partitions would move keys, and that is an operator's decision.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::Topic;
use rdkafka::{
    TopicPartitionList,
    config::FromClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    metadata::{Metadata, MetadataPartition},
    topic_partition_list::Offset,
};
use tokio_util::sync::CancellationToken;

use crate::{
    KafkaConfig, QueueError,
    error::{discard, refused},
    watermarks,
};

mod topics;

pub use topics::{Profile, check_topics, create_topics};

const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at topics that are as they should be, and at ones that are not.
const SELDOM: Duration = Duration::from_mins(1);
const OFTEN: Duration = Duration::from_secs(2);

/// Asks about topics and groups, again and again. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    inner: Arc<Inner>,
}

struct Inner {
    config: KafkaConfig,
    /// One for topics (no name), one for each group that was asked for; none of them ever joins.
    clients: Mutex<HashMap<String, Arc<BaseConsumer>>>,
}

/// How far a group is behind on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// By partition.
    pub partitions: BTreeMap<i32, PartitionLag>,
}

/// How far a group is behind on a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionLag {
    /// The first offset that is not done with, where the group has ever said one.
    pub committed: Option<i64>,
    /// The offset of the next message to be written.
    pub end: i64,
    /// Messages between, or all that are kept.
    pub lag: i64,
}

impl Lag {
    /// Messages over all partitions.
    pub fn total(&self) -> i64 {
        self.partitions
            .values()
            .map(|partition| partition.lag)
            .sum()
    }
}

impl Admin {
    /// Connects when it is first asked.
    pub fn new(config: &KafkaConfig) -> Result<Self, QueueError> {
        let inner = Inner {
            config: config.clone(),
            clients: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Whether all topics are there with enough partitions that can be written to.
    pub async fn check_topics(&self, profile: Profile) -> Result<(), QueueError> {
        self.ask(move |inner| {
            let metadata = inner
                .client("")?
                .fetch_metadata(None, PATIENCE)
                .map_err(QueueError::Unreachable)?;
            let (mut missing, mut small) = (Vec::new(), Vec::new());
            for topic in Topic::ALL {
                let name = inner.config.topic(topic);
                let (found, wanted) = (usable(&metadata, &name), profile.partitions(topic));
                match found {
                    Some(found) if found >= wanted => {}
                    Some(found) => small.push(format!("{name} has {found} of {wanted}")),
                    None => missing.push(name),
                }
            }
            if !missing.is_empty() {
                let missing = missing.join(", ");
                return Err(QueueError::Missing(format!("usable topic {missing}")));
            }
            if !small.is_empty() {
                return Err(QueueError::TooFewPartitions(small.join(", ")));
            }
            Ok(())
        })
        .await
    }

    /// Looks whether all topics are there with as many partitions as the smallest installation has, and tells, until `end`: often
    /// while something is wrong, seldom while all is well.
    pub async fn watch_topics(
        self,
        end: CancellationToken,
        tell: impl Fn(Result<(), QueueError>) + Send,
    ) {
        let watching = async {
            loop {
                let found = self.check_topics(Profile::Dev).await;
                let pause = if found.is_ok() { SELDOM } else { OFTEN };
                tell(found);
                tokio::time::sleep(pause).await;
            }
        };
        end.run_until_cancelled(watching).await;
    }

    /// The first offset of each partition that the group is not done with; a partition that it never committed is left out.
    pub async fn committed(
        &self,
        group: &str,
        topic: Topic,
    ) -> Result<HashMap<i32, i64>, QueueError> {
        let group = group.to_owned();
        self.ask(move |inner| inner.committed(&group, topic)).await
    }

    /// The offset that the next message of each partition will have.
    pub async fn end_offsets(&self, topic: Topic) -> Result<HashMap<i32, i64>, QueueError> {
        self.ask(move |inner| {
            let bounds = inner.bounds(topic)?;
            Ok(bounds.map(|(partition, _, end)| (partition, end)).collect())
        })
        .await
    }

    /// How far the group is behind on the topic.
    pub async fn lag(&self, group: &str, topic: Topic) -> Result<Lag, QueueError> {
        let group = group.to_owned();
        self.ask(move |inner| {
            // In this order: a lag is never negative.
            let committed = inner.committed(&group, topic)?;
            let partitions = inner
                .bounds(topic)?
                .map(|(partition, first, end)| {
                    let committed = committed.get(&partition).copied();
                    // What was deleted for its age cannot be behind any more.
                    let lag = (end - committed.unwrap_or(first).max(first)).max(0);
                    let lag = PartitionLag {
                        committed,
                        end,
                        lag,
                    };
                    (partition, lag)
                })
                .collect();
            Ok(Lag { partitions })
        })
        .await
    }

    /// The first offset that is kept and the next to be written, of one partition. Blocks.
    pub(crate) fn bounds(
        &self,
        topic: &str,
        partition: i32,
        patience: Duration,
    ) -> Result<(i64, i64), QueueError> {
        let client = self.inner.client("")?;
        watermarks::query(&client, topic, partition, patience)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Inner) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || question(&inner))
            .await
            .map_err(|_| QueueError::Ended)?
    }
}

impl Inner {
    /// The client for a group, without having read what it has to say since it was last used.
    fn client(&self, group: &str) -> Result<Arc<BaseConsumer>, QueueError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let client = if let Some(client) = clients.get(group) {
            Arc::clone(client)
        } else {
            let mut config = self.config.client("codementor-admin");
            if !group.is_empty() {
                config.set("group.id", self.config.group(group));
            }
            let client =
                BaseConsumer::from_config(&config).map_err(refused("to start a client"))?;
            let client = Arc::new(client);
            clients.insert(group.to_owned(), Arc::clone(&client));
            client
        };
        drop(clients);
        // Log lines gather in its queue.
        while client.poll(Duration::ZERO).is_some() {}
        Ok(client)
    }

    fn partitions(&self, topic: Topic) -> Result<Vec<i32>, QueueError> {
        let name = self.config.topic(topic);
        let metadata = self
            .client("")?
            .fetch_metadata(Some(&name), PATIENCE)
            .map_err(QueueError::Unreachable)?;
        let partitions: Vec<_> = metadata
            .topics()
            .iter()
            .filter(|found| found.name() == name)
            .flat_map(|found| found.partitions().iter().map(MetadataPartition::id))
            .collect();
        if partitions.is_empty() {
            return Err(QueueError::Missing(format!("topic {name}")));
        }
        Ok(partitions)
    }

    fn committed(&self, group: &str, topic: Topic) -> Result<HashMap<i32, i64>, QueueError> {
        let name = self.config.topic(topic);
        let mut list = TopicPartitionList::new();
        for partition in self.partitions(topic)? {
            list.add_partition(&name, partition);
        }
        let list = self
            .client(group)?
            .committed_offsets(list, PATIENCE)
            .map_err(QueueError::Unreachable)?;
        let mut committed = HashMap::new();
        for element in list.elements() {
            element.error().map_err(refused("an offset"))?;
            if let Offset::Offset(offset) = element.offset() {
                committed.insert(element.partition(), offset);
            }
        }
        Ok(committed)
    }

    /// Partition, first and next offset of each.
    fn bounds(
        &self,
        topic: Topic,
    ) -> Result<impl Iterator<Item = (i32, i64, i64)> + use<>, QueueError> {
        let (name, client) = (self.config.topic(topic), self.client("")?);
        let mut bounds = Vec::new();
        for partition in self.partitions(topic)? {
            let (first, end) = watermarks::query(&client, &name, partition, PATIENCE)?;
            bounds.push((partition, first, end));
        }
        Ok(bounds.into_iter())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let clients = std::mem::take(
            self.clients
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
        discard(clients);
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Admin").finish_non_exhaustive()
    }
}

/// How many partitions of a topic have a leader; `None` when it is not there or not all have one.
fn usable(metadata: &Metadata, name: &str) -> Option<usize> {
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == name && topic.error().is_none())?;
    let all_led = topic
        .partitions()
        .iter()
        .all(|partition| partition.leader() >= 0);
    (all_led && !topic.partitions().is_empty()).then(|| topic.partitions().len())
}
