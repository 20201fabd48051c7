//! Batches: what belongs to one, its judgements when their turn comes, and whether they count.

mod item;

use contract::{
    Account, AccountId, BatchId, QuestionId, Role, SubmissionId, Verdict,
    batch::VerificationRequest, job::SourceFile,
};
use sqlx::{FromRow, PgConnection, PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::integer;

pub(crate) use item::{Change, apply, changes, events, feed, open_bulk, outcome_items, reach};

/// A batch as its teachers see it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Batch {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) question: Uuid,
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) version: i32,
    pub(crate) account: Uuid,
    pub(crate) account_name: String,
    pub(crate) state: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) decided_at: Option<OffsetDateTime>,
    pub(crate) total: i64,
    pub(crate) judged: i64,
    pub(crate) failed: i64,
    pub(crate) changed: i64,
}

impl Batch {
    /// Whether every judgement of it is over.
    pub(crate) fn is_complete(&self) -> bool {
        self.judged == self.total
    }

    pub(crate) fn is_rejudge(&self) -> bool {
        self.kind == "rejudge"
    }
}

/// A batch to a question of the viewer's, else `None`.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    id: BatchId,
) -> sqlx::Result<Option<Batch>> {
    sqlx::query_as(
        r"
        SELECT batch.id, batch.kind, batch.question, question.slug,
               coalesce(question.titles ->> $4, question.titles ->> 'en', question.titles ->> 'ko', question.slug) AS title,
               batch.version, batch.account, batch.account_name, batch.state, batch.created_at, batch.decided_at,
               tally.total, tally.judged, tally.failed, tally.changed
        FROM execute.batch
        JOIN execute.question ON question.id = batch.question
        CROSS JOIN LATERAL (
            SELECT count(*) AS total,
                   count(*) FILTER (WHERE terminal_at IS NOT NULL) AS judged,
                   count(*) FILTER (WHERE judgement.status = 'failed') AS failed,
                   count(*) FILTER (WHERE judgement.status = 'done' AND
                       (judgement.verdict, judgement.score) IS DISTINCT FROM (item.before, item.before_score)) AS changed
            FROM execute.batch_item AS item
            LEFT JOIN execute.judgement
              ON judgement.submission = item.submission AND judgement.number = item.judgement
            WHERE item.batch = batch.id) AS tally
        WHERE batch.id = $1 AND ($2 = 'admin' OR ($2 = 'teacher' AND $3 = ANY (question.teachers)))
        ",
    )
    .bind(id.0)
    .bind(viewer.role.as_str())
    .bind(viewer.id.0)
    .bind(viewer.locale.as_str())
    .fetch_optional(db)
    .await
}

/// The question of that id or slug, if it is one of the viewer's.
pub(crate) async fn teachers_question(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    key: &str,
) -> sqlx::Result<Option<QuestionId>> {
    let id: Option<Uuid> = sqlx::query_scalar(
        r"
        SELECT id FROM execute.question
        WHERE (id = $1 OR slug = $2) AND ($3 OR $4 = ANY (teachers))
        ORDER BY id = $1 DESC NULLS LAST LIMIT 1
        ",
    )
    .bind(key.parse::<Uuid>().ok())
    .bind(key)
    .bind(viewer.role == Role::Admin)
    .bind(viewer.id.0)
    .fetch_optional(db)
    .await?;
    Ok(id.map(QuestionId))
}

/// Which submissions to judge anew: those that are over, and of these what is named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) verdicts: Option<Vec<Verdict>>,
    pub(crate) languages: Option<Vec<contract::Language>>,
    pub(crate) submissions: Option<Vec<SubmissionId>>,
    pub(crate) account: Option<AccountId>,
    pub(crate) from: Option<OffsetDateTime>,
    pub(crate) to: Option<OffsetDateTime>,
}

const MATCHES: &str = r"
    FROM execute.submission
    JOIN execute.judgement ON judgement.submission = submission.id AND judgement.number = submission.applied
    WHERE submission.question = $1 AND submission.kind = 'submission' AND judgement.terminal_at IS NOT NULL
      AND ($2::text[] IS NULL OR judgement.verdict = ANY ($2))
      AND ($3::text[] IS NULL OR submission.language = ANY ($3))
      AND ($4::uuid[] IS NULL OR submission.id = ANY ($4))
      AND ($5::uuid IS NULL OR submission.account = $5)
      AND ($6::timestamptz IS NULL OR submission.accepted_at >= $6)
      AND ($7::timestamptz IS NULL OR submission.accepted_at < $7)
";

impl Wanted {
    fn verdict_words(&self) -> Option<Vec<&'static str>> {
        let verdicts = self.verdicts.as_ref()?;
        Some(verdicts.iter().map(|verdict| verdict.as_str()).collect())
    }

    fn language_words(&self) -> Option<Vec<&'static str>> {
        let languages = self.languages.as_ref()?;
        Some(languages.iter().map(|language| language.id()).collect())
    }

    fn ids(&self) -> Option<Vec<Uuid>> {
        let ids = self.submissions.as_ref()?;
        Some(ids.iter().map(|id| id.0).collect())
    }
}

/// The languages of what would be judged anew.
pub(crate) async fn languages(
    db: impl PgExecutor<'_>,
    question: QuestionId,
    wanted: &Wanted,
) -> sqlx::Result<Vec<contract::Language>> {
    let words: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT language {MATCHES} ORDER BY language"
    )))
    .bind(question.0)
    .bind(wanted.verdict_words())
    .bind(wanted.language_words())
    .bind(wanted.ids())
    .bind(wanted.account.map(|account| account.0))
    .bind(wanted.from)
    .bind(wanted.to)
    .fetch_all(db)
    .await?;
    words
        .iter()
        .map(|word| {
            word.parse()
                .map_err(|_| super::unknown_word("language", word))
        })
        .collect()
}

/// A batch about to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewBatch<'a> {
    pub(crate) id: BatchId,
    pub(crate) kind: &'a str,
    pub(crate) question: QuestionId,
    pub(crate) version: u32,
    pub(crate) account: &'a Account,
}

/// Makes a batch without anything in it. False: it was there.
pub(crate) async fn insert(db: &mut PgConnection, new: NewBatch<'_>) -> sqlx::Result<bool> {
    let made = sqlx::query(
        r"
        INSERT INTO execute.batch (id, kind, question, version, account, account_name)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        ",
    )
    .bind(new.id.0)
    .bind(new.kind)
    .bind(new.question.0)
    .bind(integer(new.version))
    .bind(new.account.id.0)
    .bind(&new.account.name)
    .execute(db)
    .await?;
    Ok(made.rows_affected() > 0)
}

/// Keeps how something is judged under its hash.
pub(crate) async fn keep_manifest(
    db: &mut PgConnection,
    (text, sha256): &(String, [u8; 32]),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO execute.manifest (sha256, body) VALUES ($1, $2::json) ON CONFLICT DO NOTHING",
    )
    .bind(sha256.as_slice())
    .bind(text)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts all submissions in one of these languages into the batch, each with the manifest of its language. The answer is how many.
pub(crate) async fn add_submissions(
    db: &mut PgConnection,
    id: BatchId,
    question: QuestionId,
    wanted: &Wanted,
    manifests: &[(contract::Language, [u8; 32])],
) -> sqlx::Result<u64> {
    let languages: Vec<&str> = manifests
        .iter()
        .map(|(language, _)| language.id())
        .collect();
    let hashes: Vec<&[u8]> = manifests.iter().map(|(_, hash)| hash.as_slice()).collect();
    let added = sqlx::query(sqlx::AssertSqlSafe(format!(
        r"
        INSERT INTO execute.batch_item (batch, n, submission, manifest, before, before_score)
        SELECT $8, row_number() OVER (ORDER BY found.id), found.id, known.manifest, found.verdict, found.score
        FROM (SELECT submission.id, submission.language, judgement.verdict, judgement.score {MATCHES}) AS found
        JOIN unnest($9::text[], $10::bytea[]) AS known (language, manifest) USING (language)
        "
    )))
    .bind(question.0)
    .bind(wanted.verdict_words())
    .bind(wanted.language_words())
    .bind(wanted.ids())
    .bind(wanted.account.map(|account| account.0))
    .bind(wanted.from)
    .bind(wanted.to)
    .bind(id.0)
    .bind(languages)
    .bind(hashes)
    .execute(db)
    .await?;
    Ok(added.rows_affected())
}

/// Keeps what is to be known of the question that a verification speaks of.
pub(crate) async fn keep_question(
    db: &mut PgConnection,
    request: &VerificationRequest,
) -> sqlx::Result<()> {
    let teachers: Vec<Uuid> = request.teachers.iter().map(|teacher| teacher.0).collect();
    sqlx::query(
        r"
        INSERT INTO execute.question AS copy (id, slug, titles, teachers) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE
           SET slug = excluded.slug, titles = excluded.titles, teachers = excluded.teachers
        ",
    )
    .bind(request.question.0)
    .bind(&request.slug)
    .bind(Json(&request.titles))
    .bind(teachers)
    .execute(db)
    .await?;
    Ok(())
}

/// A stored solution about to be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSolution<'a> {
    pub(crate) n: u32,
    pub(crate) submission: SubmissionId,
    pub(crate) language: contract::Language,
    pub(crate) files: &'a [SourceFile],
    pub(crate) manifest: &'a [u8; 32],
    pub(crate) expect: Verdict,
    pub(crate) reply_partition: i32,
}

/// Puts a solution into the batch.
pub(crate) async fn add_solution(
    db: &mut PgConnection,
    batch: NewBatch<'_>,
    new: NewSolution<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        WITH placed AS (
            INSERT INTO execute.submission
                (id, kind, account, account_name, locale, question, version, language, files, manifest, reply_partition,
                 body_sha256)
            VALUES ($1, 'solution', $2, $3, $4, $5, $6, $7, $8, $9, $10, $9)
        )
        INSERT INTO execute.batch_item (batch, n, submission, manifest, expect) VALUES ($11, $12, $1, $9, $13)
        ",
    )
    .bind(new.submission.0)
    .bind(batch.account.id.0)
    .bind(&batch.account.name)
    .bind(batch.account.locale.as_str())
    .bind(batch.question.0)
    .bind(integer(batch.version))
    .bind(new.language.id())
    .bind(Json(new.files))
    .bind(new.manifest.as_slice())
    .bind(new.reply_partition)
    .bind(batch.id.0)
    .bind(integer(new.n))
    .bind(new.expect.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// The state of a rejudge, locked until the transaction ends.
pub(crate) async fn lock_state(db: &mut PgConnection, id: BatchId) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT state FROM execute.batch WHERE id = $1 FOR UPDATE")
        .bind(id.0)
        .fetch_one(db)
        .await
}

/// Decides a rejudge.
pub(crate) async fn decide(db: &mut PgConnection, id: BatchId, state: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE execute.batch SET state = $2, decided_at = now() WHERE id = $1")
        .bind(id.0)
        .bind(state)
        .execute(db)
        .await?;
    Ok(())
}
