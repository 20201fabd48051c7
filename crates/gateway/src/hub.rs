//! The hub: every open stream of this replica, and how events come to it.
//!
//! Correctness comes from execute's event log alone; Kafka only makes it fast. Whoever attaches (first connect, reconnect,
//! late join: one way) is registered first, then its partition is read, then the log; what was missed in between shows as a
//! gap in the fold and is read from the log. A slow net asks the log for streams that heard nothing, so that a stream is
//! late by seconds at most whatever is lost.
//!
//! ```text
//!  events.v1 ── partitions assigned by hand ──► deliver ──► Follower ──► connection
//!                                                  │ gap       ▲
//!                 execute /internal/log ◄── LogReader ─────────┘ ◄── slow net, every 2 s
//! ```
//!
//! Never waits for a connection: one that does not keep up is cut off, and resumes.

mod follower;
pub(crate) mod frame;
mod holds;
mod log;
mod partitions;
mod stream;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use contract::{EventKey, StreamEvent, SubmissionId, Topic, internal::StreamInfo};
use queue::{Delivery, KafkaConfig, PartitionReader, QueueError, admin::Admin};
use rand::{Rng, seq::SliceRandom};
use service::{Client, Ops, Part, Problem, Shutdown};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{NAME, config::Config, limits::StreamPlace};
use follower::{End, Follower, Need, Offered};
use log::LogReader;
use partitions::Partitions;
pub(crate) use stream::Stream;

/// How often the log is asked for streams that heard nothing.
const NET: Duration = Duration::from_secs(2);
/// How long an attach waits for its partition before it relies on the log alone.
const PARTITION_PATIENCE: Duration = Duration::from_secs(2);
/// Pauses between reads of the log while something is missing.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often the home partition is asked for while Kafka is away.
const HOME_PAUSE: Duration = Duration::from_secs(1);
/// At a shutdown streams end one after another, this far apart at most.
const DRAIN_STEP: Duration = Duration::from_millis(20);
/// When to come back, in milliseconds, spread so that not all do at once.
const RETRY_MS: std::ops::Range<u64> = 500..5_000;

/// All open streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    followers: Mutex<Followers>,
    partitions: Partitions,
    log: LogReader,
    draining: AtomicBool,
    heartbeat: Duration,
    runtime: Handle,
    shutdown: Shutdown,
}

type Followers = HashMap<SubmissionId, Vec<Arc<Follower>>>;

impl Hub {
    /// Starts reading events and holds streams from now on. Kafka may be away: then they come from the log, late by seconds.
    /// What it spawns ends with `shutdown`; the reader's thread with `end`.
    pub(crate) async fn start(
        config: &Config,
        execute: Client,
        ops: &Ops,
        shutdown: &Shutdown,
        end: &CancellationToken,
    ) -> Result<Self, QueueError> {
        let home = partitions::home_of(
            &config.instance_name(),
            count_partitions(&config.kafka).await,
        );
        let hub: Arc<OnceLock<Self>> = Arc::default();
        let deliver = {
            let hub = Arc::clone(&hub);
            // Nothing is assigned before it is set.
            move |delivery: Delivery| hub.get().into_iter().for_each(|hub| hub.deliver(&delivery))
        };
        let reader = PartitionReader::start(&config.kafka, Topic::Events, NAME, 0, end, deliver)?;
        let heartbeat = reader.heartbeat();
        ops.alive("events reader", move || heartbeat.is_alive());
        let started = Self(Arc::new(Inner {
            followers: Mutex::default(),
            partitions: Partitions::new(home, reader),
            log: LogReader::new(execute),
            draining: AtomicBool::new(false),
            heartbeat: config.heartbeat(),
            runtime: Handle::current(),
            shutdown: shutdown.clone(),
        }));
        let started = hub.get_or_init(|| started).clone();
        let tasks = shutdown.tracker();
        tasks.spawn(started.clone().settle_at_home(ops.optional_part("events")));
        tasks.spawn(started.clone().cast_nets());
        tasks.spawn(started.clone().drain_at_the_end(config.drain_time()));
        Ok(started)
    }

    /// Has the home partition read, as soon as Kafka lets us.
    async fn settle_at_home(self, part: Part) {
        let soft = self.0.shutdown.soft().clone();
        let settling = async {
            while let Err(error) = self.0.partitions.ensure(self.home()).await {
                part.failing(format!(
                    "{error}: streams get their events from the log, seconds late"
                ));
                tokio::time::sleep(HOME_PAUSE).await;
            }
            part.ok();
        };
        soft.run_until_cancelled(settling).await;
    }

    /// After how long a silence a stream says that it is still there.
    pub(crate) fn heartbeat(&self) -> Duration {
        self.0.heartbeat
    }

    /// When streams are to end, because we do.
    pub(crate) fn soft_end(&self) -> CancellationToken {
        self.0.shutdown.soft().clone()
    }

    /// The partition that this replica's submissions get their events from.
    pub(crate) fn home(&self) -> i32 {
        self.0.partitions.home()
    }

    /// A stream that is registered but shows nothing yet: before its submission exists, no event of it can be missed.
    pub(crate) fn register(
        &self,
        submission: SubmissionId,
        partition: i32,
        place: StreamPlace,
    ) -> Result<Stream, Problem> {
        self.add(submission, 1, partition, None, place)
    }

    /// Begins to show a registered stream: its submission was accepted. `muted`: no more than that, and the end.
    pub(crate) fn begin(&self, stream: Stream, muted: bool) -> Stream {
        if muted {
            stream.follower().mute();
        }
        self.spawn_catch_up(stream.follower(), Duration::ZERO);
        stream
    }

    /// A stream of a submission that exists, from behind `last_event_id` on.
    pub(crate) async fn attach(
        &self,
        submission: SubmissionId,
        info: StreamInfo,
        last_event_id: Option<EventKey>,
        place: StreamPlace,
    ) -> Result<Stream, Problem> {
        if info.terminal {
            let follower = Follower::new(submission, info.judgement, last_event_id, Instant::now());
            if info.muted {
                follower.mute();
            }
            let stream = self.guard(follower.of_whole_log(), None, place);
            self.read_log(stream.follower()).await?;
            return Ok(stream);
        }
        let stream = self.add(
            submission,
            info.judgement,
            info.reply_partition,
            last_event_id,
            place,
        )?;
        if info.muted {
            stream.follower().mute();
        }
        let partition = info.reply_partition;
        match tokio::time::timeout(PARTITION_PATIENCE, self.0.partitions.ensure(partition)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(partition, %error, "partition {partition} cannot be read: streams are late");
            }
            Err(_) => tracing::warn!(
                partition,
                "partition {partition} is not read yet: streams are late"
            ),
        }
        if self.read_log(stream.follower()).await? == Need::Log {
            self.spawn_catch_up(stream.follower(), FIRST_PAUSE);
        }
        Ok(stream)
    }

    fn add(
        &self,
        submission: SubmissionId,
        judgement: u32,
        partition: i32,
        last_event_id: Option<EventKey>,
        place: StreamPlace,
    ) -> Result<Stream, Problem> {
        let follower = Follower::new(submission, judgement, last_event_id, Instant::now());
        let mut followers = self.followers();
        // Looked at while the list is ours: what is in it when the end begins is ended.
        if self.0.draining.load(Ordering::Relaxed) {
            return Err(
                Problem::unavailable("this replica is ending: connect again").retry_after(1),
            );
        }
        let stream = self.guard(follower, Some(partition), place);
        followers
            .entry(submission)
            .or_insert_with(|| Vec::with_capacity(1))
            .push(Arc::clone(stream.follower()));
        Ok(stream)
    }

    fn guard(&self, follower: Follower, partition: Option<i32>, place: StreamPlace) -> Stream {
        if let Some(partition) = partition {
            self.0.partitions.hold(partition);
        }
        Stream::new(self.clone(), Arc::new(follower), partition, place)
    }

    /// Removes a stream that nobody reads any more.
    fn leave(&self, follower: &Arc<Follower>, partition: Option<i32>) {
        follower.close(End::Left);
        if let Some(partition) = partition {
            self.forget(follower);
            self.0.partitions.release(partition);
        }
    }

    fn forget(&self, follower: &Arc<Follower>) {
        let mut followers = self.followers();
        if let Some(list) = followers.get_mut(&follower.submission) {
            list.retain(|other| !Arc::ptr_eq(other, follower));
            if list.is_empty() {
                followers.remove(&follower.submission);
            }
        }
    }

    /// An event came from Kafka.
    pub(crate) fn deliver(&self, delivery: &Delivery) {
        let Ok(submission) = delivery.key.parse::<SubmissionId>() else {
            return;
        };
        let Some(list) = self.followers().get(&submission).cloned() else {
            return;
        };
        match serde_json::from_slice::<StreamEvent>(&delivery.payload) {
            Ok(event) => self.offer(&list, event),
            // What it was is in the log, or will be a dead letter there.
            Err(error) => tracing::warn!(%submission, %error, "an event cannot be read"),
        }
    }

    fn offer(&self, list: &[Arc<Follower>], event: StreamEvent) {
        let (offered, now) = (Offered::new(event), Instant::now());
        for follower in list {
            match follower.offer(&offered, now) {
                Need::Nothing => {}
                Need::Log => {
                    metrics::counter!("codementor_stream_gaps_total").increment(1);
                    self.spawn_catch_up(follower, Duration::ZERO);
                }
                Need::Forget => {
                    if follower.ended() == Some(End::Slow) {
                        tracing::info!(submission = %follower.submission, "a stream was cut off: its client does not keep up");
                    }
                    self.forget(follower);
                }
            }
        }
    }

    /// Reads the log once for one stream.
    async fn read_log(&self, follower: &Arc<Follower>) -> Result<Need, log::Unread> {
        let Some(read) = follower.read() else {
            return Ok(Need::Forget);
        };
        let part = self.0.log.read(read).await?;
        Ok(follower.fill(&part.events, Instant::now()))
    }

    /// Reads the log again and again until nothing is missing.
    fn spawn_catch_up(&self, follower: &Arc<Follower>, first_pause: Duration) {
        let (hub, follower) = (self.clone(), Arc::clone(follower));
        let hard = self.0.shutdown.hard().clone();
        let catching_up = async move {
            let mut pause = first_pause;
            loop {
                tokio::time::sleep(pause).await;
                match hub.read_log(&follower).await {
                    Ok(Need::Nothing) => return,
                    Ok(Need::Forget) => return hub.forget(&follower),
                    Ok(Need::Log) => {}
                    Err(error) => {
                        tracing::warn!(submission = %follower.submission, %error, "cannot read the log of a stream yet");
                    }
                }
                pause = (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            }
        };
        // Events are delivered by a thread that is not the runtime's.
        self.0
            .runtime
            .spawn(hard.run_until_cancelled_owned(catching_up));
    }

    /// The slow net, until the end.
    pub(crate) async fn cast_nets(self) {
        let soft = self.0.shutdown.soft().clone();
        let casting = async {
            loop {
                // Replicas that started together do not ask together for ever.
                let jitter = rand::rng().random_range(0.9..1.1);
                tokio::time::sleep(NET.mul_f64(jitter)).await;
                if let Some(then) = Instant::now().checked_sub(NET) {
                    self.cast_net(then).await;
                }
                self.0.partitions.release_lapsed().await;
            }
        };
        soft.run_until_cancelled(casting).await;
    }

    async fn cast_net(&self, then: Instant) {
        let quiet: Vec<_> = {
            let followers = self.followers();
            let all = followers.values().flatten();
            all.filter(|follower| follower.is_quiet_since(then))
                .cloned()
                .collect()
        };
        for some in quiet.chunks(log::MOST_READS) {
            let (reads, some): (Vec<_>, Vec<_>) = some
                .iter()
                .filter_map(|follower| Some((follower.read()?, follower)))
                .unzip();
            if reads.is_empty() {
                continue;
            }
            match self.0.log.read_many(reads).await {
                Ok(parts) => {
                    for (part, follower) in parts.into_iter().zip(some) {
                        if let Some(position) = part.position {
                            follower.tell_position(position);
                        }
                        match follower.fill(&part.events, Instant::now()) {
                            Need::Nothing => {}
                            Need::Log => self.spawn_catch_up(follower, FIRST_PAUSE),
                            Need::Forget => self.forget(follower),
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot read the log of quiet streams"),
            }
        }
    }

    /// Ends all streams when the end begins, spread over `most` at the longest.
    pub(crate) async fn drain_at_the_end(self, most: Duration) {
        self.0.shutdown.soft().cancelled().await;
        self.0.draining.store(true, Ordering::Relaxed);
        let mut streams: Vec<_> = self.followers().values().flatten().cloned().collect();
        let Ok(count) = u32::try_from(streams.len()) else {
            return;
        };
        if count > 0 {
            tracing::info!(streams = count, "ending {count} open streams");
        }
        streams.shuffle(&mut rand::rng());
        let step = (most / count.max(1)).min(DRAIN_STEP);
        for follower in streams {
            follower.drain(rand::rng().random_range(RETRY_MS));
            tokio::time::sleep(step).await;
        }
        // Those that were registered while it began.
        for follower in self.followers().values().flatten() {
            follower.drain(rand::rng().random_range(RETRY_MS));
        }
    }

    fn followers(&self) -> MutexGuard<'_, Followers> {
        self.0
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many partitions there are; the least there may be while Kafka is away.
async fn count_partitions(kafka: &KafkaConfig) -> usize {
    let counted = match Admin::new(kafka) {
        Ok(admin) => admin
            .end_offsets(Topic::Events)
            .await
            .map(|ends| ends.len()),
        Err(error) => Err(error),
    };
    counted.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot count the partitions of events: {error}");
        Topic::Events.settings().partitions_dev.into()
    })
}
