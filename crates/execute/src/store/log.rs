//! The event log: loading where judgements stand, appending what was shown, and reading for many streams at once.

use std::collections::HashMap;

use contract::{
    AccountId, BatchId, Language, QuestionId, SubmissionId, Verdict, internal::LogRead,
};
use serde_json::value::RawValue;
use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    bigint, integer, kind, optional_word, shown, status, submission_id, without_nul, word,
};
use crate::{intake::Kind, standing::Standing};

/// A judgement, by submission and number.
pub(crate) type JudgementKey = (SubmissionId, u32);

/// A judgement that events came for.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) standing: Standing,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) facts: Facts,
}

/// What a record of a judgement's end says beside the end itself, as it was when it was loaded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) account: AccountId,
    pub(crate) question: Option<QuestionId>,
    pub(crate) version: Option<u32>,
    pub(crate) accepted_at: OffsetDateTime,
    /// Whether it is the judgement that counts.
    pub(crate) applied: bool,
    /// Which batch it is of.
    pub(crate) batch: Option<BatchId>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) score: Option<f64>,
    pub(crate) max_score: Option<f64>,
    pub(crate) machine_ms: u64,
    pub(crate) tokens: u64,
}

fn facts(row: &PgRow) -> sqlx::Result<Facts> {
    let question: Option<Uuid> = row.try_get("question")?;
    let version: Option<i32> = row.try_get("version")?;
    let sum = |column| row.try_get(column).map(|sum: i64| sum.unsigned_abs());
    Ok(Facts {
        account: AccountId(row.try_get("account")?),
        question: question.map(QuestionId),
        version: version.map(super::counted),
        accepted_at: row.try_get("accepted_at")?,
        applied: row.try_get("applied")?,
        batch: row.try_get::<Option<Uuid>, _>("batch")?.map(BatchId),
        verdict: optional_word(row, "verdict", |word| word.parse().ok())?,
        score: row.try_get("score")?,
        max_score: row.try_get("max_score")?,
        machine_ms: sum("machine_ms")?,
        tokens: sum("tokens")?,
    })
}

/// An event to append, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) judgement: JudgementKey,
    pub(crate) attempt: u32,
    pub(crate) seq: u32,
    pub(crate) body: String,
}

/// Loads and locks judgements until the transaction ends; those that do not exist are left out.
pub(crate) async fn load(
    db: &mut PgConnection,
    keys: &[JudgementKey],
) -> sqlx::Result<HashMap<JudgementKey, Open>> {
    let (ids, numbers) = columns(keys);
    let rows = sqlx::query(
        r"
        SELECT judgement.submission, judgement.number, last_attempt, last_seq, verdict_attempt, verdict_seq,
               terminal_at IS NOT NULL AS terminal, status, submission.language, submission.kind,
               submission.account, submission.question, coalesce(judgement.version, submission.version) AS version,
               submission.accepted_at, judgement.batch,
               submission.applied = judgement.number AS applied, verdict, score, max_score, machine_ms, tokens
        FROM unnest($1::uuid[], $2::integer[]) AS asked (submission, number)
        JOIN execute.judgement USING (submission, number)
        JOIN execute.submission ON submission.id = judgement.submission
        ORDER BY judgement.submission, judgement.number
        FOR UPDATE OF judgement
        ",
    )
    .bind(ids)
    .bind(numbers)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let number = super::counted(row.try_get("number")?);
            let open = Open {
                standing: Standing::new(shown(row)?, status(row)?),
                language: word(row, "language", |word| word.parse().ok())?,
                kind: word(row, "kind", kind)?,
                facts: facts(row)?,
            };
            Ok(((submission_id(row, "submission")?, number), open))
        })
        .collect()
}

fn columns(keys: &[JudgementKey]) -> (Vec<Uuid>, Vec<i32>) {
    keys.iter()
        .map(|&(id, number)| (id.0, integer(number)))
        .unzip()
}

/// Appends events and writes down where their judgements stand now. The judgements must have been locked by [`load`].
pub(crate) async fn append(
    db: &mut PgConnection,
    lines: &[Line],
    standings: &[(JudgementKey, Standing)],
) -> sqlx::Result<()> {
    let keys: Vec<JudgementKey> = lines.iter().map(|line| line.judgement).collect();
    let (event_ids, event_numbers) = columns(&keys);
    let attempts: Vec<i32> = lines.iter().map(|line| integer(line.attempt)).collect();
    let seqs: Vec<i32> = lines.iter().map(|line| integer(line.seq)).collect();
    let bodies: Vec<&str> = lines.iter().map(|line| line.body.as_str()).collect();

    let keys: Vec<JudgementKey> = standings.iter().map(|(key, _)| *key).collect();
    let (ids, numbers) = columns(&keys);
    let mut new = Columns::default();
    for (_, standing) in standings {
        new.push(standing);
    }
    sqlx::query(
        r"
        WITH logged AS (
            INSERT INTO execute.event (submission, judgement, attempt, seq, body)
            SELECT submission, judgement, attempt, seq, body::json
            FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[])
                 AS line (submission, judgement, attempt, seq, body)
            ON CONFLICT DO NOTHING
        )
        UPDATE execute.judgement
        SET last_attempt = new.last_attempt, last_seq = new.last_seq,
            verdict_attempt = new.verdict_attempt, verdict_seq = new.verdict_seq,
            status = new.status,
            verdict = coalesce(new.verdict, judgement.verdict),
            score = coalesce(new.score, judgement.score),
            max_score = coalesce(new.max_score, judgement.max_score),
            passed = coalesce(new.passed, judgement.passed),
            total = coalesce(new.total, judgement.total),
            time_ms = coalesce(new.time_ms, judgement.time_ms),
            memory_kib = coalesce(new.memory_kib, judgement.memory_kib),
            failure = coalesce(new.failure, judgement.failure),
            machine_ms = judgement.machine_ms + new.machine_ms,
            tokens = judgement.tokens + new.tokens,
            terminal_at = CASE WHEN new.terminal THEN now() END,
            active_at = now()
        FROM unnest($6::uuid[], $7::integer[], $8::integer[], $9::integer[], $10::integer[], $11::integer[], $12::text[],
                    $13::text[], $14::float8[], $15::float8[], $16::integer[], $17::integer[], $18::bigint[],
                    $19::bigint[], $20::text[], $21::boolean[], $22::bigint[], $23::bigint[])
             AS new (submission, number, last_attempt, last_seq, verdict_attempt, verdict_seq, status,
                     verdict, score, max_score, passed, total, time_ms, memory_kib, failure, terminal,
                     machine_ms, tokens)
        WHERE judgement.submission = new.submission AND judgement.number = new.number
        ",
    )
    .bind(event_ids)
    .bind(event_numbers)
    .bind(attempts)
    .bind(seqs)
    .bind(bodies)
    .bind(ids)
    .bind(numbers)
    .bind(new.last_attempt)
    .bind(new.last_seq)
    .bind(new.verdict_attempt)
    .bind(new.verdict_seq)
    .bind(new.status)
    .bind(new.verdict)
    .bind(new.score)
    .bind(new.max_score)
    .bind(new.passed)
    .bind(new.total)
    .bind(new.time_ms)
    .bind(new.memory_kib)
    .bind(new.failure)
    .bind(new.terminal)
    .bind(new.machine_ms)
    .bind(new.tokens)
    .execute(db)
    .await?;
    Ok(())
}

/// Standings by column, as `unnest` takes them.
#[derive(Debug, Default)]
struct Columns {
    last_attempt: Vec<Option<i32>>,
    last_seq: Vec<Option<i32>>,
    verdict_attempt: Vec<Option<i32>>,
    verdict_seq: Vec<Option<i32>>,
    status: Vec<&'static str>,
    verdict: Vec<Option<&'static str>>,
    score: Vec<Option<f64>>,
    max_score: Vec<Option<f64>>,
    passed: Vec<Option<i32>>,
    total: Vec<Option<i32>>,
    time_ms: Vec<Option<i64>>,
    memory_kib: Vec<Option<i64>>,
    failure: Vec<Option<String>>,
    terminal: Vec<bool>,
    machine_ms: Vec<i64>,
    tokens: Vec<i64>,
}

impl Columns {
    fn push(&mut self, standing: &Standing) {
        let shown = &standing.shown;
        self.last_attempt
            .push(shown.last.map(|key| integer(key.attempt)));
        self.last_seq.push(shown.last.map(|key| integer(key.seq)));
        self.verdict_attempt
            .push(shown.verdict.map(|key| integer(key.attempt)));
        self.verdict_seq
            .push(shown.verdict.map(|key| integer(key.seq)));
        self.status.push(standing.status.as_str());
        let verdict = standing.verdict.as_ref();
        self.verdict
            .push(verdict.map(|verdict| verdict.verdict.as_str()));
        self.score.push(verdict.map(|verdict| verdict.score));
        self.max_score
            .push(verdict.map(|verdict| verdict.max_score));
        self.passed
            .push(verdict.map(|verdict| integer(verdict.passed)));
        self.total
            .push(verdict.map(|verdict| integer(verdict.total)));
        self.time_ms
            .push(verdict.map(|verdict| bigint(verdict.time_ms)));
        self.memory_kib
            .push(verdict.map(|verdict| bigint(verdict.memory_kib)));
        let failure = standing.failure.as_deref().map(without_nul);
        self.failure.push(failure.map(Into::into));
        self.terminal.push(shown.terminal);
        self.machine_ms.push(bigint(standing.machine_ms));
        self.tokens.push(bigint(standing.tokens));
    }
}

/// One event of a batched read: which read it answers, and the event as it came.
pub(crate) type ReadLine = (i64, Box<RawValue>);

/// Answers many reads with one query, in the order of the reads and of the events.
///
/// An `after` that is not in the log is ignored. Positions are asked for by [`positions`].
pub(crate) async fn read(
    db: impl PgExecutor<'_>,
    reads: &[LogRead],
) -> sqlx::Result<Vec<ReadLine>> {
    let keys: Vec<JudgementKey> = reads
        .iter()
        .map(|read| (read.submission, read.judgement))
        .collect();
    let (ids, numbers) = columns(&keys);
    // An id of another judgement is in no log of this one.
    let after = |read: &LogRead| read.after.filter(|after| after.judgement == read.judgement);
    let attempts: Vec<Option<i32>> = reads
        .iter()
        .map(|read| after(read).map(|key| integer(key.attempt)))
        .collect();
    let seqs: Vec<Option<i32>> = reads
        .iter()
        .map(|read| after(read).map(|key| integer(key.seq)))
        .collect();
    let rows: Vec<(i64, String)> = sqlx::query_as(
        r"
        SELECT asked.n, event.body::text
        FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[]) WITH ORDINALITY
             AS asked (submission, judgement, attempt, seq, n)
        LEFT JOIN execute.event AS known
               ON known.submission = asked.submission AND known.judgement = asked.judgement
              AND known.attempt = asked.attempt AND known.seq = asked.seq
        JOIN execute.event
          ON event.submission = asked.submission AND event.judgement = asked.judgement
         AND (known.seq IS NULL OR (event.attempt, event.seq) > (known.attempt, known.seq))
        ORDER BY asked.n, event.attempt, event.seq
        ",
    )
    .bind(ids)
    .bind(numbers)
    .bind(attempts)
    .bind(seqs)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(n, body)| {
            let body =
                RawValue::from_string(body).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok((n, body))
        })
        .collect()
}

/// The places in the queue, from 1, of those of these judgements that nobody has begun; approximate.
pub(crate) async fn positions(
    db: impl PgExecutor<'_>,
    keys: &[JudgementKey],
) -> sqlx::Result<HashMap<JudgementKey, u64>> {
    let (ids, numbers) = columns(keys);
    let rows: Vec<(Uuid, i32, i64)> = sqlx::query_as(
        r"
        SELECT waiting.submission, waiting.number, waiting.place
        FROM (SELECT submission, number, row_number() OVER (ORDER BY submission) AS place
              FROM execute.judgement WHERE status = 'queued' AND batch IS NULL) AS waiting
        JOIN unnest($1::uuid[], $2::integer[]) AS asked (submission, number) USING (submission, number)
        ",
    )
    .bind(ids)
    .bind(numbers)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, number, place)| {
            let key = (SubmissionId(id), super::counted(number));
            (key, u64::try_from(place).unwrap_or(0))
        })
        .collect())
}
