//! The books: counts and digests by minute, and what must not be.

use contract::SubmissionId;
use sqlx::{PgExecutor, Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{counted, integer};
use crate::audit::{Fault, Hole, Judging, Minute, Tally};

/// How far behind its deadline a judging may be, in seconds: ending it takes a moment, and a look each few seconds.
const SLACK_SECONDS: f64 = 60.0;

/// Most holes that are named.
const MOST: i64 = 1_000;

fn tally(row: &PgRow, count: &str, digest: &str) -> sqlx::Result<Tally> {
    let count: i64 = row.try_get(count)?;
    let text: &str = row.try_get(digest)?;
    Ok(Tally {
        count: u64::try_from(count).unwrap_or(0),
        digest: text
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}

fn number(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn judging(row: &PgRow) -> sqlx::Result<Judging> {
    let id: Uuid = row.try_get("submission")?;
    Ok((SubmissionId(id), counted(row.try_get("number")?)))
}

/// Counts and digests, by the minute of acceptance.
pub(crate) async fn minutes(
    db: impl PgExecutor<'_>,
    since: OffsetDateTime,
) -> sqlx::Result<Vec<Minute>> {
    let rows = sqlx::query(
        r"
        WITH judging AS (
            SELECT date_trunc('minute', submission.accepted_at, 'UTC') AS minute,
                   hashtextextended(submission.id::text || '.' || number, 0)::numeric AS hash,
                   terminal_at IS NOT NULL AS over, verdict_seq IS NOT NULL AS judged, ending IS NOT NULL AS ended,
                   deadline > now() - make_interval(secs => $2) AS timely,
                   EXISTS (SELECT FROM execute.outbox
                           WHERE outbox.submission = submission.id AND outbox.judgement = number) AS unsent
            FROM execute.submission JOIN execute.judgement ON judgement.submission = submission.id
            WHERE submission.accepted_at >= $1
        )
        SELECT minute,
               count(*) AS accepted,
               mod(mod(sum(hash), 18446744073709551616) + 18446744073709551616, 18446744073709551616)::text
                   AS accepted_digest,
               count(*) FILTER (WHERE unsent) AS unsent,
               count(*) FILTER (WHERE judged) AS judged,
               mod(mod(coalesce(sum(hash) FILTER (WHERE judged), 0), 18446744073709551616) + 18446744073709551616,
                   18446744073709551616)::text AS judged_digest,
               count(*) FILTER (WHERE over) AS terminal,
               mod(mod(coalesce(sum(hash) FILTER (WHERE over), 0), 18446744073709551616) + 18446744073709551616,
                   18446744073709551616)::text AS terminal_digest,
               count(*) FILTER (WHERE over AND ended) AS ended_here,
               count(*) FILTER (WHERE NOT over AND timely) AS open
        FROM judging GROUP BY minute ORDER BY minute
        ",
    )
    .bind(since)
    .bind(SLACK_SECONDS)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Minute {
                begin: row.try_get("minute")?,
                accepted: tally(row, "accepted", "accepted_digest")?,
                unsent: number(row, "unsent")?,
                judged: tally(row, "judged", "judged_digest")?,
                terminal: tally(row, "terminal", "terminal_digest")?,
                ended_here: number(row, "ended_here")?,
                open: number(row, "open")?,
            })
        })
        .collect()
}

/// What must not be.
///
/// An event's name is looked for in its text: what a program wrote may hold NUL, which SQL cannot read out of it. No string in
/// it can look like that, since quotes in strings are escaped. A log that was forgotten as a whole is none.
pub(crate) async fn holes(
    db: impl PgExecutor<'_>,
    since: OffsetDateTime,
) -> sqlx::Result<Vec<Hole>> {
    let rows = sqlx::query(
        r#"
        WITH judging AS (
            SELECT judgement.submission, number, terminal_at, deadline, job_offset, ending, active_at,
                   EXISTS (SELECT FROM execute.outbox WHERE outbox.submission = judgement.submission
                              AND outbox.judgement = number) AS unsent
            FROM execute.submission JOIN execute.judgement ON judgement.submission = submission.id
            WHERE submission.accepted_at >= $1
        ), attempt AS (
            SELECT submission, number, event.attempt, count(*) AS events, max(seq) AS last,
                   count(*) FILTER (WHERE body::text ~ '"event" ?: ?"(done|failed)"') AS ends
            FROM judging JOIN execute.event USING (submission)
            WHERE event.judgement = number
            GROUP BY submission, number, event.attempt
        ), log AS (
            SELECT submission, number, sum(ends) AS ends, bool_or(events <> last) AS gap
            FROM attempt GROUP BY submission, number
        ), found AS (
            SELECT submission, number,
                   CASE WHEN terminal_at IS NULL AND deadline < now() - make_interval(secs => $2) THEN 'not_ended'
                        WHEN terminal_at IS NULL AND ending IS NULL AND job_offset IS NULL AND NOT unsent
                             AND active_at < now() - make_interval(secs => $2) THEN 'not_sent'
                        WHEN ends > 1 THEN 'two'
                        WHEN terminal_at IS NULL AND ends > 0 THEN 'not_marked'
                        WHEN terminal_at IS NOT NULL AND ends = 0 THEN 'none'
                        WHEN gap THEN 'gap'
                   END AS fault
            FROM judging LEFT JOIN log USING (submission, number)
        )
        SELECT submission, number, fault FROM found WHERE fault IS NOT NULL ORDER BY submission, number LIMIT $3
        "#,
    )
    .bind(since)
    .bind(SLACK_SECONDS)
    .bind(MOST)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Hole {
                judging: judging(row)?,
                what: super::word(row, "fault", fault)?,
            })
        })
        .collect()
}

fn fault(word: &str) -> Option<Fault> {
    Some(match word {
        "not_ended" => Fault::NotEnded,
        "not_sent" => Fault::NotSent,
        "two" => Fault::TwoTerminalEvents,
        "not_marked" => Fault::NotMarked,
        "none" => Fault::NoTerminalEvent,
        "gap" => Fault::Gap,
        _ => return None,
    })
}

/// Of what is open: how many are past their deadline, and of how many the job lies neither in the outbox nor in Kafka.
pub(crate) async fn open_holes(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        r"
        SELECT count(*) FILTER (WHERE deadline < now() - make_interval(secs => $1)),
               count(*) FILTER (WHERE ending IS NULL AND job_offset IS NULL
                                  AND active_at < now() - make_interval(secs => $1)
                                  AND NOT EXISTS (SELECT FROM execute.outbox
                                                  WHERE outbox.submission = judgement.submission
                                                    AND outbox.judgement = judgement.number))
        FROM execute.judgement WHERE terminal_at IS NULL
        ",
    )
    .bind(SLACK_SECONDS)
    .fetch_one(db)
    .await
}

/// Which judgings a verdict was shown of, among those accepted within one minute.
pub(crate) async fn judged_in(
    db: impl PgExecutor<'_>,
    minute: OffsetDateTime,
) -> sqlx::Result<Vec<Judging>> {
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, number
        FROM execute.submission JOIN execute.judgement ON judgement.submission = submission.id
        WHERE accepted_at >= $1 AND accepted_at < $1 + interval '1 minute' AND verdict_seq IS NOT NULL
        ",
    )
    .bind(minute)
    .fetch_all(db)
    .await?;
    rows.iter().map(judging).collect()
}

/// Which of these judgings are here, and whether each is over.
pub(crate) async fn known(
    db: impl PgExecutor<'_>,
    judgings: &[Judging],
) -> sqlx::Result<Vec<(Judging, bool)>> {
    let rows = sqlx::query(
        r"
        SELECT submission, number, terminal_at IS NOT NULL AS over
        FROM unnest($1::uuid[], $2::integer[]) AS asked (submission, number)
        JOIN execute.judgement USING (submission, number)
        ",
    )
    .bind(judgings.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(
        judgings
            .iter()
            .map(|(_, number)| integer(*number))
            .collect::<Vec<_>>(),
    )
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((judging(row)?, row.try_get("over")?)))
        .collect()
}
