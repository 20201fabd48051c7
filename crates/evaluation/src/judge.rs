//! The role judge: has a job judged by a runner, and says what happens.
//!
//! ```text
//!   wait for a runner with room ─► claim ─┬─ done before ─► announce what was stored
//!        ▲                                ├─ leased elsewhere ─► wait, try again
//!        │                                └─ mine ─► ask the runner ─► judging · … · settle ─► end the claim ─► verdict (· done)
//!        └── busy, cut, failed, superseded ◄─────────────┘
//! ```
//! A verdict is stored before it is produced, and produced before the job counts as finished. A runner that fails costs a
//! try; Postgres, Kafka or a runner that is away cost none: the job waits.

mod course;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use contract::{
    job::{JudgeJob, Task},
    manifest::Judging,
    runner_api::{BlobSource, BlobToken, JudgeRequest, RunRequest},
};
use queue::{Done, ProduceError, Producer};
use service::{
    Shutdown, database,
    token::{MintError, Minter},
    trace::Traceparent,
};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use self::course::{Course, Ending, Next};
use crate::{
    attempt::{Addressee, Attempt, announce},
    fleet::{Answer, Fleet, Lane, RunnerError, Slot},
    jitter::jittered,
    lease::Lease,
    store::{self, Claim, JobKey, Kind, Mine, NewClaim, Stage, Stored},
};

/// Further tries in this process after a runner failed.
const RETRIES: u32 = 2;

/// A token travels in a header, and names each blob with its 64 digits: so many make 18 KiB.
const BLOBS_A_TOKEN: usize = 200;

/// The first pause between tries; later ones are longer.
const PAUSE: Duration = Duration::from_millis(250);

/// So often a job comes around before it is a dead letter; the retry topic lies between.
const TRIES: u32 = 3;

/// While a job waits for a runner, it is looked after its deadline so often.
const LOOK: Duration = Duration::from_secs(15);

/// A lease elsewhere is looked at again after at most so long: it may end early.
const LONGEST_LEASE_WAIT: Duration = Duration::from_secs(2);

/// Has jobs judged.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) pool: PgPool,
    /// How long Postgres is waited for.
    pub(crate) database_patience: Duration,
    pub(crate) producer: Producer,
    pub(crate) fleet: Arc<Fleet>,
    /// Makes the tokens by which runners get the tests of a job.
    pub(crate) minter: Minter,
    /// Where runners get them.
    pub(crate) question_url: String,
    /// Longest silence of a runner, beside what its tests may take.
    pub(crate) silence: Duration,
    /// Whether anybody reviews.
    pub(crate) reviewed: bool,
    /// Counts the jobs that are being judged, apart from those that wait.
    pub(crate) working: TaskTracker,
    pub(crate) shutdown: Shutdown,
}

/// What a delivery says beside the job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand {
    pub(crate) lane: Lane,
    /// How often it has come around, from 1.
    pub(crate) tries: u32,
}

/// What became of one turn at a job.
#[derive(Debug)]
enum Turn {
    /// It is ended, or nobody's business any more.
    Over,
    /// The service ends: what is not being judged is left to others.
    Ending,
    /// Try again at once: another worker was faster, or the runner had no room.
    Again,
    /// Try again after this time.
    After(Duration),
    /// Try again when Postgres or Kafka are better.
    Unwell(String),
    /// The runner failed.
    Failed(String),
    /// No runner will ever take this.
    Refused(String),
}

impl From<RunnerError> for Turn {
    fn from(error: RunnerError) -> Self {
        match error {
            RunnerError::Busy => Self::Again,
            RunnerError::Failed(reason) => Self::Failed(reason),
            RunnerError::Refused(reason) => Self::Refused(reason),
        }
    }
}

impl From<sqlx::Error> for Turn {
    fn from(error: sqlx::Error) -> Self {
        Self::Unwell(format!("postgres: {error}"))
    }
}

impl From<ProduceError> for Turn {
    fn from(error: ProduceError) -> Self {
        Self::Unwell(format!("kafka: {error}"))
    }
}

impl Judge {
    /// Has the job judged, however long that takes.
    pub(crate) async fn handle(&self, job: &JudgeJob, errand: Errand) -> Done {
        let to = Addressee {
            submission: job.submission,
            judgement: job.judgement,
            reply_partition: job.reply_partition,
            accepted_at: Some(job.accepted_at),
            traceparent: Traceparent::current(),
        };
        let (mut failures, mut unwell) = (0, 0);
        loop {
            match self.turn(job, &to, errand.lane).await {
                Turn::Over => return Done::Finished,
                // Whoever comes next finds the message as it was: it is not finished.
                Turn::Ending => std::future::pending().await,
                Turn::Again => {}
                Turn::After(pause) => self.pause(pause).await,
                Turn::Unwell(reason) => {
                    tracing::warn!(%reason, submission = %job.submission, "submission {} waits: {reason}", job.submission);
                    self.pause(jittered(PAUSE, unwell)).await;
                    unwell += 1;
                }
                Turn::Failed(reason) => {
                    tracing::warn!(%reason, submission = %job.submission, "a runner failed on submission {}: {reason}", job.submission);
                    if failures == RETRIES {
                        return give_up(reason, errand.tries);
                    }
                    self.pause(jittered(PAUSE, failures)).await;
                    failures += 1;
                }
                Turn::Refused(reason) => {
                    tracing::error!(%reason, submission = %job.submission, "no runner takes submission {}: {reason}", job.submission);
                    count("dead");
                    return Done::Dead { reason };
                }
            }
        }
    }

    async fn turn(&self, job: &JudgeJob, to: &Addressee, lane: Lane) -> Turn {
        match self.try_turn(job, to, lane).await {
            Ok(turn) | Err(turn) => turn,
        }
    }

    async fn try_turn(&self, job: &JudgeJob, to: &Addressee, lane: Lane) -> Result<Turn, Turn> {
        let claim = NewClaim {
            job: JobKey {
                submission: job.submission,
                judgement: job.judgement,
                stage: Stage::Judge,
            },
            kind: kind(job, lane),
            accepted_at: Some(job.accepted_at),
            deadline: job.deadline,
            even_late: false,
        };
        let slot = self.slot(&claim, lane).await?;
        let _working = self.working.token();
        if self.shutdown.soft().is_cancelled() {
            return Err(Turn::Ending);
        }
        let since = Instant::now();
        match self.within(store::take(&self.pool, claim)).await? {
            Claim::Mine(mine) => {
                let lease = Lease::new(
                    &self.pool,
                    self.database_patience,
                    self.shutdown.tracker(),
                    claim.job,
                    mine.attempt,
                    since,
                );
                if let Some(slot) = slot {
                    return self.work(job, to, lease, slot, mine).await;
                }
                // It was over a moment ago, and nothing is ever taken back: somebody removed the row by hand.
                lease.release().await;
                Ok(Turn::Again)
            }
            Claim::Done(stored) => {
                drop(slot);
                self.announce(job, to, &stored).await;
                count("reproduced");
                Ok(Turn::Over)
            }
            Claim::Leased(left) => {
                metrics::counter!("codementor_lease_conflicts_total").increment(1);
                Ok(Turn::After(left.min(LONGEST_LEASE_WAIT)))
            }
            Claim::Late => {
                tracing::info!(submission = %job.submission, "submission {} is past its deadline", job.submission);
                count("late");
                Ok(Turn::Over)
            }
        }
    }

    async fn within<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        database::within(self.database_patience, asked).await
    }

    /// Waits, but not beyond the soft end.
    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            () = self.shutdown.soft().cancelled() => {}
        }
    }

    /// A place at a runner; `None` when the job is over, so that no runner is needed.
    async fn slot(&self, claim: &NewClaim, lane: Lane) -> Result<Option<Slot>, Turn> {
        if let Some(slot) = self.fleet.try_slot(lane) {
            return Ok(Some(slot));
        }
        loop {
            let over = store::is_over(&self.pool, claim.job, claim.deadline);
            if self.within(over).await? {
                return Ok(None);
            }
            tokio::select! {
                slot = self.fleet.slot(lane) => return Ok(Some(slot)),
                () = sleep(LOOK) => {}
                () = self.shutdown.soft().cancelled() => return Err(Turn::Ending),
            }
        }
    }

    async fn work(
        &self,
        job: &JudgeJob,
        to: &Addressee,
        mut lease: Lease<'_>,
        slot: Slot,
        mine: Mine,
    ) -> Result<Turn, Turn> {
        if let Some(waited) = mine.waited.filter(|_| mine.attempt == 1) {
            metrics::histogram!("codementor_queue_wait_seconds", "stage" => "judge")
                .record(waited.as_secs_f64());
        }
        let mut attempt = Attempt::new(&self.producer, to, mine.attempt, None);
        let worked = lease
            .hold(async {
                let ending = self.judge(job, &mut attempt, slot).await?;
                attempt.settle().await?;
                Ok(ending)
            })
            .await;
        let ending = match worked {
            Some(Ok(ending)) => ending,
            Some(Err(turn)) => {
                lease.release().await;
                return Err(turn);
            }
            None => {
                metrics::counter!("codementor_lease_conflicts_total").increment(1);
                return Ok(Turn::Again);
            }
        };
        let stored = Stored {
            events: attempt.close(ending.bodies),
            review: ending.review,
        };
        if !lease.finish(&stored).await? {
            metrics::counter!("codementor_lease_conflicts_total").increment(1);
            return Ok(Turn::Again);
        }
        self.announce(job, to, &stored).await;
        count("judged");
        Ok(Turn::Over)
    }

    /// Says what the runner streams, up to its last line.
    async fn judge(
        &self,
        job: &JudgeJob,
        attempt: &mut Attempt<'_>,
        slot: Slot,
    ) -> Result<Ending, Turn> {
        let mut answer = self.ask(job, slot).await?;
        attempt.say(Course::begin(job, attempt.number()))?;
        let mut course = Course::new(job);
        loop {
            match course.take(answer.next().await?, self.reviewed) {
                Next::Say(body) => attempt.say(*body)?,
                Next::End(ending) => return Ok(ending),
                Next::Retry(reason) => return Err(Turn::Failed(reason)),
                Next::Nonsense => {
                    return Err(Turn::Failed(
                        "the runner said more than there is to say".into(),
                    ));
                }
            }
        }
    }

    /// Gives the job to the runner; the answer begins when it has taken it.
    async fn ask(&self, job: &JudgeJob, slot: Slot) -> Result<Answer, RunnerError> {
        let judging = job.task.judging();
        let silence = self.silence + allowed_silence(judging);
        if let Task::Run { judging, stdin } = &job.task {
            let request = RunRequest {
                language: job.language,
                files: job.files.clone(),
                judging: judging.clone(),
                stdin: stdin.clone(),
            };
            return slot.run(&request, silence).await;
        }
        let request = JudgeRequest {
            language: job.language,
            files: job.files.clone(),
            judging: judging.clone(),
            show_output: matches!(job.task, Task::Samples { .. }),
            blobs: self.blobs(judging, job.deadline)?,
        };
        slot.judge(&request, silence).await
    }

    /// Opens the blobs of these tests, and no others, until the job's deadline.
    fn blobs(
        &self,
        judging: &Judging,
        deadline: OffsetDateTime,
    ) -> Result<Option<BlobSource>, RunnerError> {
        let tests = judging.tests.iter();
        let hashes: BTreeSet<_> = tests
            .flat_map(|test| [&test.input.sha256, &test.output.sha256])
            .collect();
        if hashes.is_empty() {
            return Ok(None);
        }
        let hashes: Vec<String> = hashes.into_iter().cloned().collect();
        let open = |hashes: &[String]| {
            let token = self.minter.for_blobs("question", hashes, deadline)?;
            let first = hashes[0].clone();
            Ok(BlobToken { first, token })
        };
        let tokens: Result<_, MintError> = hashes.chunks(BLOBS_A_TOKEN).map(open).collect();
        Ok(Some(BlobSource {
            url: self.question_url.clone(),
            tokens: tokens.map_err(|error| RunnerError::Failed(error.to_string()))?,
        }))
    }

    async fn announce(&self, job: &JudgeJob, to: &Addressee, stored: &Stored) {
        let review = course::review_job(job, &stored.events, stored.review.as_ref());
        announce(&self.producer, to, &stored.events, review.as_ref()).await;
    }
}

/// A single test may take a multiple of its limit on the clock, and nothing is said meanwhile.
fn allowed_silence(judging: &Judging) -> Duration {
    let limit = Duration::from_millis(judging.limits.time_ms.into());
    let factor = judging.time_factor.clamp(1.0, 100.0);
    limit.mul_f64(4.0 * factor)
}

fn kind(job: &JudgeJob, lane: Lane) -> Kind {
    match (&job.task, lane) {
        (_, Lane::Bulk) => Kind::Batch,
        (Task::Judge { .. }, Lane::Learner) => Kind::Submission,
        (Task::Samples { .. } | Task::Run { .. }, Lane::Learner) => Kind::Run,
    }
}

/// Through the retry topic, or to the operator.
fn give_up(reason: String, tries: u32) -> Done {
    if tries < TRIES {
        count("retried");
        Done::Retry { reason }
    } else {
        count("dead");
        Done::Dead { reason }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("codementor_judge_jobs_total", "outcome" => outcome).increment(1);
}
