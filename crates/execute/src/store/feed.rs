//! The feed: results in the order in which they became known.
//!
//! A result has no place in it until somebody asks. Places are given out under one lock that is held until the commit, so that
//! nobody ever sees a later one before an earlier one; the judgements themselves are written without waiting for anybody.

use contract::{Account, Role};
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// Whoever holds it gives out places.
const PLACES: i64 = 8_319;

/// Most places that are given out at once.
const MOST: i64 = 10_000;

/// One line.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Line {
    pub(crate) position: i64,
    pub(crate) submission: Uuid,
    pub(crate) judgement: i32,
    pub(crate) account: Uuid,
    pub(crate) account_name: String,
    pub(crate) question: Uuid,
    pub(crate) slug: String,
    pub(crate) version: Option<i32>,
    pub(crate) language: String,
    pub(crate) verdict: Option<String>,
    pub(crate) score: Option<f64>,
    pub(crate) max_score: Option<f64>,
    pub(crate) time_ms: Option<i64>,
    pub(crate) memory_kib: Option<i64>,
    pub(crate) failure: Option<String>,
    pub(crate) accepted_at: OffsetDateTime,
    pub(crate) finished_at: OffsetDateTime,
}

/// Gives a place to judgements that are over and count. Runs and solutions have none.
pub(crate) async fn place(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(PLACES)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        r"
        WITH ready AS MATERIALIZED (
            SELECT judgement.submission, judgement.number, submission.kind
            FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
            WHERE judgement.terminal_at IS NOT NULL AND judgement.position IS NULL
              AND (submission.kind <> 'submission' OR submission.applied = judgement.number)
            ORDER BY judgement.terminal_at, judgement.submission LIMIT $1
        ), placed AS MATERIALIZED (
            SELECT submission, number, CASE kind WHEN 'submission' THEN nextval('execute.feed_position') ELSE 0 END AS position
            FROM ready
        )
        UPDATE execute.judgement SET position = placed.position
        FROM placed WHERE judgement.submission = placed.submission AND judgement.number = placed.number
        ",
    )
    .bind(MOST)
    .execute(db)
    .await?;
    Ok(())
}

/// Results of submissions behind a place, in order: for an admin all, for others those to questions that they teach.
pub(crate) async fn read(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as(
        r"
        SELECT judgement.position, judgement.submission, judgement.number AS judgement, submission.account,
               submission.account_name, question.id AS question, question.slug,
               coalesce(judgement.version, submission.version) AS version, submission.language, judgement.verdict,
               judgement.score, judgement.max_score, judgement.time_ms, judgement.memory_kib, judgement.failure,
               submission.accepted_at, judgement.terminal_at AS finished_at
        FROM execute.judgement
        JOIN execute.submission ON submission.id = judgement.submission
        JOIN execute.question ON question.id = submission.question
        WHERE judgement.position > 0 AND judgement.position > $1 AND ($2 OR question.teachers @> ARRAY[$3::uuid])
        ORDER BY judgement.position LIMIT $4
        ",
    )
    .bind(after)
    .bind(viewer.role == Role::Admin)
    .bind(viewer.id.0)
    .bind(limit)
    .fetch_all(db)
    .await
}
