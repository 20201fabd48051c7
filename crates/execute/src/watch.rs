//! Looks after what is not over: nobody waits for ever.
//!
//! ```text
//!   each 2 s ─► deadline passed, or an ending without effect ─► say that it ended
//!            ─► silent for lease + 10 s ─► lost? (two looks at Kafka) ─► send the job again ─ third time ─► ends: retries
//!            ─► batches whose turn it is ─► their next judgements
//!            ─► runs that are over and older than an hour ─► deleted
//! ```
//! Any number of replicas do this at once: each takes what no other has locked. Times are the database's; between two looks
//! at Kafka this process's own monotonic clock counts.

use std::time::{Duration, Instant};

use contract::{Topic, topic::group};
use metrics::counter;
use queue::{QueueError, admin::Admin};
use service::{Shutdown, database};

use crate::{
    batches,
    ending::Ending,
    endings,
    lost::{Look, Progress},
    state::State,
    store::{
        log::JudgementKey,
        open::{self, Open, SilentJudgement},
        outbox, submission,
    },
};

/// Judgements that are dealt with in one transaction.
const ROWS: i64 = 200;

/// How long an ending may be without effect before it is said again.
const ENDING_PATIENCE: Duration = Duration::from_secs(10);

/// How far two looks at Kafka lie apart at least: shorter says little.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

/// How often old runs are deleted at least once.
const EXPIRY: Duration = Duration::from_mins(1);

/// Watches until the end.
pub(crate) async fn watch(state: State, admin: Admin, shutdown: Shutdown) {
    let mut watcher = Watcher {
        state,
        admin,
        earlier: None,
        expired: None,
    };
    loop {
        tokio::select! {
            () = tokio::time::sleep(watcher.state.patience.watch_interval) => {}
            () = shutdown.soft().cancelled() => return,
        }
        tokio::select! {
            () = watcher.look_after_all() => {}
            () = shutdown.hard().cancelled() => return,
        }
    }
}

struct Watcher {
    state: State,
    admin: Admin,
    /// The earlier of two looks at Kafka.
    earlier: Option<(Instant, Look)>,
    expired: Option<Instant>,
}

impl Watcher {
    async fn look_after_all(&mut self) {
        if let Err(error) = self.within(self.end_overdue()).await {
            tracing::warn!(%error, "cannot look for what is late");
        }
        if let Err(error) = self.within(batches::feed(&self.state)).await {
            tracing::warn!(%error, "cannot go on with batches");
        }
        if let Err(error) = self.find_lost().await {
            tracing::warn!(%error, "cannot look for lost jobs");
        }
        if self
            .expired
            .is_none_or(|expired| expired.elapsed() >= EXPIRY.min(self.state.patience.run_kept))
        {
            let kept = self.state.patience.run_kept;
            let deleted = submission::delete_old_runs(&self.state.pool, kept);
            match self.within(deleted).await {
                // There may be more.
                Ok(1_000..) => {}
                Ok(_) => self.expired = Some(Instant::now()),
                Err(error) => tracing::warn!(%error, "cannot delete old runs"),
            }
        }
    }

    /// What fell silent is looked for again at the next turn.
    async fn within<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        database::within(self.state.database_patience, asked).await
    }

    async fn end_overdue(&self) -> sqlx::Result<()> {
        while self.end_some(false).await? {}
        while self.end_some(true).await? {}
        Ok(())
    }

    /// Ends some that are late, or `again` some that were ended without effect. Whether there may be more.
    async fn end_some(&self, again: bool) -> sqlx::Result<bool> {
        let mut db = self.state.pool.begin().await?;
        let late = if again {
            open::lock_ending(&mut db, ENDING_PATIENCE, ROWS).await?
        } else {
            open::lock_overdue(&mut db, ROWS).await?
        };
        if late.is_empty() {
            return Ok(false);
        }
        let ended: Vec<(Open, Ending)> = late
            .into_iter()
            .map(|late| (late, Ending::Deadline))
            .collect();
        endings::end(&mut db, &ended).await?;
        db.commit().await?;
        self.state.outbox.wake();
        Ok(ended.len() >= usize::try_from(ROWS).unwrap_or(usize::MAX))
    }

    async fn find_lost(&mut self) -> Result<(), WatchError> {
        let silence = self.state.patience.silence;
        let silent = self
            .within(open::silent(&self.state.pool, silence, ROWS))
            .await?;
        if silent.is_empty() {
            self.earlier = None;
            return Ok(());
        }
        let begun = Instant::now();
        if self
            .earlier
            .as_ref()
            .is_some_and(|(at, _)| at.elapsed() < BETWEEN_LOOKS)
        {
            return Ok(());
        }
        let now = look(&self.admin).await?;
        // `begun` lies before the look, so the look is at most that old; an earlier one is compared by when it had begun.
        if let Some((at, earlier)) = self.earlier.take() {
            let age = at.elapsed();
            let lost: Vec<SilentJudgement> = silent
                .into_iter()
                .filter(|found| found.silent.is_lost(&earlier, age, &now))
                .collect();
            if !lost.is_empty() {
                self.within(self.send_again(&lost)).await?;
            }
        }
        self.earlier = Some((begun, now));
        Ok(())
    }

    /// Sends lost jobs again, or ends those that were lost once too often.
    async fn send_again(&self, lost: &[SilentJudgement]) -> sqlx::Result<()> {
        let mut db = self.state.pool.begin().await?;
        let found = open::lock_silent(&mut db, lost, self.state.patience.silence).await?;
        let (given_up, again): (Vec<Open>, Vec<Open>) = found
            .into_iter()
            .partition(|open| open.tries >= self.state.patience.tries);
        let keys: Vec<JudgementKey> = again.iter().map(Open::key).collect();
        if !keys.is_empty() {
            open::count_try(&mut db, &keys).await?;
            let mut messages = vec![];
            for parts in open::job_parts(&mut *db, &keys).await? {
                tracing::warn!(submission = %parts.submission, "the job of submission {} was lost and is sent again", parts.submission);
                messages.push(endings::job_message(parts)?);
            }
            outbox::add(&mut db, &messages).await?;
            counter!("codementor_jobs_lost_total").increment(keys.len() as u64);
        }
        if !given_up.is_empty() {
            let ended: Vec<(Open, Ending)> = given_up
                .into_iter()
                .map(|open| (open, Ending::Retries))
                .collect();
            endings::end(&mut db, &ended).await?;
        }
        db.commit().await?;
        self.state.outbox.wake();
        Ok(())
    }
}

/// Looks at the topics that a job goes through. The ends are read first: what is committed later counts for them.
async fn look(admin: &Admin) -> Result<Look, QueueError> {
    let (judging, bulk, reviews, retries, events) = tokio::try_join!(
        progress(admin, group::JUDGE, Topic::Submissions),
        progress(admin, group::JUDGE_BULK, Topic::SubmissionsBulk),
        progress(admin, group::REVIEW, Topic::Reviews),
        progress(admin, group::RETRY, Topic::Retry),
        progress(admin, group::LOG, Topic::Events),
    )?;
    Ok(Look {
        judging,
        bulk,
        reviews,
        retries,
        events,
    })
}

async fn progress(admin: &Admin, group: &str, topic: Topic) -> Result<Progress, QueueError> {
    let ends = admin.end_offsets(topic).await?;
    let committed = admin.committed(group, topic).await?;
    Ok(Progress { committed, ends })
}

#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Kafka(#[from] QueueError),
}
