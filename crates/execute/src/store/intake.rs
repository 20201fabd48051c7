//! What waits, and whether more may come.

use std::time::Duration;

use contract::AccountId;
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// Whether anything is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intake {
    pub(crate) open: bool,
    /// What whoever submits meanwhile is told.
    pub(crate) message: String,
    pub(crate) changed_by: String,
    pub(crate) changed_at: OffsetDateTime,
}

type Row = (bool, String, String, OffsetDateTime);

fn intake((open, message, changed_by, changed_at): Row) -> Intake {
    Intake {
        open,
        message,
        changed_by,
        changed_at,
    }
}

/// As it stands.
pub(crate) async fn read(db: impl PgExecutor<'_>) -> sqlx::Result<Intake> {
    sqlx::query_as("SELECT open, message, changed_by, changed_at FROM execute.intake")
        .fetch_one(db)
        .await
        .map(intake)
}

/// Opens or closes it. What is accepted after this has returned was accepted by the new rule.
pub(crate) async fn change(
    db: impl PgExecutor<'_>,
    open: bool,
    message: &str,
    who: &str,
) -> sqlx::Result<Intake> {
    sqlx::query_as(
        r"
        UPDATE execute.intake SET open = $1, message = $2, changed_by = $3, changed_at = now()
        RETURNING open, message, changed_by, changed_at
        ",
    )
    .bind(open)
    .bind(message)
    .bind(who)
    .fetch_one(db)
    .await
    .map(intake)
}

/// How many learners' submissions and runs wait for a worker, and for how long the first of them has.
///
/// One that was lost and sent again, or that is being ended, is no measure of the line.
pub(crate) async fn line(db: impl PgExecutor<'_>) -> sqlx::Result<(u64, Duration)> {
    let (waiting, oldest): (i64, f64) = sqlx::query_as(
        r"
        SELECT (SELECT count(*) FROM execute.judgement WHERE status = 'queued' AND account IS NOT NULL),
               coalesce((SELECT extract(epoch FROM now() - submission.accepted_at)
                         FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
                         WHERE judgement.status = 'queued' AND judgement.account IS NOT NULL
                           AND judgement.tries = 1 AND judgement.ending IS NULL
                         ORDER BY judgement.submission LIMIT 1), 0)::float8
        ",
    )
    .fetch_one(db)
    .await?;
    let oldest = Duration::try_from_secs_f64(oldest).unwrap_or_default();
    Ok((u64::try_from(waiting).unwrap_or(0), oldest))
}

/// Seconds until this account's oldest may have its turn: the first in the line waited that long, so the oldest will, too.
pub(crate) async fn next_turn(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<u64> {
    let seconds: f64 = sqlx::query_scalar(
        r"
        SELECT greatest(0, coalesce(extract(epoch FROM mine.accepted_at - first.accepted_at), 0))::float8
        FROM (SELECT min(accepted_at) AS accepted_at
              FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
              WHERE judgement.account = $1 AND status IN ('queued', 'judging')) AS mine,
             (SELECT (SELECT accepted_at
                      FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
                      WHERE judgement.status = 'queued' AND judgement.account IS NOT NULL
                      ORDER BY judgement.submission LIMIT 1) AS accepted_at) AS first
        ",
    )
    .bind(account.0)
    .fetch_one(db)
    .await?;
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Ok(seconds.as_secs().clamp(1, 300))
}
