//! The judgements of batches: made when their turn comes, looked at, made to count.

use std::time::Duration;

use contract::{
    AccountId, BatchId, Language, QuestionId, StreamEvent, SubmissionId, Verdict,
    record::{Judged, ResultRecord},
};
use sqlx::{FromRow, PgConnection, PgExecutor, Row, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{counted, log::JudgementKey, optional_word, submission_id, word};

/// How many judgements of batches are not over.
pub(crate) async fn open_bulk(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM execute.judgement WHERE batch IS NOT NULL AND terminal_at IS NULL",
    )
    .fetch_one(db)
    .await?;
    Ok(open.unsigned_abs())
}

/// An item whose turn has come.
#[derive(Debug, Clone, FromRow)]
struct Turn {
    batch: Uuid,
    n: i32,
    submission: Uuid,
}

/// Makes the next judgements of batches that are still wanted; the answer is their keys, for their jobs.
///
/// The first judgement of a solution begins with a receipt, as every first judgement does.
pub(crate) async fn feed(
    db: &mut PgConnection,
    window: Duration,
    limit: i64,
) -> sqlx::Result<Vec<JudgementKey>> {
    let turns: Vec<Turn> = sqlx::query_as(
        r"
        SELECT item.batch, item.n, item.submission
        FROM execute.batch_item AS item
        JOIN execute.batch ON batch.id = item.batch AND batch.state = 'proposed'
        JOIN execute.submission ON submission.id = item.submission
        WHERE item.judgement IS NULL
        ORDER BY item.batch, item.n LIMIT $1
        FOR UPDATE OF item, submission SKIP LOCKED
        ",
    )
    .bind(limit)
    .fetch_all(&mut *db)
    .await?;
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        r"
        WITH turn AS (
            SELECT batch, n, submission,
                   1 + coalesce((SELECT max(number) FROM execute.judgement WHERE judgement.submission = turn.submission), 0)
                     + (row_number() OVER (PARTITION BY submission ORDER BY batch) - 1)::integer AS number
            FROM unnest($1::uuid[], $2::integer[], $3::uuid[]) AS turn (batch, n, submission)
        ), numbered AS (
            UPDATE execute.batch_item AS item SET judgement = turn.number
            FROM turn WHERE item.batch = turn.batch AND item.n = turn.n
            RETURNING item.batch, item.submission, item.judgement AS number, item.manifest
        ), made AS (
            INSERT INTO execute.judgement
                (submission, number, deadline, status, manifest, version, batch, last_attempt, last_seq)
            SELECT submission, number, now() + make_interval(secs => $4), 'queued', numbered.manifest, batch.version, batch.id,
                   CASE WHEN number = 1 THEN 0 END, CASE WHEN number = 1 THEN 1 END
            FROM numbered JOIN execute.batch ON batch.id = numbered.batch
            RETURNING submission, number, version
        ), logged AS (
            INSERT INTO execute.event (submission, judgement, attempt, seq, body)
            SELECT id, 1, 0, 1, json_build_object(
                'submission', id, 'judgement', 1, 'attempt', 0, 'seq', 1, 'event', 'accepted',
                'data', json_build_object(
                    'submission', id, 'question', question, 'version', made.version, 'language', language,
                    'accepted_at', execute.rfc3339(accepted_at)))
            FROM made JOIN execute.submission ON submission.id = made.submission WHERE made.number = 1
        )
        SELECT submission, number FROM made
        ",
    )
    .bind(turns.iter().map(|turn| turn.batch).collect::<Vec<_>>())
    .bind(turns.iter().map(|turn| turn.n).collect::<Vec<_>>())
    .bind(turns.iter().map(|turn| turn.submission).collect::<Vec<_>>())
    .bind(window.as_secs_f64())
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, number)| (SubmissionId(id), counted(number)))
        .collect())
}

/// One judgement of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) n: u32,
    pub(crate) submission: SubmissionId,
    /// `None` until its turn comes.
    pub(crate) judgement: Option<u32>,
    pub(crate) language: Language,
    pub(crate) expect: Option<Verdict>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) failure: Option<String>,
    pub(crate) terminal: bool,
}

/// All items of a batch, in order.
pub(crate) async fn outcome_items(db: impl PgExecutor<'_>, id: BatchId) -> sqlx::Result<Vec<Item>> {
    let rows = sqlx::query(
        r"
        SELECT item.n, item.submission, item.judgement, item.expect, submission.language, judgement.verdict,
               judgement.failure, judgement.terminal_at IS NOT NULL AS terminal
        FROM execute.batch_item AS item
        JOIN execute.submission ON submission.id = item.submission
        LEFT JOIN execute.judgement ON judgement.submission = item.submission AND judgement.number = item.judgement
        WHERE item.batch = $1 ORDER BY item.n
        ",
    )
    .bind(id.0)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let judgement: Option<i32> = row.try_get("judgement")?;
            Ok(Item {
                n: counted(row.try_get("n")?),
                submission: submission_id(row, "submission")?,
                judgement: judgement.map(counted),
                language: word(row, "language", |word| word.parse().ok())?,
                expect: optional_word(row, "expect", |word| word.parse().ok())?,
                verdict: optional_word(row, "verdict", |word| word.parse().ok())?,
                failure: row.try_get("failure")?,
                terminal: row.try_get("terminal")?,
            })
        })
        .collect()
}

/// What a rejudge would do to one submission.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Change {
    pub(crate) n: i32,
    pub(crate) submission: Uuid,
    pub(crate) judgement: i32,
    pub(crate) account: Uuid,
    pub(crate) account_name: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) before_score: Option<f64>,
    pub(crate) after_score: Option<f64>,
    pub(crate) failure: Option<String>,
}

const CHANGE: &str = r"
    SELECT item.n, item.submission, item.judgement, submission.account,
           submission.account_name,
           item.before, judgement.verdict AS after, item.before_score, judgement.score AS after_score, judgement.failure
    FROM execute.batch_item AS item
    JOIN execute.submission ON submission.id = item.submission
    JOIN execute.judgement ON judgement.submission = item.submission AND judgement.number = item.judgement
    WHERE item.batch = $1 AND judgement.terminal_at IS NOT NULL
";

/// The submissions whose verdict or points would change, behind the item `after` and before the item `reach`.
pub(crate) async fn changes(
    db: impl PgExecutor<'_>,
    id: BatchId,
    (after, reach): (i32, i32),
    limit: i64,
) -> sqlx::Result<Vec<Change>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        r"
        {CHANGE} AND item.n > $2 AND item.n < $4 AND judgement.status = 'done'
          AND (judgement.verdict, judgement.score) IS DISTINCT FROM (item.before, item.before_score)
        ORDER BY item.n LIMIT $3
        "
    )))
    .bind(id.0)
    .bind(after)
    .bind(limit)
    .bind(reach)
    .fetch_all(db)
    .await
}

/// The first item that is not over: what comes behind it is not told yet, so that a stream has one order.
pub(crate) async fn reach(db: impl PgExecutor<'_>, id: BatchId) -> sqlx::Result<i32> {
    let first: Option<i32> = sqlx::query_scalar(
        r"
        SELECT min(item.n) FROM execute.batch_item AS item
        LEFT JOIN execute.judgement ON judgement.submission = item.submission AND judgement.number = item.judgement
        WHERE item.batch = $1 AND judgement.terminal_at IS NULL
        ",
    )
    .bind(id.0)
    .fetch_one(db)
    .await?;
    Ok(first.unwrap_or(i32::MAX))
}

/// A place in the stream of a verification: item, attempt, seq.
pub(crate) type Place = (i32, i32, i32);

/// Events of solutions up to an item, behind a place.
pub(crate) async fn events(
    db: impl PgExecutor<'_>,
    id: BatchId,
    after: Place,
    reach: i32,
    limit: i64,
) -> sqlx::Result<Vec<(Place, StreamEvent)>> {
    let rows: Vec<(i32, i32, i32, Json<StreamEvent>)> = sqlx::query_as(
        r"
        SELECT item.n, event.attempt, event.seq, event.body
        FROM execute.batch_item AS item
        JOIN execute.event ON event.submission = item.submission AND event.judgement = item.judgement
        WHERE item.batch = $1 AND item.n <= $5 AND (item.n, event.attempt, event.seq) > ($2, $3, $4)
        ORDER BY 1, 2, 3 LIMIT $6
        ",
    )
    .bind(id.0)
    .bind(after.0)
    .bind(after.1)
    .bind(after.2)
    .bind(reach)
    .bind(limit)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(n, attempt, seq, Json(event))| ((n, attempt, seq), event))
        .collect())
}

/// Makes the judgements of a batch count that have a verdict, unless a later one does already. The answer is what came of
/// those that change something, for whoever keeps results.
pub(crate) async fn apply(db: &mut PgConnection, id: BatchId) -> sqlx::Result<Vec<ResultRecord>> {
    let rows = sqlx::query(
        r"
        WITH better AS (
            SELECT item.submission, item.judgement, item.before, item.before_score
            FROM execute.batch_item AS item
            JOIN execute.judgement
              ON judgement.submission = item.submission AND judgement.number = item.judgement AND judgement.status = 'done'
            WHERE item.batch = $1
        ), applied AS (
            UPDATE execute.submission SET applied = better.judgement
            FROM better WHERE submission.id = better.submission AND submission.applied < better.judgement
            RETURNING submission.id, submission.account, submission.question, submission.language, submission.accepted_at,
                      better.judgement, better.before, better.before_score
        )
        SELECT applied.id, applied.account, applied.question, applied.language, applied.accepted_at, applied.judgement,
               judgement.version, judgement.verdict, judgement.score, judgement.max_score, judgement.machine_ms, judgement.tokens
        FROM applied
        JOIN execute.judgement ON judgement.submission = applied.id AND judgement.number = applied.judgement
        WHERE (judgement.verdict, judgement.score) IS DISTINCT FROM (applied.before, applied.before_score)
        ORDER BY applied.id
        ",
    )
    .bind(id.0)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let question: Option<Uuid> = row.try_get("question")?;
            let version: Option<i32> = row.try_get("version")?;
            let count = |column| row.try_get(column).map(|count: i64| count.unsigned_abs());
            let accepted_at: OffsetDateTime = row.try_get("accepted_at")?;
            Ok(ResultRecord {
                submission: submission_id(row, "id")?,
                judgement: counted(row.try_get("judgement")?),
                kind: Judged::Submission,
                account: AccountId(row.try_get("account")?),
                question: question.map(QuestionId),
                version: version.map(counted),
                language: word(row, "language", |word| word.parse().ok())?,
                verdict: optional_word(row, "verdict", |word| word.parse().ok())?,
                score: row.try_get("score")?,
                max_score: row.try_get("max_score")?,
                failure: None,
                applied: true,
                batch: Some(id),
                machine_ms: count("machine_ms")?,
                tokens: count("tokens")?,
                accepted_at,
            })
        })
        .collect()
}
