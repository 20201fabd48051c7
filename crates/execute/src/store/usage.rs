//! Figures of submissions: how many, whose, and what came of them.
//!
//! Counted from the submissions and the judgements that count, so that they are never behind these. Runs are not counted:
//! they are forgotten after an hour.

use contract::{Account, Role};
use sqlx::{AssertSqlSafe, FromRow, PgExecutor};
use time::Date;

/// What figures are grouped by.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = UsageBy)]
pub(crate) enum By {
    /// The day, in UTC, on which it was accepted.
    #[default]
    Day,
    /// The question.
    Question,
    /// The language.
    Language,
    /// The verdict; `failed` where it ended without one, `open` where there is none yet.
    Verdict,
    /// The account.
    Account,
}

impl By {
    /// The group's key, and a name for people.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Day => (
                "to_char(submission.accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
                "NULL::text",
            ),
            Self::Question => ("submission.question::text", "max(question.slug)"),
            Self::Language => ("submission.language", "NULL::text"),
            Self::Verdict => (
                "coalesce(judgement.verdict, CASE judgement.status WHEN 'failed' THEN 'failed' ELSE 'open' END)",
                "NULL::text",
            ),
            // The name that the account had last.
            Self::Account => (
                "submission.account::text",
                "(array_agg(submission.account_name ORDER BY submission.id DESC))[1]",
            ),
        }
    }
}

/// Which submissions to count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    /// Accepted from the beginning of this day on, in UTC.
    pub(crate) from: Option<Date>,
    /// Accepted up to the end of this one.
    pub(crate) to: Option<Date>,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Figures {
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) submissions: i64,
    pub(crate) accounts: i64,
    pub(crate) judged: i64,
    pub(crate) accepted: i64,
    pub(crate) failed: i64,
    pub(crate) machine_ms: i64,
    pub(crate) tokens: i64,
}

/// Counts each submission once: for an admin all, for others those to questions that they teach.
pub(crate) async fn count(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    by: By,
    span: Span,
) -> sqlx::Result<Vec<Figures>> {
    let (key, name) = by.columns();
    sqlx::query_as(AssertSqlSafe(format!(
        r"
        SELECT {key} AS key, {name} AS name, count(*) AS submissions,
               count(DISTINCT submission.account) AS accounts,
               count(judgement.verdict) AS judged,
               count(*) FILTER (WHERE judgement.verdict = 'AC') AS accepted,
               count(*) FILTER (WHERE judgement.verdict IS NULL AND judgement.status = 'failed') AS failed,
               coalesce(sum(taken.machine_ms), 0)::bigint AS machine_ms, coalesce(sum(taken.tokens), 0)::bigint AS tokens
        FROM execute.submission
        JOIN execute.judgement ON judgement.submission = submission.id AND judgement.number = submission.applied
        -- What a submission has taken is what all its judgements have.
        CROSS JOIN LATERAL (
            SELECT sum(one.machine_ms) AS machine_ms, sum(one.tokens) AS tokens
            FROM execute.judgement AS one WHERE one.submission = submission.id) AS taken
        LEFT JOIN execute.question ON question.id = submission.question
        WHERE submission.kind = 'submission'
          AND ($1::date IS NULL OR submission.accepted_at >= $1::date::timestamp AT TIME ZONE 'UTC')
          AND ($2::date IS NULL OR submission.accepted_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC')
          AND ($3 OR question.teachers @> ARRAY[$4::uuid])
        GROUP BY 1
        ORDER BY 1
        "
    )))
    .bind(span.from)
    .bind(span.to)
    .bind(viewer.role == Role::Admin)
    .bind(viewer.id.0)
    .fetch_all(db)
    .await
}
