//! All SQL of execute: submissions, their judgements and logs, the outbox, dead letters.
//!
//! Free functions; whoever calls says whether they stand in a transaction. Every time in them is Postgres' `now()`, never
//! this process's clock. Locks are taken in one order, outbox before judgements, judgements by id, so that nobody waits in a ring.

pub(crate) mod accept;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod dead_letter;
pub(crate) mod feed;
pub(crate) mod intake;
pub(crate) mod log;
pub(crate) mod muted;
pub(crate) mod open;
pub(crate) mod outbox;
pub(crate) mod submission;
pub(crate) mod usage;

use std::borrow::Cow;

use contract::{AccountId, EventKey, Locale, QuestionId, Shown, SubmissionId, job::SourceFile};
use sqlx::{Row, migrate::Migrator, postgres::PgRow, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    intake::Kind,
    job::{Basis, Parts},
    standing::Status,
};

/// The tables of execute, in the schema `execute`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/execute");

/// Judgements, attempts and sequence numbers never leave the range of SQL's `integer`: `LAST_ATTEMPT` is its end.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The tables' checks keep them from being negative.
fn counted(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Figures of a verdict are far below the end of SQL's `bigint`.
fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As `text` and `jsonb` can hold it: Postgres refuses NUL, and a message that is refused would come again for ever.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A column whose words are ours holds another one.
fn unknown_word(column: &'static str, word: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("unknown word {word:?}").into(),
    }
}

/// Reads a column whose words are ours.
fn word<T>(
    row: &PgRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| unknown_word(column, text))
}

/// The same of a column that may be null.
fn optional_word<T>(
    row: &PgRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> sqlx::Result<Option<T>> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| parse(text).ok_or_else(|| unknown_word(column, text)))
        .transpose()
}

fn kind(word: &str) -> Option<Kind> {
    [Kind::Submission, Kind::Run, Kind::Solution]
        .into_iter()
        .find(|kind| kind.as_str() == word)
}

/// A submission's id.
fn submission_id(row: &PgRow, column: &str) -> sqlx::Result<SubmissionId> {
    row.try_get(column).map(SubmissionId)
}

/// The fold's state, from the columns of `execute.judgement`.
fn shown(row: &PgRow) -> sqlx::Result<Shown> {
    let judgement = counted(row.try_get("number")?);
    let key = |attempt: Option<i32>, seq: Option<i32>| {
        Some(EventKey {
            judgement,
            attempt: counted(attempt?),
            seq: counted(seq?),
        })
    };
    Ok(Shown {
        last: key(row.try_get("last_attempt")?, row.try_get("last_seq")?),
        verdict: key(row.try_get("verdict_attempt")?, row.try_get("verdict_seq")?),
        terminal: row.try_get("terminal")?,
    })
}

fn status(row: &PgRow) -> sqlx::Result<Status> {
    word(row, "status", Status::from_word)
}

/// What a job is made of, from a submission joined with its judgement and manifest.
fn parts(row: &PgRow) -> sqlx::Result<Parts> {
    let Json(files): Json<Vec<SourceFile>> = row.try_get("files")?;
    let Json(basis): Json<Basis> = row.try_get("basis")?;
    let account: Uuid = row.try_get("account")?;
    let question: Option<Uuid> = row.try_get("question")?;
    let version: Option<i32> = row.try_get("version")?;
    let accepted_at: OffsetDateTime = row.try_get("accepted_at")?;
    Ok(Parts {
        submission: submission_id(row, "submission")?,
        judgement: counted(row.try_get("number")?),
        kind: word(row, "kind", kind)?,
        account: AccountId(account),
        locale: word(row, "locale", Locale::from_tag)?,
        question: question.map(QuestionId),
        version: version.map(counted),
        language: word(row, "language", |word| word.parse().ok())?,
        files,
        stdin: row.try_get("stdin")?,
        basis,
        bulk: row.try_get("bulk")?,
        reply_partition: row.try_get("reply_partition")?,
        traceparent: row.try_get("traceparent")?,
        accepted_at,
        deadline: row.try_get("deadline")?,
    })
}
