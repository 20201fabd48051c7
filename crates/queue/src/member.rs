//! One member of a consumer group: the thread that polls, and nothing else.
//!
//! ```text
//!  rebalance ─► partitions ─► work.feed() ─► tokio tasks ─► Report ─► tracker ─► position
//!      ▲                                                                 │
//!      └── answered when what was given away is idle, or after 3 s ◄─────┘
//! ```
//!
//! Positions are only stored here; the client library commits them each second, when partitions are given away and at the
//! end, each time before anybody else can begin there.
//!
//! The thread sleeps until a queue fills, a task ends, or 50 ms have passed; it never waits for the network or for a task,
//! so the group never misses it. To wait for what runs is a state that it looks at again.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::{Arc, mpsc},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use metrics::{counter, gauge};
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Heartbeat, QueueError, Stop,
    context::{MemberContext, Rebalance, answer},
    partitions::{Partitions, SlotId},
};

/// A queue that fills or a task that ends wakes the thread at once; this is for tokens and clocks.
const NAP: Duration = Duration::from_millis(50);
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);
/// How long a rebalance waits for what runs.
const REVOKE_DRAIN: Duration = Duration::from_secs(3);
/// How long an end waits until the group was left. Without a broker the client library may try for minutes: that goes on
/// behind, until the process ends.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What is done with messages. It runs on the thread that polls, so it only takes and spawns.
pub(crate) trait Work: Send + 'static {
    /// Takes what there is room for.
    fn feed(&mut self, partitions: &mut Partitions);
    /// A task reported.
    fn reported(&mut self, report: &Report);
    /// How many messages it has taken and not finished.
    fn in_flight(&self) -> usize;
}

/// What a task reports.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) id: SlotId,
    /// These need not come again; `None` when it gave up.
    pub(crate) done: Option<RangeInclusive<i64>>,
    /// How many messages, and bytes, it has no more. None when it goes on.
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// How tasks report to the thread.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    sender: mpsc::Sender<Report>,
    thread: Thread,
}

impl Reports {
    pub(crate) fn send(&self, report: Report) {
        // Nobody listens once the member has left: then nothing can be committed any more.
        let _ = self.sender.send(report);
        self.thread.unpark();
    }
}

/// What a member's thread is given.
pub(crate) struct Setting {
    pub(crate) stop: Stop,
    /// Cancelled when the handle was dropped.
    pub(crate) dropped: CancellationToken,
    /// To be cancelled when what still runs is given up.
    pub(crate) abandon: CancellationToken,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) joined: watch::Sender<bool>,
}

struct Member<W> {
    consumer: Arc<BaseConsumer<MemberContext>>,
    partitions: Partitions,
    work: W,
    reports: mpsc::Receiver<Report>,
    setting: Setting,
    rebalances: VecDeque<Rebalance>,
    leaving: Option<Leaving>,
    next_measure: Instant,
}

/// Partitions on their way out.
struct Leaving {
    list: TopicPartitionList,
    ids: Vec<SlotId>,
    until: Instant,
}

/// Runs until it is told to stop. `work` is made on this thread, with the way to report to it.
pub(crate) fn run<W: Work>(
    consumer: BaseConsumer<MemberContext>,
    partitions: Partitions,
    setting: Setting,
    work: impl FnOnce(Reports) -> W,
) -> Result<(), QueueError> {
    let (sender, reports) = mpsc::channel();
    let thread = thread::current();
    let mut consumer = consumer;
    consumer.set_nonempty_callback({
        let thread = thread.clone();
        move || thread.unpark()
    });
    let mut member = Member {
        consumer: Arc::new(consumer),
        partitions,
        work: work(Reports { sender, thread }),
        reports,
        setting,
        rebalances: VecDeque::new(),
        leaving: None,
        next_measure: Instant::now(),
    };
    let ended = member.run_until_stopped();
    match ended {
        Ok(()) => member.setting.heartbeat.rest(),
        Err(_) => member.setting.heartbeat.fail(),
    }
    member.leave();
    ended
}

impl<W: Work> Member<W> {
    fn run_until_stopped(&mut self) -> Result<(), QueueError> {
        let mut end: Option<Instant> = None;
        loop {
            let stop = &self.setting.stop;
            if stop.hard.is_cancelled() || self.setting.dropped.is_cancelled() {
                return Ok(());
            }
            if stop.soft.is_cancelled() && end.is_none() {
                self.partitions.close();
                end = Some(Instant::now() + stop.grace);
            }
            self.turn()?;
            if end.is_some_and(|end| self.work.in_flight() == 0 || Instant::now() >= end) {
                return Ok(());
            }
            thread::park_timeout(NAP);
        }
    }

    /// Looks at everything once.
    fn turn(&mut self) -> Result<(), QueueError> {
        self.setting.heartbeat.tick();
        self.poll_events()?;
        self.take_reports();
        self.partitions.store_positions(&self.consumer);
        self.rebalance();
        self.work.feed(&mut self.partitions);
        if Instant::now() >= self.next_measure {
            self.next_measure = Instant::now() + MEASURE_INTERVAL;
            self.measure();
        }
        Ok(())
    }

    fn poll_events(&mut self) -> Result<(), QueueError> {
        while let Some(event) = self.consumer.poll(Duration::ZERO) {
            match event {
                Ok(message) => self.partitions.stray(&message),
                Err(KafkaError::MessageConsumptionFatal(code)) => {
                    return Err(QueueError::Fatal(code.to_string()));
                }
                Err(error) => self.log_error(&error),
            }
        }
        while let Some(rebalance) = self.consumer.context().next_rebalance() {
            self.rebalances.push_back(rebalance);
        }
        Ok(())
    }

    fn log_error(&self, error: &KafkaError) {
        let group = &self.consumer.context().group;
        let missing = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
        );
        if missing {
            tracing::warn!(group, %error, "a topic is not there; `codementor setup` makes it");
        } else {
            tracing::warn!(group, %error, "reading from Kafka is disturbed");
        }
    }

    fn take_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.partitions.note(&report);
            self.work.reported(&report);
        }
    }

    /// Takes one step towards what the group wants.
    fn rebalance(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            self.leaving = self.go_on_leaving(leaving);
            return;
        }
        let Some(rebalance) = self.rebalances.pop_front() else {
            return;
        };
        let group = self.consumer.context().group.clone();
        match rebalance {
            Rebalance::Assign(list) => {
                counter!("codementor_kafka_rebalances_total", "group" => group.clone(), "kind" => "assign")
                    .increment(1);
                self.partitions
                    .add(&self.consumer, &list, &thread::current());
                answer(&self.consumer, &Rebalance::Assign(list));
                let owned = self.partitions.len();
                tracing::info!(group, owned, "group {group}: {owned} partitions are ours");
                self.setting.joined.send_replace(true);
            }
            Rebalance::Revoke(list) => {
                counter!("codementor_kafka_rebalances_total", "group" => group, "kind" => "revoke")
                    .increment(1);
                let ids = self.partitions.among(&list);
                self.partitions.begin_leaving(&ids);
                let leaving = Leaving {
                    list,
                    ids,
                    until: Instant::now() + REVOKE_DRAIN,
                };
                self.leaving = self.go_on_leaving(leaving);
            }
        }
    }

    /// Waits for what runs, then gives away. What was lost already is given away at once.
    fn go_on_leaving(&mut self, leaving: Leaving) -> Option<Leaving> {
        let waits = Instant::now() < leaving.until && !self.partitions.are_idle(&leaving.ids);
        if waits && !self.consumer.assignment_lost() {
            return Some(leaving);
        }
        self.partitions.remove(&leaving.ids);
        answer(&self.consumer, &Rebalance::Revoke(leaving.list));
        let (group, owned) = (&self.consumer.context().group, self.partitions.len());
        tracing::info!(group, owned, "group {group}: {owned} partitions are left");
        None
    }

    #[expect(clippy::cast_precision_loss, reason = "gauges are floating-point")]
    fn measure(&mut self) {
        let group = self.consumer.context().group.clone();
        gauge!("codementor_kafka_in_flight", "group" => group.clone())
            .set(self.work.in_flight() as f64);
        gauge!("codementor_kafka_oldest_in_flight_seconds", "group" => group.clone())
            .set(self.partitions.oldest().as_secs_f64());
        gauge!("codementor_kafka_partitions", "group" => group).set(self.partitions.len() as f64);
    }

    /// Gives up what runs and leaves the group.
    fn leave(mut self) {
        self.take_reports();
        self.partitions.store_positions(&self.consumer);
        self.setting.abandon.cancel();
        // From here the context answers by itself; what it noted before is answered first.
        self.consumer.context().close();
        if let Some(leaving) = self.leaving.take() {
            answer(&self.consumer, &Rebalance::Revoke(leaving.list));
        }
        while let Some(rebalance) = self.consumer.context().next_rebalance() {
            self.rebalances.push_back(rebalance);
        }
        for rebalance in std::mem::take(&mut self.rebalances) {
            answer(&self.consumer, &rebalance);
        }
        self.partitions.remove_all();
        self.measure();
        // The last to hold the client ends it: it commits and leaves the group.
        let (closed, is_closed) = mpsc::channel::<()>();
        let group = self.consumer.context().group.clone();
        thread::spawn(move || {
            drop(self);
            drop(closed);
        });
        if is_closed.recv_timeout(CLOSE_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(
                group,
                "group {group} could not be left in order: Kafka does not answer"
            );
        }
    }
}
