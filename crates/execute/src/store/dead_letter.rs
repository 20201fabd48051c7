//! What could not be processed, for the operator to look at.

use contract::{Headers, SubmissionId};
use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{counted, integer, log::JudgementKey, without_nul};

/// A message's id is part of an index, which holds no text of any length.
const LONGEST_ID: usize = 200;

/// A dead letter as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewDeadLetter {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: String,
    pub(crate) headers: Headers,
    pub(crate) payload: Vec<u8>,
    /// Where the payload says so.
    pub(crate) judgement: Option<JudgementKey>,
}

/// A dead letter that was kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadLetter {
    pub(crate) id: Uuid,
    pub(crate) key: String,
    pub(crate) headers: Headers,
    pub(crate) judgement: Option<JudgementKey>,
    pub(crate) arrived_at: OffsetDateTime,
}

/// Keeps dead letters; those that are kept already are left out. The answer is which were new.
pub(crate) async fn keep(
    db: &mut PgConnection,
    letters: &[NewDeadLetter],
) -> sqlx::Result<Vec<usize>> {
    let mut new = vec![];
    for (index, letter) in letters.iter().enumerate() {
        let headers = storable(&letter.headers);
        let kept = sqlx::query(
            r"
            INSERT INTO execute.dead_letter
                (id, partition, log_offset, message_id, kind, origin, reason, key, headers, payload, submission, judgement)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT DO NOTHING
            ",
        )
        .bind(Uuid::now_v7())
        .bind(letter.partition)
        .bind(letter.offset)
        .bind(headers.id.chars().take(LONGEST_ID).collect::<String>())
        .bind(&headers.kind)
        .bind(headers.origin.as_deref())
        .bind(headers.reason.as_deref().unwrap_or("no reason was given"))
        .bind(without_nul(&letter.key))
        .bind(Json(&headers))
        .bind(&letter.payload)
        .bind(letter.judgement.map(|(id, _)| id.0))
        .bind(letter.judgement.map(|(_, number)| integer(number)))
        .execute(&mut *db)
        .await?;
        if kept.rows_affected() > 0 {
            new.push(index);
        }
    }
    Ok(new)
}

/// Headers may be a stranger's, and hold anything that text can.
fn storable(headers: &Headers) -> Headers {
    let text = |text: &String| without_nul(text).into_owned();
    Headers {
        id: text(&headers.id),
        kind: text(&headers.kind),
        traceparent: headers.traceparent.as_ref().map(text),
        origin: headers.origin.as_ref().map(text),
        reason: headers.reason.as_ref().map(text),
        ..*headers
    }
}

fn dead_letter(row: &PgRow) -> sqlx::Result<DeadLetter> {
    let Json(headers) = row.try_get("headers")?;
    let submission: Option<Uuid> = row.try_get("submission")?;
    let judgement: Option<i32> = row.try_get("judgement")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        key: row.try_get("key")?,
        headers,
        judgement: submission.map(SubmissionId).zip(judgement.map(counted)),
        arrived_at: row.try_get("arrived_at")?,
    })
}

/// Those that nobody has dealt with, newest first.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    before: Option<Uuid>,
    limit: u16,
) -> sqlx::Result<Vec<DeadLetter>> {
    let rows = sqlx::query(
        r"
        SELECT id, key, headers, submission, judgement, arrived_at FROM execute.dead_letter
        WHERE resolved_at IS NULL AND ($1::uuid IS NULL OR id < $1)
        ORDER BY id DESC LIMIT $2
        ",
    )
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.iter().map(dead_letter).collect()
}

/// One that nobody has dealt with, and its payload.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    id: Uuid,
) -> sqlx::Result<Option<(DeadLetter, Vec<u8>)>> {
    let row = sqlx::query(
        r"
        SELECT id, key, headers, submission, judgement, arrived_at, payload FROM execute.dead_letter
        WHERE id = $1 AND resolved_at IS NULL
        ",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    row.map(|row| Ok((dead_letter(&row)?, row.try_get("payload")?)))
        .transpose()
}

/// Marks one as dealt with. False: somebody was faster, or there is none.
pub(crate) async fn resolve(
    db: impl PgExecutor<'_>,
    id: Uuid,
    resolution: &str,
) -> sqlx::Result<bool> {
    let resolved = sqlx::query(
        "UPDATE execute.dead_letter SET resolved_at = now(), resolution = $2 WHERE id = $1 AND resolved_at IS NULL",
    )
    .bind(id)
    .bind(resolution)
    .execute(db)
    .await?;
    Ok(resolved.rows_affected() == 1)
}
