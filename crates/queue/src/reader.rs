//! Reading partitions by hand, without a group: for whoever wants every message from now on, on as many replicas as there are.
//!
//! Nothing is committed and nothing is kept: what was written before a partition was taken is to be had from the log.

use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use contract::Topic;
use metrics::counter;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
    topic_partition_list::Offset,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Delivery, Heartbeat, KafkaConfig, QueueError, admin::Admin, context, error::refused,
    message::receive,
};

const POLL: Duration = Duration::from_millis(100);
const QUERY_PATIENCE: Duration = Duration::from_secs(5);
/// For all partitions together: they share one queue.
const PREFETCH: usize = 20_000;

/// Reads the partitions of one topic that it was told to. Dropping it ends it.
pub struct PartitionReader {
    consumer: Arc<BaseConsumer<ReaderEvents>>,
    /// For questions: on the connection that messages come by, they would wait for the fetch that is under way.
    admin: Admin,
    topic: String,
    back: u32,
    /// From where each partition is read; `None` while it is not.
    starts: Mutex<HashMap<i32, Arc<Start>>>,
    heartbeat: Heartbeat,
    end: CancellationToken,
}

type Start = tokio::sync::Mutex<Option<i64>>;

impl PartitionReader {
    /// Starts a client that reads nothing yet. `deliver` is called by the thread that reads, for each message, in the order of
    /// its partition: it must be quick, since all partitions wait for it. `back` is how many messages before a partition's end
    /// are read as well. Ends with `stop`.
    pub fn start(
        config: &KafkaConfig,
        topic: Topic,
        client_id: &str,
        back: u32,
        stop: &CancellationToken,
        deliver: impl FnMut(Delivery) + Send + 'static,
    ) -> Result<Self, QueueError> {
        let mut client = config.consumer(client_id, PREFETCH);
        client
            // The library wants one for reading at all. It is never joined, and nothing is committed to it.
            .set("group.id", config.group(&format!("{client_id}-reader")))
            // Only after a broker lost messages: the log has what lies between.
            .set("auto.offset.reset", "latest")
            // A partition that was just taken is first asked for when the fetch under way has ended.
            .set("fetch.wait.max.ms", "50")
            .set("queued.max.messages.kbytes", "16384");
        let consumer = BaseConsumer::from_config_and_context(&client, ReaderEvents)
            .map_err(refused("to start a reader"))?;
        let consumer = Arc::new(consumer);
        let reader = Self {
            consumer: Arc::clone(&consumer),
            admin: Admin::new(config)?,
            topic: config.topic(topic),
            back,
            starts: Mutex::default(),
            heartbeat: Heartbeat::new(),
            end: stop.child_token(),
        };
        let (end, heartbeat) = (reader.end.clone(), reader.heartbeat.clone());
        thread::Builder::new()
            .name("kafka reader".to_owned())
            .spawn(move || read(&consumer, topic, &end, &heartbeat, deliver))
            .map_err(|error| QueueError::Fatal(format!("no thread for a reader: {error}")))?;
        Ok(reader)
    }

    /// Reads a partition from its present end. When this returns, every message written from then on will be delivered; the
    /// answer is the offset of the first of them. A partition that is read already goes on as it is.
    pub async fn assign(&self, partition: i32) -> Result<i64, QueueError> {
        let mut start = self.entry(partition).lock_owned().await;
        if self.end.is_cancelled() {
            return Err(QueueError::Ended);
        }
        if let Some(start) = *start {
            return Ok(start);
        }
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        let admin = self.admin.clone();
        let back = i64::from(self.back);
        // The lock goes along: should the caller go away, what is done is still known.
        blocking(move || {
            let (low, high) = admin.bounds(&topic, partition, QUERY_PATIENCE)?;
            let from = low.max(high - back);
            let list = list(&topic, partition, Offset::Offset(from))?;
            consumer
                .incremental_assign(&list)
                .map_err(refused("to read a partition"))?;
            *start = Some(from);
            Ok(from)
        })
        .await
    }

    /// Reads a partition no more.
    pub async fn release(&self, partition: i32) -> Result<(), QueueError> {
        let mut start = self.entry(partition).lock_owned().await;
        if start.is_none() {
            return Ok(());
        }
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        blocking(move || {
            let list = list(&topic, partition, Offset::Invalid)?;
            consumer
                .incremental_unassign(&list)
                .map_err(refused("to leave a partition"))?;
            *start = None;
            Ok(())
        })
        .await
    }

    /// For the liveness probe.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    fn entry(&self, partition: i32) -> Arc<Start> {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(starts.entry(partition).or_default())
    }
}

impl fmt::Debug for PartitionReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PartitionReader")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Drop for PartitionReader {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

fn read(
    consumer: &BaseConsumer<ReaderEvents>,
    topic: Topic,
    end: &CancellationToken,
    heartbeat: &Heartbeat,
    mut deliver: impl FnMut(Delivery),
) {
    let read = counter!("codementor_kafka_read_total", "topic" => topic.name());
    while !end.is_cancelled() {
        heartbeat.tick();
        match consumer.poll(POLL) {
            None => {}
            Some(Ok(message)) => match receive(topic, &message) {
                Ok(delivery) => {
                    read.increment(1);
                    if catch_unwind(AssertUnwindSafe(|| deliver(delivery))).is_err() {
                        tracing::error!("whoever takes a reader's messages panicked");
                    }
                }
                // The log's writer makes a dead letter of it.
                Err(unreadable) => {
                    let (partition, offset) = (unreadable.partition, unreadable.offset);
                    tracing::warn!(
                        partition,
                        offset,
                        reason = unreadable.reason,
                        "a message cannot be read"
                    );
                }
            },
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                tracing::error!(%code, "a reader failed for good");
                heartbeat.fail();
                return;
            }
            Some(Err(error)) => {
                tracing::warn!(topic = topic.name(), %error, "reading from Kafka is disturbed");
            }
        }
    }
    heartbeat.rest();
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueueError> + Send + 'static,
) -> Result<T, QueueError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| QueueError::Ended)?
}

fn list(topic: &str, partition: i32, offset: Offset) -> Result<TopicPartitionList, QueueError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, offset)
        .map_err(refused("an offset"))?;
    Ok(list)
}

struct ReaderEvents;

impl ClientContext for ReaderEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        context::error(&error, reason);
    }
}

impl ConsumerContext for ReaderEvents {}
