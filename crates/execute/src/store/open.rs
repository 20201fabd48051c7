//! Judgements that are not over: which are late, which are silent, and how they are ended or queued again.

use std::time::Duration;

use contract::{Locale, Shown, SubmissionId};
use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    counted, integer, kind, log::JudgementKey, optional_word, parts, shown, submission_id, word,
};
use crate::{ending::Ending, intake::Kind, job::Parts, lost::Silent, standing::Status};

/// A judgement that is not over, locked until the transaction ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) submission: SubmissionId,
    pub(crate) judgement: u32,
    pub(crate) kind: Kind,
    pub(crate) locale: Locale,
    pub(crate) reply_partition: i32,
    pub(crate) traceparent: Option<String>,
    pub(crate) accepted_at: OffsetDateTime,
    pub(crate) shown: Shown,
    pub(crate) tries: u32,
    /// Why it is being ended already.
    pub(crate) ending: Option<Ending>,
}

impl Open {
    pub(crate) fn key(&self) -> JudgementKey {
        (self.submission, self.judgement)
    }
}

fn open(row: &PgRow) -> sqlx::Result<Open> {
    Ok(Open {
        submission: submission_id(row, "submission")?,
        judgement: counted(row.try_get("number")?),
        kind: word(row, "kind", kind)?,
        locale: word(row, "locale", Locale::from_tag)?,
        reply_partition: row.try_get("reply_partition")?,
        traceparent: row.try_get("traceparent")?,
        accepted_at: row.try_get("accepted_at")?,
        shown: shown(row)?,
        tries: counted(row.try_get("tries")?),
        ending: optional_word(row, "ending", Ending::from_word)?,
    })
}

/// Locks judgements whose deadline has passed and that nobody is ending, those first that are late for longest.
pub(crate) async fn lock_overdue(db: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Open>> {
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, number, kind, locale, reply_partition, traceparent, accepted_at,
               last_attempt, last_seq, verdict_attempt, verdict_seq, false AS terminal, tries, ending
        FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
        WHERE terminal_at IS NULL AND ending IS NULL AND deadline <= now()
        ORDER BY deadline LIMIT $1
        FOR UPDATE OF judgement SKIP LOCKED
        ",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(open).collect()
}

/// Locks judgements that are being ended for longer than `patience` without effect.
///
/// One is left alone while older messages about it wait in the outbox: saying it again would only lengthen the line.
pub(crate) async fn lock_ending(
    db: &mut PgConnection,
    patience: Duration,
    limit: i64,
) -> sqlx::Result<Vec<Open>> {
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, number, kind, locale, reply_partition, traceparent, accepted_at,
               last_attempt, last_seq, verdict_attempt, verdict_seq, false AS terminal, tries, ending
        FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
        WHERE terminal_at IS NULL AND ending IS NOT NULL AND ending_sent_at < now() - make_interval(secs => $1)
          AND NOT EXISTS (
              SELECT FROM execute.outbox
              WHERE key = judgement.submission::text AND created_at < now() - make_interval(secs => $1))
        ORDER BY ending_sent_at LIMIT $2
        FOR UPDATE OF judgement SKIP LOCKED
        ",
    )
    .bind(patience.as_secs_f64())
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(open).collect()
}

/// Locks the applied judgement of one submission, unless it is over.
pub(crate) async fn lock_applied(
    db: &mut PgConnection,
    id: SubmissionId,
) -> sqlx::Result<Option<Open>> {
    let row = sqlx::query(
        r"
        SELECT judgement.submission, number, kind, locale, reply_partition, traceparent, accepted_at,
               last_attempt, last_seq, verdict_attempt, verdict_seq, false AS terminal, tries, ending
        FROM execute.submission
        JOIN execute.judgement ON judgement.submission = submission.id AND number = applied
        WHERE submission.id = $1 AND terminal_at IS NULL
        FOR UPDATE OF judgement
        ",
    )
    .bind(id.0)
    .fetch_optional(db)
    .await?;
    row.as_ref().map(open).transpose()
}

/// Locks those of these judgements that are not over and that nobody is ending.
pub(crate) async fn lock_open(
    db: &mut PgConnection,
    keys: &[JudgementKey],
) -> sqlx::Result<Vec<Open>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, number, kind, locale, reply_partition, traceparent, accepted_at,
               last_attempt, last_seq, verdict_attempt, verdict_seq, false AS terminal, tries, ending
        FROM unnest($1::uuid[], $2::integer[]) AS asked (submission, number)
        JOIN execute.judgement USING (submission, number)
        JOIN execute.submission ON submission.id = judgement.submission
        WHERE terminal_at IS NULL AND ending IS NULL
        ORDER BY judgement.submission, number
        FOR UPDATE OF judgement
        ",
    )
    .bind(keys.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(
        keys.iter()
            .map(|(_, number)| integer(*number))
            .collect::<Vec<_>>(),
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(open).collect()
}

/// Remembers why judgements are being ended and that it was said now. The first reason stays.
pub(crate) async fn mark_ending(
    db: &mut PgConnection,
    ended: &[(JudgementKey, Ending)],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = ended.iter().map(|((id, _), _)| id.0).collect();
    let numbers: Vec<i32> = ended
        .iter()
        .map(|((_, number), _)| integer(*number))
        .collect();
    let endings: Vec<&str> = ended.iter().map(|(_, ending)| ending.as_str()).collect();
    sqlx::query(
        r"
        UPDATE execute.judgement
        SET ending = coalesce(judgement.ending, new.ending), ending_sent_at = now()
        FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS new (submission, number, ending)
        WHERE judgement.submission = new.submission AND judgement.number = new.number
        ",
    )
    .bind(ids)
    .bind(numbers)
    .bind(endings)
    .execute(db)
    .await?;
    Ok(())
}

/// A judgement of which nothing was heard, and what it looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SilentJudgement {
    pub(crate) key: JudgementKey,
    pub(crate) silent: Silent,
}

/// Judgements whose job Kafka has, and of which nothing was heard for that long.
pub(crate) async fn silent(
    db: impl PgExecutor<'_>,
    silence: Duration,
    limit: i64,
) -> sqlx::Result<Vec<SilentJudgement>> {
    type Row = (Uuid, i32, i32, i64, i32, bool, f64, bool);
    let rows: Vec<Row> = sqlx::query_as(
        r"
        SELECT judgement.submission, number, job_partition, job_offset, reply_partition,
               verdict_seq IS NOT NULL, extract(epoch FROM now() - active_at)::float8, batch IS NOT NULL
        FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
        WHERE terminal_at IS NULL AND ending IS NULL AND deadline > now()
          AND job_partition IS NOT NULL AND job_offset IS NOT NULL
          AND active_at < now() - make_interval(secs => $1)
        ORDER BY active_at LIMIT $2
        ",
    )
    .bind(silence.as_secs_f64())
    .bind(limit)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(
            |(
                id,
                number,
                job_partition,
                job_offset,
                reply_partition,
                has_verdict,
                quiet_for,
                bulk,
            )| {
                SilentJudgement {
                    key: (SubmissionId(id), counted(number)),
                    silent: Silent {
                        quiet_for: Duration::try_from_secs_f64(quiet_for).unwrap_or_default(),
                        job_partition,
                        job_offset,
                        reply_partition,
                        has_verdict,
                        bulk,
                    },
                }
            },
        )
        .collect())
}

/// Locks those of these judgements that are still as silent as they were, and that nobody else looks after.
pub(crate) async fn lock_silent(
    db: &mut PgConnection,
    found: &[SilentJudgement],
    silence: Duration,
) -> sqlx::Result<Vec<Open>> {
    let ids: Vec<Uuid> = found.iter().map(|found| found.key.0.0).collect();
    let numbers: Vec<i32> = found.iter().map(|found| integer(found.key.1)).collect();
    let offsets: Vec<i64> = found.iter().map(|found| found.silent.job_offset).collect();
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, number, kind, locale, reply_partition, traceparent, accepted_at,
               last_attempt, last_seq, verdict_attempt, verdict_seq, false AS terminal, tries, ending
        FROM unnest($1::uuid[], $2::integer[], $3::bigint[]) AS found (submission, number, job_offset)
        JOIN execute.judgement USING (submission, number, job_offset)
        JOIN execute.submission ON submission.id = judgement.submission
        WHERE terminal_at IS NULL AND ending IS NULL AND active_at < now() - make_interval(secs => $4)
        ORDER BY judgement.submission, number
        FOR UPDATE OF judgement SKIP LOCKED
        ",
    )
    .bind(ids)
    .bind(numbers)
    .bind(offsets)
    .bind(silence.as_secs_f64())
    .fetch_all(db)
    .await?;
    rows.iter().map(open).collect()
}

/// Counts another try of judgements whose jobs are about to be sent again.
pub(crate) async fn count_try(db: &mut PgConnection, keys: &[JudgementKey]) -> sqlx::Result<()> {
    sqlx::query(
        r"
        UPDATE execute.judgement
        SET tries = tries + 1, job_partition = NULL, job_offset = NULL, active_at = now()
        FROM unnest($1::uuid[], $2::integer[]) AS again (submission, number)
        WHERE judgement.submission = again.submission AND judgement.number = again.number
        ",
    )
    .bind(keys.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(
        keys.iter()
            .map(|(_, number)| integer(*number))
            .collect::<Vec<_>>(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What the jobs of judgements are made of.
pub(crate) async fn job_parts(
    db: impl PgExecutor<'_>,
    keys: &[JudgementKey],
) -> sqlx::Result<Vec<Parts>> {
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, judgement.number, judgement.deadline, kind, submission.account, locale, question,
               coalesce(judgement.version, submission.version) AS version, judgement.batch IS NOT NULL AS bulk,
               language, files, stdin, manifest.body AS basis, reply_partition, traceparent, accepted_at
        FROM unnest($1::uuid[], $2::integer[]) AS asked (submission, number)
        JOIN execute.judgement USING (submission, number)
        JOIN execute.submission ON submission.id = judgement.submission
        JOIN execute.manifest ON manifest.sha256 = coalesce(judgement.manifest, submission.manifest)
        ",
    )
    .bind(keys.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, number)| integer(*number)).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    rows.iter().map(parts).collect()
}

/// How far a judgement has come, locked until the transaction ends.
pub(crate) async fn lock_status(
    db: &mut PgConnection,
    (id, judgement): JudgementKey,
) -> sqlx::Result<Option<Status>> {
    let row = sqlx::query(
        "SELECT status FROM execute.judgement WHERE submission = $1 AND number = $2 FOR UPDATE",
    )
    .bind(id.0)
    .bind(integer(judgement))
    .fetch_optional(db)
    .await?;
    row.as_ref().map(super::status).transpose()
}

/// Begins a further judgement in place of one that failed, and applies it. `None`: that one did not fail, or is not the applied
/// one.
pub(crate) async fn judge_anew(
    db: &mut PgConnection,
    (id, judgement): JudgementKey,
    window: Duration,
) -> sqlx::Result<Option<JudgementKey>> {
    let number: Option<i32> = sqlx::query_scalar(
        r"
        WITH anew AS (
            UPDATE execute.submission
            SET applied = (SELECT max(number) + 1 FROM execute.judgement WHERE submission = $1)
            WHERE id = $1 AND applied = $2 AND EXISTS (
                SELECT FROM execute.judgement WHERE submission = $1 AND number = $2 AND status = 'failed')
            RETURNING id, applied
        )
        INSERT INTO execute.judgement (submission, number, deadline, status)
        SELECT id, applied, now() + make_interval(secs => $3), 'queued' FROM anew
        RETURNING number
        ",
    )
    .bind(id.0)
    .bind(integer(judgement))
    .bind(window.as_secs_f64())
    .fetch_optional(db)
    .await?;
    Ok(number.map(|number| (id, counted(number))))
}
