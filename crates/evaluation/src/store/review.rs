//! What the reviewer remembers: answers that were paid for, and how many each account has had today.

use std::time::Duration;

use contract::AccountId;
use sqlx::PgExecutor;

use super::{JobKey, integer};

/// Whether a paid call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// It is marked and counted: make it now.
    Granted,
    /// The account has had its calls of the day.
    OverBudget,
    /// The claim was superseded, or a call was begun before.
    NotOurs,
}

/// Marks the claim as calling and counts the call, both or neither.
pub(crate) async fn start_call(
    db: impl PgExecutor<'_>,
    job: JobKey,
    attempt: u32,
    account: AccountId,
    calls_per_day: u32,
) -> sqlx::Result<Call> {
    // The row is locked first, so that a call is not counted for a claim that is superseded at this moment.
    let (ours, granted): (bool, bool) = sqlx::query_as(
        r"
        WITH ours AS (
            SELECT FROM evaluation.job
            WHERE submission = $1 AND judgement = $2 AND stage = $3 AND attempt = $4
              AND done_at IS NULL AND calling_at IS NULL
            FOR UPDATE
        ), counted AS (
            INSERT INTO evaluation.review_budget AS spent (account, day, calls)
            SELECT $5, (now() AT TIME ZONE 'UTC')::date, 1 FROM ours WHERE $6 > 0
            ON CONFLICT (account, day) DO UPDATE SET calls = spent.calls + 1 WHERE spent.calls < $6
            RETURNING calls
        ), marked AS (
            UPDATE evaluation.job SET calling_at = now()
            WHERE submission = $1 AND judgement = $2 AND stage = $3 AND EXISTS (SELECT FROM counted)
        )
        SELECT EXISTS (SELECT FROM ours), EXISTS (SELECT FROM counted)
        ",
    )
    .bind(job.submission.0)
    .bind(integer(job.judgement))
    .bind(job.stage.as_str())
    .bind(integer(attempt))
    .bind(account.0)
    .bind(integer(calls_per_day))
    .fetch_one(db)
    .await?;
    Ok(match (ours, granted) {
        (true, true) => Call::Granted,
        (true, false) => Call::OverBudget,
        (false, _) => Call::NotOurs,
    })
}

/// The answer that exactly these bytes once got.
pub(crate) async fn cached_answer(
    db: impl PgExecutor<'_>,
    key: [u8; 32],
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT answer::text FROM evaluation.review_cache WHERE key = $1")
        .bind(key.as_slice())
        .fetch_optional(db)
        .await
}

/// Keeps an answer; the first one stays.
pub(crate) async fn keep_answer(
    db: impl PgExecutor<'_>,
    key: [u8; 32],
    answer: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        INSERT INTO evaluation.review_cache (key, answer) VALUES ($1, $2::json)
        ON CONFLICT (key) DO NOTHING
        ",
    )
    .bind(key.as_slice())
    .bind(answer)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets old answers; the number of rows is bounded.
pub(crate) async fn forget_answers(
    db: impl PgExecutor<'_>,
    age: Duration,
    rows: i64,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        r"
        DELETE FROM evaluation.review_cache WHERE key IN (
            SELECT key FROM evaluation.review_cache
            WHERE created_at < now() - make_interval(secs => $1)
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        ",
    )
    .bind(age.as_secs_f64())
    .bind(rows)
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Forgets what was spent on days that no longer matter; the number of rows is bounded.
pub(crate) async fn forget_budgets(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        r"
        DELETE FROM evaluation.review_budget WHERE (account, day) IN (
            SELECT account, day FROM evaluation.review_budget
            WHERE day < (now() AT TIME ZONE 'UTC')::date - 1
            LIMIT $1 FOR UPDATE SKIP LOCKED)
        ",
    )
    .bind(rows)
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}
