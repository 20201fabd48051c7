//! Logs: each partition in order, batch by batch, nothing skipped.
//!
//! While a batch is being written the next one gathers, so batches grow with the load. A batch that cannot be written is
//! given again until it can; nothing behind it is given meanwhile. Only what cannot be read at all is set aside, as a dead
//! letter, before the batch it lay in is given.

use std::{collections::HashMap, fmt::Display, sync::Arc, time::Duration};

use contract::Topic;
use futures::{FutureExt as _, future::BoxFuture};
use metrics::{counter, histogram};
use tokio_util::sync::CancellationToken;

use crate::{
    Consumer, Delivery, KafkaConfig, Producer, QueueError, Stop, aside,
    consumer::Means,
    member::{Report, Reports, Work},
    message::Received,
    partitions::{Partitions, SlotId},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Successive messages of one partition.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where from.
    pub topic: Topic,
    /// The partition.
    pub partition: i32,
    /// In order; at least one.
    pub deliveries: Arc<[Delivery]>,
    /// Cancelled when the partition is wanted elsewhere or the consumer ends: 3 s, or the grace time, are left to finish.
    pub leaving: CancellationToken,
}

/// Bounds of a batch, and how many are written at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// Messages in a batch.
    pub count: usize,
    /// Bytes of payload in a batch; a single larger message is a batch of its own.
    pub bytes: usize,
    /// Partitions written at once: what the database behind it can bear.
    pub lanes: usize,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            count: 500,
            bytes: 4 << 20,
            lanes: 8,
        }
    }
}

/// Joins the group and hands each partition's messages over in order.
///
/// `Ok` commits the batch; an error, or a panic, gives the same batch again after a pause (100 ms, doubling up to 5 s).
/// When a partition is given away, a handler that has not finished within 3 s is dropped, at any of its awaits: it should do
/// its work in one transaction. Messages may come twice.
pub fn start<H, F, E>(
    config: &KafkaConfig,
    producer: &Producer,
    group: &str,
    topics: &[Topic],
    batches: Batches,
    stop: Stop,
    handler: H,
) -> Result<Consumer, QueueError>
where
    H: Fn(Batch) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let (producer, handler) = (producer.clone(), Arc::new(handler));
    let name: Arc<str> = group.into();
    let handle: Handle = Box::new(move |received, lane| {
        let (producer, handler, group) =
            (producer.clone(), Arc::clone(&handler), Arc::clone(&name));
        async move {
            let deliveries = aside::sort(&producer, received).await;
            if let Some(batch) = lane.batch(deliveries) {
                write(&*handler, &group, batch).await;
            }
            Outcome::Done
        }
        .boxed()
    });
    start_with(config, group, topics, batches, stop, handle)
}

async fn write<H, F, E>(handler: &H, group: &str, batch: Batch)
where
    H: Fn(Batch) -> F + Send + Sync,
    F: Future<Output = Result<(), E>> + Send,
    E: Display + Send,
{
    let mut pause = FIRST_PAUSE;
    let count = u32::try_from(batch.deliveries.len()).unwrap_or(u32::MAX);
    loop {
        let attempt = std::panic::AssertUnwindSafe(async { handler(batch.clone()).await });
        let reason = match attempt.catch_unwind().await {
            Ok(Ok(())) => break,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the handler panicked".to_owned(),
        };
        counter!("codementor_kafka_batches_failed_total", "group" => group.to_owned()).increment(1);
        tracing::error!(
            group,
            topic = batch.topic.name(),
            partition = batch.partition,
            offset = batch.deliveries.first().map(|delivery| delivery.offset),
            "a batch could not be written and is tried again: {reason}"
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    histogram!("codementor_kafka_batch_messages", "group" => group.to_owned()).record(count);
}

/// What a lane knows of the partition that it works for.
pub(crate) struct Lane {
    pub(crate) topic: Topic,
    pub(crate) partition: i32,
    pub(crate) leaving: CancellationToken,
    id: SlotId,
    reports: Reports,
}

impl Lane {
    /// `None` when there is nothing in it.
    fn batch(&self, deliveries: Vec<Delivery>) -> Option<Batch> {
        (!deliveries.is_empty()).then(|| Batch {
            topic: self.topic,
            partition: self.partition,
            deliveries: deliveries.into(),
            leaving: self.leaving.clone(),
        })
    }

    /// That message of the batch and all before it are done, though the batch is not.
    pub(crate) fn done_up_to(&self, offset: i64) {
        self.reports.send(Report {
            id: self.id,
            done: Some(i64::MIN..=offset),
            count: 0,
            bytes: 0,
        });
    }
}

/// How far a lane came with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing of it need come again.
    Done,
    /// It was told to leave and left the rest, see [`Lane::done_up_to`].
    Left,
}

/// Takes the messages of one partition to their end.
pub(crate) type Handle =
    Box<dyn Fn(Vec<Received>, Lane) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// The same for whoever needs more freedom than [`start`] gives.
pub(crate) fn start_with(
    config: &KafkaConfig,
    group: &str,
    topics: &[Topic],
    batches: Batches,
    stop: Stop,
    handle: Handle,
) -> Result<Consumer, QueueError> {
    Consumer::start(config, group, topics, batches.count, stop, move |means| {
        Ordered {
            means,
            batches,
            handle,
            busy: HashMap::new(),
            turn: None,
        }
    })
}

struct Ordered {
    means: Means,
    batches: Batches,
    handle: Handle,
    /// How many messages each partition's lane works on.
    busy: HashMap<SlotId, usize>,
    /// The partition that was fed last.
    turn: Option<SlotId>,
}

impl Ordered {
    fn gather(&self, partitions: &mut Partitions, id: SlotId) -> Vec<Received> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < self.batches.count && bytes < self.batches.bytes {
            let Some(received) = partitions.take(id) else {
                break;
            };
            bytes += match &received {
                Ok(delivery) => delivery.payload.len(),
                Err(unreadable) => unreadable.payload.len(),
            };
            batch.push(received);
        }
        batch
    }

    fn spawn(&mut self, partitions: &Partitions, id: SlotId, batch: Vec<Received>) {
        let offset = |received: &Received| match received {
            Ok(delivery) => delivery.offset,
            Err(unreadable) => unreadable.offset,
        };
        let (Some(slot), Some(first), Some(last)) =
            (partitions.get(id), batch.first(), batch.last())
        else {
            return;
        };
        let (offsets, count) = (offset(first)..=offset(last), batch.len());
        let lane = Lane {
            topic: slot.topic,
            partition: id.partition,
            leaving: slot.leaving.clone(),
            id,
            reports: self.means.reports.clone(),
        };
        self.busy.insert(id, count);
        let (gone, reports) = (slot.gone.clone(), self.means.reports.clone());
        let work = (self.handle)(batch, lane);
        self.means.tasks.spawn_on(
            async move {
                // One that was dropped is reported as well: its lane is free.
                let outcome = gone.run_until_cancelled(work).await;
                reports.send(Report {
                    id,
                    done: (outcome == Some(Outcome::Done)).then_some(offsets),
                    count,
                    bytes: 0,
                });
            },
            &self.means.runtime,
        );
    }
}

impl Work for Ordered {
    fn feed(&mut self, partitions: &mut Partitions) {
        let mut ids: Vec<_> = partitions
            .open()
            .filter(|id| !self.busy.contains_key(id))
            .collect();
        if let Some(turn) = self.turn
            && let Some(next) = ids.iter().position(|id| *id > turn)
        {
            ids.rotate_left(next);
        }
        for id in ids {
            if self.busy.len() >= self.batches.lanes {
                return;
            }
            let batch = self.gather(partitions, id);
            if !batch.is_empty() {
                self.turn = Some(id);
                self.spawn(partitions, id, batch);
            }
        }
    }

    fn reported(&mut self, report: &Report) {
        if let Some(count) = self.busy.get_mut(&report.id) {
            *count -= report.count;
            if *count == 0 {
                self.busy.remove(&report.id);
            }
        }
    }

    fn in_flight(&self) -> usize {
        self.busy.values().sum()
    }
}
