//! Jobs: many at once, finished in any order, committed up to the first unfinished one.
//!
//! A message is finished when its handler said so, or when it lies in the retry topic or among the dead letters: only then
//! may its offset be committed. Everything may come twice (a crash, a rebalance), so handlers are idempotent.
//!
//! ```text
//!  partition queues ──room?──► handler ─┬─ Finished ───────────────────────► offset done
//!   (in order of topics,                ├─ Retry, panic ─► retry.v1 ──ack──► offset done
//!    round robin in each)               └─ Dead, unreadable ─► dead-letters.v1 ──ack──► offset done
//! ```

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use contract::Topic;
use futures::FutureExt as _;
use metrics::{counter, histogram};
use tracing::Instrument as _;

use crate::{
    Consumer, Delivery, KafkaConfig, Producer, QueueError, Stop, aside,
    consumer::Means,
    member::{Report, Work},
    message::Received,
    partitions::{Partitions, SlotId},
};

/// What would come again after a crash is bounded for each partition, however long its oldest job takes.
const LONGEST_SPAN: usize = 4096;

/// Wanted in memory of each partition, so that a small window need not wait for the network.
const LEAST_PREFETCH: usize = 64;

/// A message whose handler panicked as often is no accident.
const PANICS: u32 = 5;

/// Pauses before a dead letter is given again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It need not come again.
    Finished,
    /// It shall come again after the delay, with its attempt counted up.
    Retry {
        /// Why, for the operator.
        reason: String,
    },
    /// It is a dead letter.
    Dead {
        /// Why, for the operator.
        reason: String,
    },
}

impl Done {
    /// To be tried again.
    pub fn retry(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Retry { reason }
    }

    /// A dead letter.
    pub fn dead(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Dead { reason }
    }
}

/// How much may be unfinished at once, over all partitions. A single message may be larger than `bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Messages.
    pub count: usize,
    /// Bytes of their payloads.
    pub bytes: usize,
}

/// Joins the group and hands each message to a task of its own.
///
/// Topics that stand first are fed first. A message whose handler panics is tried again, and is a dead letter at the fifth
/// attempt. What comes from [`Topic::DeadLetters`] itself is given again in place until it is finished.
/// When a partition is given away, its handlers have 3 s to finish and then go on, but the partition's new owner gets their
/// messages as well; at the end of the grace time they are dropped.
pub fn start<H, F>(
    config: &KafkaConfig,
    producer: &Producer,
    group: &str,
    topics: &[Topic],
    window: Window,
    stop: Stop,
    handler: H,
) -> Result<Consumer, QueueError>
where
    H: Fn(Delivery) -> F + Send + Sync + 'static,
    F: Future<Output = Done> + Send + 'static,
{
    let (producer, handler) = (producer.clone(), Arc::new(handler));
    let name: Arc<str> = group.into();
    let prefetch = window.count.saturating_mul(2).max(LEAST_PREFETCH);
    Consumer::start(config, group, topics, prefetch, stop, move |means| {
        Windowed {
            means,
            window,
            handle: Arc::new(move |received| {
                let (producer, handler, group) =
                    (producer.clone(), Arc::clone(&handler), Arc::clone(&name));
                async move { settle(&producer, &*handler, &group, received).await }.boxed()
            }),
            count: 0,
            bytes: 0,
            turn: None,
        }
    })
}

/// Takes a message to its end, whatever that is.
type Handle = Arc<dyn Fn(Received) -> futures::future::BoxFuture<'static, ()> + Send + Sync>;

struct Windowed {
    means: Means,
    window: Window,
    handle: Handle,
    count: usize,
    bytes: usize,
    /// The partition that was fed last.
    turn: Option<SlotId>,
}

impl Windowed {
    fn has_room(&self) -> bool {
        self.count < self.window.count && self.bytes < self.window.bytes
    }

    /// One message from each partition of a topic, beginning behind the one that was fed last. False when all were empty.
    fn feed_round(&mut self, partitions: &mut Partitions, mut ids: Vec<SlotId>) -> bool {
        if let Some(turn) = self.turn
            && let Some(next) = ids.iter().position(|id| *id > turn)
        {
            ids.rotate_left(next);
        }
        let mut fed = false;
        for id in ids {
            if !self.has_room() {
                return false;
            }
            let at_bound = partitions
                .get(id)
                .is_none_or(|slot| slot.span() >= LONGEST_SPAN);
            if !at_bound && let Some(received) = partitions.take(id) {
                self.turn = Some(id);
                self.spawn(id, received);
                fed = true;
            }
        }
        fed
    }

    fn spawn(&mut self, id: SlotId, received: Received) {
        let (offset, bytes) = match &received {
            Ok(delivery) => (delivery.offset, delivery.payload.len()),
            Err(unreadable) => (unreadable.offset, unreadable.payload.len()),
        };
        self.count += 1;
        self.bytes += bytes;
        let work = (self.handle)(received);
        let (abandon, reports) = (self.means.abandon.clone(), self.means.reports.clone());
        self.means.tasks.spawn_on(
            async move {
                if abandon.run_until_cancelled(work).await.is_some() {
                    reports.send(Report {
                        id,
                        done: Some(offset..=offset),
                        count: 1,
                        bytes,
                    });
                }
            },
            &self.means.runtime,
        );
    }
}

impl Work for Windowed {
    fn feed(&mut self, partitions: &mut Partitions) {
        let mut rank = 0;
        while self.has_room() {
            let ids: Vec<_> = partitions.open().filter(|id| id.rank >= rank).collect();
            let Some(first) = ids.first().map(|id| id.rank) else {
                return;
            };
            rank = first;
            let ids = ids.into_iter().filter(|id| id.rank == rank).collect();
            if !self.feed_round(partitions, ids) {
                rank += 1;
            }
        }
    }

    fn reported(&mut self, report: &Report) {
        self.count -= report.count;
        self.bytes -= report.bytes;
    }

    fn in_flight(&self) -> usize {
        self.count
    }
}

async fn settle<H, F>(producer: &Producer, handler: &H, group: &str, received: Received)
where
    H: Fn(Delivery) -> F + Send + Sync,
    F: Future<Output = Done> + Send,
{
    let delivery = match received {
        Ok(delivery) => delivery,
        Err(message) => return aside::unreadable(producer, &message).await,
    };
    let span = tracing::info_span!(
        "delivery",
        topic = delivery.topic.name(),
        partition = delivery.partition,
        offset = delivery.offset,
        id = delivery.headers.id,
        attempt = delivery.headers.attempt,
    );
    async {
        let mut pause = FIRST_PAUSE;
        loop {
            let done = handle(handler, group, &delivery).await;
            match done {
                Done::Finished => return,
                // Where it lies is the last place there is, and its headers tell where it came from: it stays.
                Done::Retry { reason } | Done::Dead { reason }
                    if delivery.topic == Topic::DeadLetters =>
                {
                    tracing::error!("a dead letter cannot be taken and is tried again: {reason}");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Done::Retry { reason } => return aside::retry(producer, &delivery, &reason).await,
                Done::Dead { reason } => return aside::dead(producer, &delivery, &reason).await,
            }
        }
    }
    .instrument(span)
    .await;
}

async fn handle<H, F>(handler: &H, group: &str, delivery: &Delivery) -> Done
where
    H: Fn(Delivery) -> F + Send + Sync,
    F: Future<Output = Done> + Send,
{
    let since = Instant::now();
    let for_handler = delivery.clone();
    // Made inside, since making it may panic as well.
    let done = AssertUnwindSafe(async { handler(for_handler).await })
        .catch_unwind()
        .await;
    let (outcome, done) = match done {
        Ok(done) => (name(&done), done),
        Err(panic) => ("panicked", after_panic(delivery, &*panic)),
    };
    let labels = [("group", group.to_owned()), ("outcome", outcome.to_owned())];
    histogram!("codementor_kafka_handling_seconds", &labels).record(since.elapsed().as_secs_f64());
    counter!("codementor_kafka_handled_total", &labels).increment(1);
    done
}

fn name(done: &Done) -> &'static str {
    match done {
        Done::Finished => "finished",
        Done::Retry { .. } => "retry",
        Done::Dead { .. } => "dead",
    }
}

fn after_panic(delivery: &Delivery, panic: &(dyn Any + Send)) -> Done {
    let said = panic
        .downcast_ref::<&str>()
        .map(|said| (*said).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!("the handler panicked: {said}");
    let reason = format!("the handler panicked: {said}");
    if delivery.headers.attempt >= PANICS {
        Done::Dead { reason }
    } else {
        Done::Retry { reason }
    }
}
