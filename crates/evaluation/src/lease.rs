//! A claim that is being worked on: renewed while the work goes on, and given back when it is dropped.

use std::time::Duration;

use service::database::within;
use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::store::{self, JobKey, Stored};

/// How often a claim is renewed; it holds for ten seconds.
const RENEWAL: Duration = Duration::from_secs(3);

/// Without a renewal for so long somebody else may have taken the job.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// The claim of one attempt.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pool: &'a PgPool,
    patience: Duration,
    tracker: &'a TaskTracker,
    job: JobKey,
    attempt: u32,
    since: Instant,
    open: bool,
}

impl<'a> Lease<'a> {
    /// `patience` is how long Postgres is waited for, `since` a moment before the claim was granted.
    pub(crate) fn new(
        pool: &'a PgPool,
        patience: Duration,
        tracker: &'a TaskTracker,
        job: JobKey,
        attempt: u32,
        since: Instant,
    ) -> Self {
        Self {
            pool,
            patience,
            tracker,
            job,
            attempt,
            since,
            open: true,
        }
    }

    /// Works while the claim is ours; `None` when it was lost: the work was dropped where it stood.
    pub(crate) async fn hold<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let held = tokio::select! {
            worked = work => Some(worked),
            () = renewals(self.pool, self.job, self.attempt, self.since) => None,
        };
        if held.is_none() {
            self.open = false;
        }
        held
    }

    /// Ends the job, if the claim still is ours; else false.
    pub(crate) async fn finish(mut self, stored: &Stored) -> sqlx::Result<bool> {
        let finish = store::finish(self.pool, self.job, self.attempt, stored);
        let finished = within(self.patience, finish).await?;
        self.open = false;
        if !finished {
            tracing::info!(submission = %self.job.submission, attempt = self.attempt, "superseded at the end of submission {}", self.job.submission);
        }
        Ok(finished)
    }

    /// Gives the job back. Where that fails, the lease runs out.
    pub(crate) async fn release(mut self) {
        self.open = false;
        give_back(self.pool, self.patience, self.job, self.attempt).await;
    }
}

/// Whoever drops the work in the middle (the end of the service, a partition that went elsewhere) gives the job back.
impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let (pool, patience) = (self.pool.clone(), self.patience);
        let (job, attempt) = (self.job, self.attempt);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.tracker.spawn_on(
                async move { give_back(&pool, patience, job, attempt).await },
                &runtime,
            );
        }
    }
}

async fn give_back(pool: &PgPool, patience: Duration, job: JobKey, attempt: u32) {
    if let Err(error) = within(patience, store::release(pool, job, attempt)).await {
        tracing::warn!(%error, submission = %job.submission, "cannot give back submission {}", job.submission);
    }
}

/// Renews until the claim is lost: taken by somebody else, or perhaps so, because Postgres has not answered for too long.
async fn renewals(pool: &PgPool, job: JobKey, attempt: u32, since: Instant) {
    let mut renewed = since;
    loop {
        sleep(RENEWAL).await;
        let asked = Instant::now();
        match timeout(RENEWAL, store::renew(pool, job, attempt)).await {
            Ok(Ok(true)) => renewed = asked,
            Ok(Ok(false)) => {
                tracing::info!(submission = %job.submission, attempt, "superseded while working on submission {}", job.submission);
                return;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, submission = %job.submission, "cannot renew the lease of submission {}", job.submission);
            }
            Err(_) => {
                tracing::warn!(submission = %job.submission, "postgres is too slow to renew the lease of submission {}", job.submission);
            }
        }
        if renewed.elapsed() >= LOST_AFTER {
            return;
        }
    }
}
