//! The outbox: messages that are committed and not yet acknowledged by Kafka.

use std::time::Duration;

use contract::{Headers, Topic};
use sqlx::{PgConnection, PgExecutor, types::Json};

use super::{integer, log::JudgementKey, unknown_word, without_nul};

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewMessage {
    /// The judgement whose job it is, so that the job's place is noted.
    pub(crate) job_of: Option<JudgementKey>,
    pub(crate) topic: Topic,
    pub(crate) key: String,
    pub(crate) partition: Option<i32>,
    pub(crate) headers: Headers,
    pub(crate) payload: Vec<u8>,
}

/// Adds messages, in order, for the sweeper to take at once.
pub(crate) async fn add(db: &mut PgConnection, messages: &[NewMessage]) -> sqlx::Result<()> {
    let job = |message: &NewMessage| message.job_of.map(|(id, _)| id.0);
    let judgement = |message: &NewMessage| message.job_of.map(|(_, number)| integer(number));
    sqlx::query(
        r"
        INSERT INTO execute.outbox (submission, judgement, topic, key, partition, headers, payload)
        SELECT submission, judgement, topic, key, partition, headers::json, payload
        FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::bytea[])
             WITH ORDINALITY AS new (submission, judgement, topic, key, partition, headers, payload, n)
        ORDER BY n
        ",
    )
    .bind(messages.iter().map(job).collect::<Vec<_>>())
    .bind(messages.iter().map(judgement).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.topic.name()).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| without_nul(&message.key)).collect::<Vec<_>>())
    .bind(messages.iter().map(|message| message.partition).collect::<Vec<_>>())
    .bind(
        messages
            .iter()
            .map(|message| serde_json::to_string(&message.headers))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| sqlx::Error::Encode(error.into()))?,
    )
    .bind(messages.iter().map(|message| message.payload.as_slice()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// A message that nobody has taken in time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Due {
    pub(crate) id: i64,
    pub(crate) topic: Topic,
    pub(crate) key: String,
    pub(crate) partition: Option<i32>,
    pub(crate) headers: Headers,
    pub(crate) payload: Vec<u8>,
}

/// Locks messages that are due and that no other sweeper has, oldest first.
pub(crate) async fn lock_due(db: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Due>> {
    type Row = (i64, String, String, Option<i32>, Json<Headers>, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        r"
        SELECT id, topic, key, partition, headers, payload FROM execute.outbox
        WHERE due_at <= now()
        ORDER BY id LIMIT $1
        FOR UPDATE SKIP LOCKED
        ",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, topic, key, partition, Json(headers), payload)| {
            let topic = Topic::from_name(&topic).ok_or_else(|| unknown_word("topic", &topic))?;
            Ok(Due {
                id,
                topic,
                key,
                partition,
                headers,
                payload,
            })
        })
        .collect()
}

/// Where Kafka put a message of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) id: i64,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// Removes acknowledged messages and notes where jobs lie. What a sweeper holds just now it will remove itself.
pub(crate) async fn settle(
    db: impl PgExecutor<'_>,
    acknowledged: &[Acknowledged],
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        WITH mine AS (
            SELECT id FROM execute.outbox WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM execute.outbox USING mine WHERE outbox.id = mine.id
            RETURNING outbox.id, outbox.submission, outbox.judgement
        ), held AS (
            SELECT judgement.submission, judgement.number, place.partition, place.log_offset
            FROM gone
            JOIN unnest($1::bigint[], $2::integer[], $3::bigint[]) AS place (id, partition, log_offset) USING (id)
            JOIN execute.judgement ON judgement.submission = gone.submission AND judgement.number = gone.judgement
            ORDER BY judgement.submission, judgement.number
            FOR UPDATE OF judgement
        )
        UPDATE execute.judgement
        SET job_partition = held.partition, job_offset = held.log_offset, active_at = now()
        FROM held
        WHERE judgement.submission = held.submission AND judgement.number = held.number
        ",
    )
    .bind(acknowledged.iter().map(|ack| ack.id).collect::<Vec<_>>())
    .bind(acknowledged.iter().map(|ack| ack.partition).collect::<Vec<_>>())
    .bind(acknowledged.iter().map(|ack| ack.offset).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Leaves messages alone for a while, so that others are due before them.
pub(crate) async fn put_off(
    db: &mut PgConnection,
    ids: &[i64],
    pause: Duration,
) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE execute.outbox SET due_at = now() + make_interval(secs => $2) WHERE id = ANY ($1)",
    )
    .bind(ids)
    .bind(pause.as_secs_f64())
    .execute(db)
    .await?;
    Ok(())
}

/// How much waits, and for how long the oldest does.
pub(crate) async fn backlog(db: impl PgExecutor<'_>) -> sqlx::Result<(u64, Duration)> {
    let (rows, oldest): (i64, f64) = sqlx::query_as(
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM execute.outbox",
    )
    .fetch_one(db)
    .await?;
    let oldest = Duration::try_from_secs_f64(oldest).unwrap_or_default();
    Ok((u64::try_from(rows).unwrap_or(0), oldest))
}

/// Takes a message out that no broker will ever take.
pub(crate) async fn remove(db: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM execute.outbox WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}
