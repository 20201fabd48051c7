//! Submissions as people look at them: lists, one, its code. Who may see what is decided in these statements.

use contract::{
    Account, AccountId, Language, QuestionId, Role, StreamEvent, SubmissionId, Verdict,
    internal::StreamInfo, job::SourceFile,
};
use sqlx::{AssertSqlSafe, PgExecutor, Row, postgres::PgRow, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{counted, integer, kind, optional_word, status, submission_id, word};
use crate::{intake::Kind, standing::Status};

/// A submission with the applied judgement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) id: SubmissionId,
    pub(crate) kind: Kind,
    pub(crate) account: AccountId,
    pub(crate) account_name: String,
    pub(crate) question: Option<KnownQuestion>,
    pub(crate) version: Option<u32>,
    pub(crate) language: Language,
    pub(crate) judgement: u32,
    pub(crate) status: Status,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) score: Option<f64>,
    pub(crate) max_score: Option<f64>,
    pub(crate) time_ms: Option<i64>,
    pub(crate) memory_kib: Option<i64>,
    pub(crate) failure: Option<String>,
    pub(crate) accepted_at: OffsetDateTime,
    pub(crate) finished_at: Option<OffsetDateTime>,
}

impl Summary {
    /// Leaves no more than that it was received, and whether it is over.
    pub(crate) fn mute(&mut self) {
        self.status = self.status.muted();
        self.verdict = None;
        (self.score, self.max_score) = (None, None);
        (self.time_ms, self.memory_kib) = (None, None);
    }
}

/// A question as execute knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownQuestion {
    pub(crate) id: QuestionId,
    pub(crate) slug: String,
    pub(crate) title: String,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Id or slug.
    pub(crate) question: Option<String>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) language: Option<Language>,
    /// Only older ones than this.
    pub(crate) before: Option<SubmissionId>,
    pub(crate) limit: u16,
}

const SUMMARY: &str = r"
    SELECT submission.id, submission.kind, submission.account, submission.account_name,
           coalesce(judgement.version, submission.version) AS version,
           submission.language, submission.accepted_at, question.id AS question, question.slug,
           coalesce(question.titles ->> $2, question.titles ->> 'en', question.titles ->> 'ko', question.slug) AS title,
           judgement.number, judgement.status, judgement.verdict, judgement.score, judgement.max_score,
           judgement.time_ms, judgement.memory_kib, judgement.failure, judgement.terminal_at
    FROM execute.submission
    JOIN execute.judgement ON judgement.submission = submission.id AND judgement.number = submission.applied
    LEFT JOIN execute.question ON question.id = submission.question
";

fn summary(row: &PgRow) -> sqlx::Result<Summary> {
    let question: Option<Uuid> = row.try_get("question")?;
    let question = match question {
        None => None,
        Some(id) => Some(KnownQuestion {
            id: QuestionId(id),
            slug: row.try_get("slug")?,
            title: row.try_get("title")?,
        }),
    };
    let version: Option<i32> = row.try_get("version")?;
    Ok(Summary {
        id: submission_id(row, "id")?,
        kind: word(row, "kind", kind)?,
        account: AccountId(row.try_get("account")?),
        account_name: row.try_get("account_name")?,
        question,
        version: version.map(counted),
        language: word(row, "language", |word| word.parse().ok())?,
        judgement: counted(row.try_get("number")?),
        status: status(row)?,
        verdict: optional_word(row, "verdict", |word| word.parse().ok())?,
        score: row.try_get("score")?,
        max_score: row.try_get("max_score")?,
        time_ms: row.try_get("time_ms")?,
        memory_kib: row.try_get("memory_kib")?,
        failure: row.try_get("failure")?,
        accepted_at: row.try_get("accepted_at")?,
        finished_at: row.try_get("terminal_at")?,
    })
}

/// Submissions that `viewer` may see, newest first: one's own, as a teacher also those to one's questions, as an admin all. By a
/// verdict that the viewer is not told nothing is found: neither an item nor the end of a page may tell it.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    filter: &Filter,
) -> sqlx::Result<Vec<Summary>> {
    let visible = match viewer.role {
        Role::Learner => "submission.account = $1",
        Role::Teacher => {
            "(submission.account = $1 OR submission.question IN
              (SELECT id FROM execute.question WHERE teachers @> ARRAY[$1]))"
        }
        Role::Admin => "$1 IS NOT NULL",
    };
    let question_id: Option<Uuid> = filter
        .question
        .as_deref()
        .and_then(|question| question.parse().ok());
    let rows = sqlx::query(AssertSqlSafe(format!(
        r"
        {SUMMARY}
        WHERE submission.kind = 'submission' AND {visible}
          AND ($3::text IS NULL OR submission.question = coalesce($4, (SELECT id FROM execute.question WHERE slug = $3 LIMIT 1)))
          AND ($5::text IS NULL OR (judgement.verdict = $5 AND NOT execute.is_muted(submission.question, $1, $9)))
          AND ($6::text IS NULL OR submission.language = $6)
          AND ($7::uuid IS NULL OR submission.id < $7)
        ORDER BY submission.id DESC
        LIMIT $8
        "
    )))
    .bind(viewer.id.0)
    .bind(viewer.locale.as_str())
    .bind(filter.question.as_deref())
    .bind(question_id)
    .bind(filter.verdict.map(Verdict::as_str))
    .bind(filter.language.map(Language::id))
    .bind(filter.before.map(|before| before.0))
    .bind(i64::from(filter.limit))
    .bind(viewer.role.as_str())
    .fetch_all(db)
    .await?;
    rows.iter().map(summary).collect()
}

/// One of this kind that `viewer` may see.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    kind: Kind,
    id: SubmissionId,
) -> sqlx::Result<Option<Summary>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        r"
        {SUMMARY}
        WHERE submission.id = $3 AND submission.kind = $4
          AND execute.may_see(submission.kind, submission.account, submission.question, $1, $5)
        "
    )))
    .bind(viewer.id.0)
    .bind(viewer.locale.as_str())
    .bind(id.0)
    .bind(kind.as_str())
    .bind(viewer.role.as_str())
    .fetch_optional(db)
    .await?;
    row.as_ref().map(summary).transpose()
}

/// A judgement in short.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JudgementSummary {
    pub(crate) number: u32,
    pub(crate) status: Status,
    pub(crate) verdict: Option<Verdict>,
}

impl JudgementSummary {
    /// Leaves no more than whether it is over.
    pub(crate) fn mute(&mut self) {
        self.status = self.status.muted();
        self.verdict = None;
    }
}

/// What a judgement of a batch has come to is told before it counts to the question's teachers only.
const TOLD: &str = r"
    (judgement.batch IS NULL OR judgement.number = submission.applied
     OR EXISTS (SELECT FROM execute.batch WHERE batch.id = judgement.batch AND batch.state = 'applied')
     OR execute.may_see('solution', NULL, submission.question, $2, $3))
";

/// All judgements of a submission that `viewer` is told of, in order.
pub(crate) async fn judgements(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    id: SubmissionId,
) -> sqlx::Result<Vec<JudgementSummary>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        r"
        SELECT number, status, verdict
        FROM execute.judgement JOIN execute.submission ON submission.id = judgement.submission
        WHERE judgement.submission = $1 AND {TOLD} ORDER BY number
        "
    )))
    .bind(id.0)
    .bind(viewer.id.0)
    .bind(viewer.role.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(JudgementSummary {
                number: counted(row.try_get("number")?),
                status: status(row)?,
                verdict: optional_word(row, "verdict", |word| word.parse().ok())?,
            })
        })
        .collect()
}

/// A judgement's whole log.
pub(crate) async fn log(
    db: impl PgExecutor<'_>,
    id: SubmissionId,
    judgement: u32,
) -> sqlx::Result<Vec<StreamEvent>> {
    let rows: Vec<(Json<StreamEvent>,)> = sqlx::query_as(
        "SELECT body FROM execute.event WHERE submission = $1 AND judgement = $2 ORDER BY attempt, seq",
    )
    .bind(id.0)
    .bind(integer(judgement))
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(Json(event),)| event).collect())
}

/// The files of one of this kind that `viewer` may see, as they were handed in.
pub(crate) async fn code(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    id: SubmissionId,
) -> sqlx::Result<Option<(Language, Vec<SourceFile>)>> {
    let row = sqlx::query(
        r"
        SELECT language, files FROM execute.submission
        WHERE id = $1 AND kind = 'submission' AND execute.may_see(kind, account, question, $2, $3)
        ",
    )
    .bind(id.0)
    .bind(viewer.id.0)
    .bind(viewer.role.as_str())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let language = word(&row, "language", |word| word.parse().ok())?;
    let Json(files) = row.try_get("files")?;
    Ok(Some((language, files)))
}

/// Where a stream lives that `viewer` may see: of the judgement asked for, else of the applied one.
pub(crate) async fn stream(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    id: SubmissionId,
    judgement: Option<u32>,
) -> sqlx::Result<Option<StreamInfo>> {
    let row: Option<(i32, i32, bool)> = sqlx::query_as(AssertSqlSafe(format!(
        r"
        SELECT judgement.number, submission.reply_partition, judgement.terminal_at IS NOT NULL
        FROM execute.submission
        JOIN execute.judgement
          ON judgement.submission = submission.id AND judgement.number = coalesce($4, submission.applied)
        WHERE submission.id = $1 AND {TOLD}
          AND execute.may_see(submission.kind, submission.account, submission.question, $2, $3)
        "
    )))
    .bind(id.0)
    .bind(viewer.id.0)
    .bind(viewer.role.as_str())
    .bind(judgement.map(integer))
    .fetch_optional(db)
    .await?;
    Ok(
        row.map(|(judgement, reply_partition, terminal)| StreamInfo {
            judgement: counted(judgement),
            reply_partition,
            terminal,
            muted: false,
        }),
    )
}

/// Deletes runs that are over and were accepted longer ago than `kept`, with all that belongs to them; at most a thousand. The
/// answer is how many.
pub(crate) async fn delete_old_runs(
    db: impl PgExecutor<'_>,
    kept: std::time::Duration,
) -> sqlx::Result<u64> {
    let deleted: i64 = sqlx::query_scalar(
        r"
        WITH gone AS (
            DELETE FROM execute.submission
            WHERE id IN (
                SELECT id FROM execute.submission
                WHERE kind = 'run' AND accepted_at < now() - make_interval(secs => $1)
                  AND NOT EXISTS (
                      SELECT FROM execute.judgement
                      WHERE judgement.submission = submission.id AND terminal_at IS NULL)
                ORDER BY accepted_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
            RETURNING id
        ), unlogged AS (
            DELETE FROM execute.event USING gone WHERE event.submission = gone.id
        )
        SELECT count(*) FROM gone
        ",
    )
    .bind(kept.as_secs_f64())
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(deleted).unwrap_or(0))
}
