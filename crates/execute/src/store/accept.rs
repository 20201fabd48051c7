//! Accepting: one statement for all that a 202 promises, and finding the first answer of a repeat.

use std::time::Duration;

use contract::{Account, Headers, SubmissionId, manifest::Manifest};
use sqlx::{PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{integer, muted::feedback_word};
use crate::{intake::Kind, job::Parts};

/// What is about to be accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSubmission<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) account: &'a Account,
    pub(crate) manifest: Option<&'a Manifest>,
    /// Of the encoded basis.
    pub(crate) basis_sha256: &'a [u8; 32],
    /// The encoded basis; `None` where its row is known to be there.
    pub(crate) basis: Option<&'a str>,
    pub(crate) fingerprint: &'a [u8; 32],
    pub(crate) idempotency_key: Option<&'a str>,
    /// The job as JSON; its times are replaced.
    pub(crate) job: &'a str,
    /// From accept to deadline.
    pub(crate) window: Duration,
    /// How long the sweeper leaves the message to the caller.
    pub(crate) head_start: Duration,
    /// How many of this account may wait at a time; 0: as many as come.
    pub(crate) waiting_most: u32,
}

/// What became of the wish to store it.
#[derive(Debug)]
pub(crate) enum Insertion {
    /// It is stored.
    Placed(Box<Placed>),
    /// Its id or its idempotency key was there before.
    KnownBefore,
    /// So many of this account wait already as may.
    TooManyWait,
    /// The operator has closed the intake.
    Closed,
}

/// What was accepted.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) accepted_at: OffsetDateTime,
    /// The row of the outbox, and what it holds.
    pub(crate) outbox: i64,
    pub(crate) headers: Headers,
    pub(crate) payload: Vec<u8>,
}

/// Why nothing was stored, or what was.
type Row = (
    Option<String>,
    Option<OffsetDateTime>,
    Option<i64>,
    Option<Json<Headers>>,
    Option<Vec<u8>>,
);

/// Stores submission, first judgement, `accepted` event and job message at once, or nothing.
///
/// Whether one more may wait is decided in the same transaction, under the account's own lock: two requests at a time never
/// both get the last place.
///
/// The question's copy is only written where it differs: an upsert would make all submissions to a question wait for each
/// other.
#[expect(clippy::too_many_lines, reason = "one statement and its values")]
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: NewSubmission<'_>,
) -> sqlx::Result<Insertion> {
    let NewSubmission {
        parts, manifest, ..
    } = new;
    let titles = manifest.map(|manifest| {
        let statement = &manifest.statement;
        Json(serde_json::json!({ statement.locale.as_str(): statement.title }))
    });
    let teachers: Option<Vec<Uuid>> =
        manifest.map(|manifest| manifest.teachers.iter().map(|teacher| teacher.0).collect());
    let (refusal, accepted_at, outbox, headers, payload): Row = sqlx::query_as(
        r"
        WITH gate AS MATERIALIZED (
            SELECT execute.refusal($3, $25) AS refusal
        ), placed AS (
            INSERT INTO execute.submission
                (id, kind, account, account_name, locale, question, version, language, files, stdin, manifest,
                 reply_partition, body_sha256, idempotency_key, traceparent)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM gate WHERE refusal IS NULL
            ON CONFLICT DO NOTHING
            RETURNING id, account, accepted_at, accepted_at + make_interval(secs => $16) AS deadline
        ), known AS (
            INSERT INTO execute.question AS copy (id, slug, titles, teachers, feedback)
            SELECT $6, $17, $18, $19, $26 FROM placed
            WHERE $6 IS NOT NULL AND NOT EXISTS (
                SELECT FROM execute.question
                WHERE question.id = $6 AND question.slug = $17 AND question.titles @> $18 AND question.teachers = $19
                  AND question.feedback = $26)
            ON CONFLICT (id) DO UPDATE
               SET slug = excluded.slug, titles = copy.titles || excluded.titles, teachers = excluded.teachers,
                   feedback = excluded.feedback
        ), kept AS (
            INSERT INTO execute.manifest (sha256, body)
            SELECT $11, $20::json FROM placed WHERE $20 IS NOT NULL
            ON CONFLICT DO NOTHING
        ), judged AS (
            INSERT INTO execute.judgement (submission, number, account, deadline, last_attempt, last_seq, status)
            SELECT id, 1, account, deadline, 0, 1, 'queued' FROM placed
        ), logged AS (
            INSERT INTO execute.event (submission, judgement, attempt, seq, body)
            SELECT id, 1, 0, 1, json_build_object(
                'submission', id, 'judgement', 1, 'attempt', 0, 'seq', 1, 'event', 'accepted',
                'data', jsonb_strip_nulls(jsonb_build_object(
                    'submission', id, 'question', $6, 'version', $7, 'language', $8,
                    'accepted_at', execute.rfc3339(accepted_at))))
            FROM placed
        ), sent AS (
            INSERT INTO execute.outbox (submission, judgement, topic, key, headers, payload, due_at)
            SELECT id, 1, $21, id::text,
                   $22::jsonb || jsonb_build_object(
                       'accepted-at', execute.rfc3339(accepted_at), 'deadline', execute.rfc3339(deadline)),
                   convert_to(($23::jsonb || jsonb_build_object(
                       'accepted_at', execute.rfc3339(accepted_at), 'deadline', execute.rfc3339(deadline)))::text, 'UTF8'),
                   now() + make_interval(secs => $24)
            FROM placed
            RETURNING id, headers, payload
        )
        SELECT refusal, placed.accepted_at, sent.id, sent.headers, sent.payload
        FROM gate LEFT JOIN (placed CROSS JOIN sent) ON true
        ",
    )
    .bind(parts.submission.0)
    .bind(parts.kind.as_str())
    .bind(parts.account.0)
    .bind(&new.account.name)
    .bind(parts.locale.as_str())
    .bind(parts.question.map(|question| question.0))
    .bind(parts.version.map(integer))
    .bind(parts.language.id())
    .bind(Json(&parts.files))
    .bind(parts.stdin.as_deref())
    .bind(new.basis_sha256.as_slice())
    .bind(parts.reply_partition)
    .bind(new.fingerprint.as_slice())
    .bind(new.idempotency_key)
    .bind(parts.traceparent.as_deref())
    .bind(new.window.as_secs_f64())
    .bind(manifest.map(|manifest| manifest.slug.as_str()))
    .bind(titles)
    .bind(teachers)
    .bind(new.basis)
    .bind(contract::Topic::Submissions.name())
    .bind(Json(parts.headers()))
    .bind(new.job)
    .bind(new.head_start.as_secs_f64())
    .bind(integer(new.waiting_most))
    .bind(manifest.map(|manifest| feedback_word(manifest.judging.feedback)))
    .fetch_one(db)
    .await?;
    match refusal.as_deref() {
        None => {}
        Some("waiting") => return Ok(Insertion::TooManyWait),
        Some(_) => return Ok(Insertion::Closed),
    }
    Ok(match (accepted_at, outbox, headers, payload) {
        (Some(accepted_at), Some(outbox), Some(Json(headers)), Some(payload)) => {
            Insertion::Placed(Box::new(Placed {
                accepted_at,
                outbox,
                headers,
                payload,
            }))
        }
        _ => Insertion::KnownBefore,
    })
}

/// What an earlier request has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) id: SubmissionId,
    pub(crate) reply_partition: i32,
    pub(crate) accepted_at: OffsetDateTime,
    /// Whether it was the same account's same request.
    pub(crate) same: bool,
}

/// The submission that has this idempotency key, else the one of this id.
pub(crate) async fn first(
    db: impl PgExecutor<'_>,
    kind: Kind,
    account: &Account,
    idempotency_key: Option<&str>,
    id: SubmissionId,
    fingerprint: &[u8; 32],
) -> sqlx::Result<Option<First>> {
    let row: Option<(Uuid, i32, OffsetDateTime, bool)> = sqlx::query_as(
        r"
        SELECT id, reply_partition, accepted_at,
               account = $1 AND kind = $2 AND body_sha256 = $5 AND idempotency_key IS NOT DISTINCT FROM $3
        FROM execute.submission
        WHERE (account = $1 AND kind = $2 AND idempotency_key = $3) OR id = $4
        ORDER BY idempotency_key IS NOT DISTINCT FROM $3 DESC
        LIMIT 1
        ",
    )
    .bind(account.id.0)
    .bind(kind.as_str())
    .bind(idempotency_key)
    .bind(id.0)
    .bind(fingerprint.as_slice())
    .fetch_optional(db)
    .await?;
    Ok(row.map(|(id, reply_partition, accepted_at, same)| First {
        id: SubmissionId(id),
        reply_partition,
        accepted_at,
        same,
    }))
}
