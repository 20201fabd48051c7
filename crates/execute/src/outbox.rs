//! From the outbox to Kafka: at once after the commit, and by a sweeper for whatever did not get through.
//!
//! ```text
//!   committed ──send_now──► producer ──ack──► settler: removes rows, notes where jobs lie, many at a time
//!       │                                        ▲ no answer for 2 s: put off by 30 s
//!       └──── older than 1 s: sweeper (SKIP LOCKED) ──► producer ──ack──► removes rows
//! ```
//! A message may go out twice, never less than once: a row is removed only behind its acknowledgement. What no broker will
//! ever take becomes a dead letter, so that it does not hold up the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, AtomicU64, Ordering},
    },
    time::Duration,
};

use contract::{SubmissionId, Topic};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use metrics::gauge;
use queue::{Message, ProduceError, Producer};
use service::{Problem, Shutdown, database};
use sqlx::PgPool;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use crate::{
    config::Patience,
    store::{
        accept::Placed,
        dead_letter::{self, NewDeadLetter},
        intake,
        outbox::{self, Acknowledged, Due},
    },
};

/// How often the sweeper looks when nobody calls it.
const SWEEP: Duration = Duration::from_millis(500);

/// How many messages the sweeper takes at once.
const SWEEP_ROWS: i64 = 500;

/// How long a sweep waits for its acknowledgements: a partition without a leader answers nothing for half a minute.
const SWEEP_WAIT: Duration = Duration::from_secs(2);

/// What Kafka did not take is left alone for so long, and others come first. The producer goes on trying as long by itself.
const PUT_OFF: Duration = Duration::from_secs(30);

/// How often the backlog is measured.
const MEASURE: Duration = Duration::from_secs(1);

/// How often the partitions are counted anew: the operator may add some.
const RECOUNT: Duration = Duration::from_mins(1);

/// Acknowledgements that are written down together, and how long the first of them waits for others.
const SETTLE_ROWS: usize = 500;
const SETTLE_WAIT: Duration = Duration::from_millis(20);

/// How long acknowledgements are waited for at the end.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// What a client shall wait when the outbox is full: Kafka is away, and nobody knows for how long.
const RETRY_AFTER: u64 = 30;

/// Of the time that the line takes, how much passes until it is worth another try.
const SHARE_OF_LINE: u32 = 20;

/// Bounds of that, in seconds.
const LINE_RETRY_AFTER: (u64, u64) = (5, 300);

/// The way to Kafka. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    /// How long Postgres is waited for.
    database_patience: Duration,
    producer: Producer,
    sent: mpsc::UnboundedSender<(i64, queue::Receipt)>,
    wake: Notify,
    rows: AtomicU64,
    oldest_ms: AtomicU64,
    /// Those that wait for a worker: how many, and how long the first of them does.
    waiting: AtomicU64,
    waiting_ms: AtomicU64,
    max_waiting: u64,
    max_waiting_age: Duration,
    /// Of the events topic; 0 as long as Kafka has not said.
    partitions: AtomicI32,
    max_rows: u64,
    max_age: Duration,
}

type Settling = BoxFuture<'static, (i64, Result<queue::Placed, ProduceError>)>;

impl Outbox {
    /// Starts settler, sweeper and measuring; they end with `shutdown`.
    pub(crate) fn start(
        pool: PgPool,
        database_patience: Duration,
        producer: Producer,
        patience: &Patience,
        shutdown: &Shutdown,
    ) -> Self {
        let (sent, receipts) = mpsc::unbounded_channel();
        let outbox = Self {
            inner: Arc::new(Inner {
                pool,
                database_patience,
                producer,
                sent,
                wake: Notify::new(),
                rows: AtomicU64::new(0),
                oldest_ms: AtomicU64::new(0),
                waiting: AtomicU64::new(0),
                waiting_ms: AtomicU64::new(0),
                max_waiting: patience.waiting_most,
                max_waiting_age: patience.waiting_age,
                partitions: AtomicI32::new(0),
                max_rows: patience.outbox_rows,
                max_age: patience.outbox_age,
            }),
        };
        let tracker = shutdown.tracker();
        tracker.spawn(outbox.clone().settle(receipts, shutdown.clone()));
        tracker.spawn(outbox.clone().sweep(shutdown.clone()));
        tracker.spawn(outbox.clone().measure(shutdown.clone()));
        tracker.spawn(outbox.clone().count_partitions(shutdown.clone()));
        outbox
    }

    /// Refuses when more waits, for Kafka or for a worker, than may.
    pub(crate) fn require_room(&self) -> Result<(), Problem> {
        let inner = &self.inner;
        let milliseconds = |of: &AtomicU64| Duration::from_millis(of.load(Ordering::Relaxed));
        let unsent = inner.rows.load(Ordering::Relaxed) >= inner.max_rows
            || milliseconds(&inner.oldest_ms) >= inner.max_age;
        let line = milliseconds(&inner.waiting_ms);
        let long = inner.waiting.load(Ordering::Relaxed) >= inner.max_waiting
            || line >= inner.max_waiting_age;
        let seconds = match (unsent, long) {
            (false, false) => return Ok(()),
            (true, _) => RETRY_AFTER,
            (false, true) => {
                let (least, most) = LINE_RETRY_AFTER;
                (line / SHARE_OF_LINE).as_secs().clamp(least, most)
            }
        };
        metrics::counter!("codementor_refused_total", "why" => "overloaded").increment(1);
        Err(Problem::overloaded(
            "too much waits to be judged: nothing was accepted, send it again later",
            seconds,
        ))
    }

    /// Some partition of events, another one each time.
    pub(crate) fn some_reply_partition(&self) -> i32 {
        let count = self.inner.partitions.load(Ordering::Relaxed).max(1);
        let drawn = SubmissionId::new().0.as_bytes()[15];
        i32::from(drawn) % count
    }

    /// Whether events can go to that partition; what Kafka has not said yet is believed.
    pub(crate) fn has_reply_partition(&self, partition: i32) -> bool {
        let count = self.inner.partitions.load(Ordering::Relaxed);
        partition >= 0 && (count == 0 || partition < count)
    }

    /// Sends an accepted job without waiting. When it cannot, the sweeper will.
    pub(crate) fn send_now(&self, id: SubmissionId, placed: Placed) {
        let message = Message {
            topic: Topic::Submissions,
            key: id.to_string(),
            partition: None,
            headers: placed.headers,
            payload: placed.payload,
        };
        match self.inner.producer.send_now(message) {
            // The settler is gone only when everything ends; the row stays for the next start.
            Ok(receipt) => drop(self.inner.sent.send((placed.outbox, receipt))),
            Err(error) => {
                tracing::debug!(submission = %id, %error, "left a job to the sweeper: {error}");
            }
        }
    }

    /// Calls the sweeper: something was committed that shall go out at once.
    pub(crate) fn wake(&self) {
        self.inner.wake.notify_one();
    }

    async fn settle(
        self,
        mut receipts: mpsc::UnboundedReceiver<(i64, queue::Receipt)>,
        shutdown: Shutdown,
    ) {
        let mut waiting: FuturesUnordered<Settling> = FuturesUnordered::new();
        let mut acknowledged = vec![];
        let mut since = Instant::now();
        let end = end(&shutdown);
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                Some((id, receipt)) = receipts.recv() => {
                    waiting.push(Box::pin(async move { (id, receipt.await) }));
                    continue;
                }
                Some((id, answer)) = waiting.next() => match answer {
                    Ok(placed) => {
                        if acknowledged.is_empty() {
                            since = Instant::now();
                        }
                        acknowledged.push(Acknowledged {
                            id,
                            partition: placed.partition,
                            offset: placed.offset,
                        });
                    }
                    Err(error) => tracing::debug!(%error, "left a message to the sweeper: {error}"),
                },
                () = tokio::time::sleep_until(since + SETTLE_WAIT), if !acknowledged.is_empty() => {
                    self.write_down(&mut acknowledged).await;
                }
                () = shutdown.soft().cancelled(), if waiting.is_empty() => {
                    self.write_down(&mut acknowledged).await;
                    return;
                }
                () = end.as_mut() => {
                    self.write_down(&mut acknowledged).await;
                    return;
                }
            }
            if acknowledged.len() >= SETTLE_ROWS {
                self.write_down(&mut acknowledged).await;
            }
        }
    }

    /// What cannot be written down is sent again by the sweeper, which is harmless.
    async fn write_down(&self, acknowledged: &mut Vec<Acknowledged>) {
        if acknowledged.is_empty() {
            return;
        }
        let settled = self.within(outbox::settle(&self.inner.pool, acknowledged));
        if let Err(error) = settled.await {
            tracing::warn!(%error, "cannot write down what Kafka took; it will be sent again");
        }
        acknowledged.clear();
    }

    async fn sweep(self, shutdown: Shutdown) {
        let mut failed = false;
        loop {
            let pause = if failed { MEASURE } else { SWEEP };
            tokio::select! {
                () = self.inner.wake.notified(), if !failed => {}
                () = tokio::time::sleep(pause) => {}
                () = shutdown.soft().cancelled() => return,
            }
            let swept = tokio::select! {
                swept = self.sweep_all(&shutdown) => swept,
                () = end(&shutdown) => return,
            };
            failed = swept.is_err();
            if let Err(error) = swept {
                tracing::warn!(%error, "cannot sweep the outbox");
            }
        }
    }

    /// Until nothing is due any more, or Kafka takes nothing of it.
    async fn sweep_all(&self, shutdown: &Shutdown) -> sqlx::Result<()> {
        while self.sweep_once(shutdown).await? {}
        Ok(())
    }

    /// Whether there may be more to do at once.
    async fn sweep_once(&self, shutdown: &Shutdown) -> sqlx::Result<bool> {
        let (mut db, due) = self
            .within(async {
                let mut db = self.inner.pool.begin().await?;
                let due = outbox::lock_due(&mut db, SWEEP_ROWS).await?;
                Ok((db, due))
            })
            .await?;
        let Swept {
            acknowledged,
            refused,
            late,
        } = self.send(due).await;
        let done = acknowledged.len() + refused.len();
        let ids: Vec<i64> = late.iter().map(|(id, _)| *id).collect();
        // Whoever starts after this end need not wait.
        let put_off = if shutdown.soft().is_cancelled() {
            Duration::ZERO
        } else {
            PUT_OFF
        };
        self.within(async {
            outbox::settle(&mut *db, &acknowledged).await?;
            outbox::put_off(&mut db, &ids, put_off).await?;
            for (row, error) in refused {
                tracing::error!(id = row.id, %error, "no broker will ever take this message: {error}");
                outbox::remove(&mut db, row.id).await?;
                dead_letter::keep(&mut db, &[unsendable(row, &error)]).await?;
            }
            db.commit().await
        })
        .await?;
        // Only now: the settler leaves alone what a sweeper has locked.
        for (id, receipt) in late {
            if let Some(receipt) = receipt {
                drop(self.inner.sent.send((id, receipt)));
            }
        }
        Ok(done > 0)
    }

    /// Sends what is due and waits a little for the answers.
    async fn send(&self, due: Vec<Due>) -> Swept {
        let mut swept = Swept::default();
        let mut sent = vec![];
        for row in due {
            match self.inner.producer.send_now(message(&row)) {
                Ok(receipt) => sent.push((row, receipt)),
                Err(ProduceError::QueueFull) => break,
                Err(error) => swept.failed(row, error),
            }
        }
        let end = Instant::now() + SWEEP_WAIT;
        for (row, mut receipt) in sent {
            match tokio::time::timeout_at(end, &mut receipt).await {
                Ok(Ok(placed)) => swept.acknowledged.push(Acknowledged {
                    id: row.id,
                    partition: placed.partition,
                    offset: placed.offset,
                }),
                Ok(Err(error)) => swept.failed(row, error),
                Err(_) => swept.late.push((row.id, Some(receipt))),
            }
        }
        swept
    }

    async fn within<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        database::within(self.inner.database_patience, asked).await
    }

    async fn count_partitions(self, shutdown: Shutdown) {
        loop {
            let counted = tokio::select! {
                counted = self.inner.producer.partitions(Topic::Events) => counted,
                () = shutdown.soft().cancelled() => return,
            };
            let pause = match counted {
                Ok(count) => {
                    self.inner.partitions.store(count, Ordering::Relaxed);
                    RECOUNT
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot count the partitions of the events topic");
                    MEASURE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.soft().cancelled() => return,
            }
        }
    }

    async fn measure(self, shutdown: Shutdown) {
        loop {
            match self.within(outbox::backlog(&self.inner.pool)).await {
                Ok((rows, oldest)) => {
                    let oldest_ms = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
                    self.inner.rows.store(rows, Ordering::Relaxed);
                    self.inner.oldest_ms.store(oldest_ms, Ordering::Relaxed);
                    #[expect(clippy::cast_precision_loss, reason = "a gauge of some thousands")]
                    gauge!("codementor_outbox_rows").set(rows as f64);
                    gauge!("codementor_outbox_oldest_seconds").set(oldest.as_secs_f64());
                }
                Err(error) => tracing::debug!(%error, "cannot measure the outbox"),
            }
            match self.within(intake::line(&self.inner.pool)).await {
                Ok((waiting, oldest)) => {
                    let oldest_ms = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
                    self.inner.waiting.store(waiting, Ordering::Relaxed);
                    self.inner.waiting_ms.store(oldest_ms, Ordering::Relaxed);
                    #[expect(clippy::cast_precision_loss, reason = "a gauge of some thousands")]
                    gauge!("codementor_waiting").set(waiting as f64);
                    gauge!("codementor_waiting_oldest_seconds").set(oldest.as_secs_f64());
                }
                Err(error) => tracing::debug!(%error, "cannot measure what waits"),
            }
            tokio::select! {
                () = tokio::time::sleep(MEASURE) => {}
                () = shutdown.soft().cancelled() => return,
            }
        }
    }
}

/// What became of the messages of a sweep.
#[derive(Default)]
struct Swept {
    acknowledged: Vec<Acknowledged>,
    /// Nobody will ever take these.
    refused: Vec<(Due, ProduceError)>,
    /// Not taken yet; some may still be.
    late: Vec<(i64, Option<queue::Receipt>)>,
}

impl Swept {
    fn failed(&mut self, row: Due, error: ProduceError) {
        if matches!(error, ProduceError::TooLarge { .. }) {
            self.refused.push((row, error));
        } else {
            tracing::warn!(id = row.id, %error, "Kafka did not take a message: {error}");
            self.late.push((row.id, None));
        }
    }
}

/// What Kafka has not acknowledged a little after the soft end is left to the next start.
async fn end(shutdown: &Shutdown) {
    shutdown.soft().cancelled().await;
    tokio::time::sleep(LAST_WAIT).await;
}

fn message(row: &Due) -> Message {
    Message {
        topic: row.topic,
        key: row.key.clone(),
        partition: row.partition,
        headers: row.headers.clone(),
        payload: row.payload.clone(),
    }
}

/// Kept at a place that no topic has.
fn unsendable(row: Due, error: &ProduceError) -> NewDeadLetter {
    let mut headers = row.headers;
    headers.origin = Some(row.topic.name().to_owned());
    headers.reason = Some(error.to_string());
    NewDeadLetter {
        partition: -1,
        offset: row.id,
        key: row.key,
        headers,
        payload: row.payload,
        judgement: None,
    }
}
