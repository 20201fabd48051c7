//! Claims: who works on a job, and how it ended.
//!
//! ```text
//!   take ──► mine(attempt, lease 10 s) ──renew each 3 s──► finish (attempt is still mine, not done) ──► done, with its last events
//!     │                     └─ release: the lease ends now                └─ zero rows: superseded, say nothing more
//!     └────► done │ leased elsewhere │ late
//! ```

use std::time::Duration;

use contract::StreamEvent;
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, types::Json};
use time::OffsetDateTime;

use super::{JobKey, Kind, counted, integer};

/// How long a claim holds without being renewed.
const LEASE_SECONDS: f64 = 10.0;

/// How long to wait where somebody else was faster by a moment, so that the length of the lease is not seen yet.
const SOON: Duration = Duration::from_millis(100);

/// What is claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewClaim {
    pub(crate) job: JobKey,
    pub(crate) kind: Kind,
    pub(crate) accepted_at: Option<OffsetDateTime>,
    pub(crate) deadline: OffsetDateTime,
    /// Whether it is claimed even past its deadline: a review must be ended by somebody.
    pub(crate) even_late: bool,
}

/// What became of the wish to claim a job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Claim {
    /// It is ours.
    Mine(Mine),
    /// It was done before.
    Done(Stored),
    /// Somebody works on it; not before this time has passed can it be had.
    Leased(Duration),
    /// Its deadline has passed.
    Late,
}

/// A claim that was granted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mine {
    /// The submission's next attempt.
    pub(crate) attempt: u32,
    /// Whether a predecessor had begun a paid call.
    pub(crate) called: bool,
    /// Whether the deadline has passed.
    pub(crate) late: bool,
    /// Since it was accepted, where that is known.
    pub(crate) waited: Option<Duration>,
}

/// What a job that is done left for redeliveries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    /// The events that ended it; none when they have been forgotten.
    pub(crate) events: Vec<StreamEvent>,
    /// What the review job needs beside the judge job; `None` when there is no review, or it is done.
    pub(crate) review: Option<ReviewFacts>,
}

/// What a reviewer needs of a judging beside the job itself and the verdict.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ReviewFacts {
    /// What the compiler said.
    pub(crate) compiled: Option<contract::event::Compiled>,
    /// What became of each test, as the learner saw it.
    pub(crate) tests: Vec<contract::event::TestResult>,
}

#[derive(sqlx::FromRow)]
struct TakeRow {
    late: bool,
    attempt: Option<i32>,
    called: Option<bool>,
    waited: Option<f64>,
    done: bool,
    events: Option<Json<Vec<StreamEvent>>>,
    review: Option<Json<ReviewFacts>>,
    lease_left: Option<f64>,
}

/// Takes the job if nobody has it, as the submission's next attempt.
///
/// One statement: a concurrent claim of the same job waits on the row and is then refused by the new lease.
pub(crate) async fn take(db: impl PgExecutor<'_>, claim: NewClaim) -> sqlx::Result<Claim> {
    let row: TakeRow = sqlx::query_as(
        r"
        WITH mine AS (
            INSERT INTO evaluation.job AS held (submission, judgement, stage, kind, accepted_at, attempt, lease_until)
            SELECT $1, $2, $3, $4, $5,
                   coalesce((SELECT max(attempt) FROM evaluation.job WHERE submission = $1), 0) + 1,
                   now() + make_interval(secs => $8)
            WHERE $7 OR now() < $6
            ON CONFLICT (submission, judgement, stage) DO UPDATE
               SET attempt = greatest(held.attempt + 1, excluded.attempt), lease_until = excluded.lease_until
             WHERE held.done_at IS NULL AND held.lease_until <= now()
            RETURNING attempt, calling_at IS NOT NULL AS called
        )
        SELECT now() >= $6 AS late,
               mine.attempt,
               mine.called,
               extract(epoch FROM now() - $5)::float8 AS waited,
               coalesce(held.done_at IS NOT NULL, false) AS done,
               held.final AS events,
               held.review,
               extract(epoch FROM held.lease_until - now())::float8 AS lease_left
        FROM (VALUES (1)) AS one (n)
        LEFT JOIN mine ON true
        LEFT JOIN evaluation.job AS held
               ON mine.attempt IS NULL AND held.submission = $1 AND held.judgement = $2 AND held.stage = $3
        ",
    )
    .bind(claim.job.submission.0)
    .bind(integer(claim.job.judgement))
    .bind(claim.job.stage.as_str())
    .bind(claim.kind.as_str())
    .bind(claim.accepted_at)
    .bind(claim.deadline)
    .bind(claim.even_late)
    .bind(LEASE_SECONDS)
    .fetch_one(db)
    .await?;

    Ok(match row {
        TakeRow {
            attempt: Some(attempt),
            ..
        } => Claim::Mine(Mine {
            attempt: counted(attempt),
            called: row.called.unwrap_or(false),
            late: row.late,
            waited: row.waited.and_then(seconds),
        }),
        TakeRow { done: true, .. } => Claim::Done(Stored {
            events: row.events.map(|Json(events)| events).unwrap_or_default(),
            review: row.review.map(|Json(facts)| facts),
        }),
        TakeRow { late: true, .. } if !claim.even_late => Claim::Late,
        _ => Claim::Leased(row.lease_left.and_then(seconds).unwrap_or(SOON).max(SOON)),
    })
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

/// Whether nobody needs to work on the job any more: it is done, or late.
pub(crate) async fn is_over(
    db: impl PgExecutor<'_>,
    job: JobKey,
    deadline: OffsetDateTime,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        r"
        SELECT now() >= $4 OR EXISTS (
            SELECT FROM evaluation.job
            WHERE submission = $1 AND judgement = $2 AND stage = $3 AND done_at IS NOT NULL)
        ",
    )
    .bind(job.submission.0)
    .bind(integer(job.judgement))
    .bind(job.stage.as_str())
    .bind(deadline)
    .fetch_one(db)
    .await
}

/// Prolongs the lease. False: the claim was superseded, or the job is done.
pub(crate) async fn renew(
    db: impl PgExecutor<'_>,
    job: JobKey,
    attempt: u32,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query(
        r"
        UPDATE evaluation.job SET lease_until = now() + make_interval(secs => $5)
        WHERE submission = $1 AND judgement = $2 AND stage = $3 AND attempt = $4 AND done_at IS NULL
        ",
    )
    .bind(job.submission.0)
    .bind(integer(job.judgement))
    .bind(job.stage.as_str())
    .bind(integer(attempt))
    .bind(LEASE_SECONDS)
    .execute(db)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Gives the claim back: the next one need not wait for the lease to end.
pub(crate) async fn release(
    db: impl PgExecutor<'_>,
    job: JobKey,
    attempt: u32,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        UPDATE evaluation.job SET lease_until = now()
        WHERE submission = $1 AND judgement = $2 AND stage = $3 AND attempt = $4 AND done_at IS NULL
        ",
    )
    .bind(job.submission.0)
    .bind(integer(job.judgement))
    .bind(job.stage.as_str())
    .bind(integer(attempt))
    .execute(db)
    .await?;
    Ok(())
}

/// Ends the job with these events, if the claim still is ours. False: it was superseded, and nothing more may be said.
///
/// Once a review is done, what the judge row kept for it is forgotten.
pub(crate) async fn finish(
    db: impl PgExecutor<'_>,
    job: JobKey,
    attempt: u32,
    stored: &Stored,
) -> sqlx::Result<bool> {
    // As text: `Json` would be sent as jsonb, which refuses the NULs that a program may have written.
    let events = encoded(&stored.events)?;
    let review = stored.review.as_ref().map(encoded).transpose()?;
    sqlx::query_scalar(
        r"
        WITH ended AS (
            UPDATE evaluation.job SET done_at = now(), final = $5::json, review = $6::json
            WHERE submission = $1 AND judgement = $2 AND stage = $3 AND attempt = $4 AND done_at IS NULL
            RETURNING stage
        ), forgotten AS (
            UPDATE evaluation.job SET review = NULL
            WHERE submission = $1 AND judgement = $2 AND stage = 'judge' AND review IS NOT NULL
              AND EXISTS (SELECT FROM ended WHERE ended.stage = 'review')
        )
        SELECT EXISTS (SELECT FROM ended)
        ",
    )
    .bind(job.submission.0)
    .bind(integer(job.judgement))
    .bind(job.stage.as_str())
    .bind(integer(attempt))
    .bind(events)
    .bind(review)
    .fetch_one(db)
    .await
}

fn encoded(value: &impl Serialize) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Forgets what was stored for redeliveries of jobs done before the topics forgot them; the number of rows is bounded.
pub(crate) async fn forget_finals(
    db: impl PgExecutor<'_>,
    age: Duration,
    rows: i64,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        r"
        UPDATE evaluation.job AS job SET final = NULL, review = NULL
        FROM (SELECT submission, judgement, stage FROM evaluation.job
              WHERE final IS NOT NULL AND done_at < now() - make_interval(secs => $1)
              ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
        WHERE job.submission = old.submission AND job.judgement = old.judgement AND job.stage = old.stage
        ",
    )
    .bind(age.as_secs_f64())
    .bind(rows)
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}
