//! Drafts, their teachers, and the lock that every change takes.

use contract::{AccountId, Language, QuestionId};
use sqlx::{PgConnection, PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::document::Document;

use super::{Key, Viewer};

/// A question as one viewer may see it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Visible {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) revision: i64,
    pub(crate) archived_at: Option<OffsetDateTime>,
    /// The current version, if there is one.
    pub(crate) version: Option<i32>,
    pub(crate) published_at: Option<OffsetDateTime>,
    pub(crate) published: Option<Json<Document>>,
    /// For its teachers only.
    pub(crate) draft: Option<Json<Document>>,
}

impl Visible {
    pub(crate) fn id(&self) -> QuestionId {
        QuestionId(self.id)
    }
}

/// A question that is being changed: nobody else can change it until the transaction ends.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Locked {
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) current_version: Option<i32>,
    pub(crate) archived: bool,
    pub(crate) draft: Json<Document>,
}

impl Locked {
    pub(crate) fn id(&self) -> QuestionId {
        QuestionId(self.id)
    }
}

/// The question, if this viewer may see it.
pub(crate) async fn find_visible(
    executor: impl PgExecutor<'_>,
    key: &Key,
    viewer: Viewer,
) -> sqlx::Result<Option<Visible>> {
    sqlx::query_as(
        r"
        SELECT q.id, q.slug, q.revision, q.archived_at,
               v.number AS version, v.published_at, v.document AS published,
               CASE WHEN m.mine THEN q.draft END AS draft
        FROM question.question q
        LEFT JOIN question.version v ON v.question = q.id AND v.number = q.current_version
        CROSS JOIN LATERAL (
            SELECT $3 OR ($4 AND EXISTS (
                SELECT FROM question.teacher t WHERE t.question = q.id AND t.account = $5
            )) AS mine
        ) m
        WHERE (q.id = $1 OR q.slug = $2)
          AND (m.mine OR (q.current_version IS NOT NULL AND q.archived_at IS NULL))
        ",
    )
    .bind(key.id())
    .bind(key.slug())
    .bind(viewer.is_admin())
    .bind(viewer.is_teacher())
    .bind(viewer.account.0)
    .fetch_optional(executor)
    .await
}

/// Locks the question, if this viewer may change it.
pub(crate) async fn lock_for_change(
    connection: &mut PgConnection,
    key: &Key,
    viewer: Viewer,
) -> sqlx::Result<Option<Locked>> {
    sqlx::query_as(
        r"
        SELECT q.id, q.revision, q.current_version, q.archived_at IS NOT NULL AS archived, q.draft
        FROM question.question q
        WHERE (q.id = $1 OR q.slug = $2)
          AND ($3 OR ($4 AND EXISTS (
              SELECT FROM question.teacher t WHERE t.question = q.id AND t.account = $5
          )))
        FOR UPDATE OF q
        ",
    )
    .bind(key.id())
    .bind(key.slug())
    .bind(viewer.is_admin())
    .bind(viewer.is_teacher())
    .bind(viewer.account.0)
    .fetch_optional(connection)
    .await
}

/// A new draft of revision 1 with one teacher.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: QuestionId,
    draft: &Document,
    teacher: AccountId,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        INSERT INTO question.question (id, slug, draft, kind, titles, difficulty, tags, languages)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ",
    )
    .bind(id.0)
    .bind(&draft.slug)
    .bind(Json(draft))
    .bind(draft.kind.as_str())
    .bind(Json(&draft.titles))
    .bind(i16::from(draft.difficulty))
    .bind(&draft.tags)
    .bind(language_ids(draft))
    .execute(&mut *connection)
    .await?;
    replace_teachers(connection, id, &[teacher]).await
}

/// Stores the draft as its next revision, which is the answer. The list shows it as long as nothing is published.
pub(crate) async fn save_draft(
    connection: &mut PgConnection,
    id: QuestionId,
    draft: &Document,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        r"
        UPDATE question.question SET
            slug = $2, draft = $3, revision = revision + 1, changed_at = now(),
            kind       = CASE WHEN current_version IS NULL THEN $4 ELSE kind END,
            titles     = CASE WHEN current_version IS NULL THEN $5 ELSE titles END,
            difficulty = CASE WHEN current_version IS NULL THEN $6 ELSE difficulty END,
            tags       = CASE WHEN current_version IS NULL THEN $7 ELSE tags END,
            languages  = CASE WHEN current_version IS NULL THEN $8 ELSE languages END
        WHERE id = $1
        RETURNING revision
        ",
    )
    .bind(id.0)
    .bind(&draft.slug)
    .bind(Json(draft))
    .bind(draft.kind.as_str())
    .bind(Json(&draft.titles))
    .bind(i16::from(draft.difficulty))
    .bind(&draft.tags)
    .bind(language_ids(draft))
    .fetch_one(connection)
    .await
}

/// Counts a change of what stands beside the draft: its tests, its teachers. The answer is the new revision.
pub(crate) async fn touch(connection: &mut PgConnection, id: QuestionId) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        r"
        UPDATE question.question SET revision = revision + 1, changed_at = now()
        WHERE id = $1
        RETURNING revision
        ",
    )
    .bind(id.0)
    .fetch_one(connection)
    .await
}

/// Hides it from learners, or brings it back. The answer is the new revision.
pub(crate) async fn set_archived(
    connection: &mut PgConnection,
    id: QuestionId,
    archived: bool,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        r"
        UPDATE question.question SET
            revision = revision + 1, changed_at = now(), archived_at = CASE WHEN $2 THEN now() END
        WHERE id = $1
        RETURNING revision
        ",
    )
    .bind(id.0)
    .bind(archived)
    .fetch_one(connection)
    .await
}

/// Removes a question that was never published.
pub(crate) async fn delete(connection: &mut PgConnection, id: QuestionId) -> sqlx::Result<()> {
    sqlx::query(r"DELETE FROM question.question WHERE id = $1 AND current_version IS NULL")
        .bind(id.0)
        .execute(connection)
        .await
        .map(drop)
}

/// Its teachers, in the order in which they were added.
pub(crate) async fn list_teachers(
    executor: impl PgExecutor<'_>,
    id: QuestionId,
) -> sqlx::Result<Vec<AccountId>> {
    let accounts: Vec<Uuid> = sqlx::query_scalar(
        r"SELECT account FROM question.teacher WHERE question = $1 ORDER BY added_at, account",
    )
    .bind(id.0)
    .fetch_all(executor)
    .await?;
    Ok(accounts.into_iter().map(AccountId).collect())
}

/// These are its teachers from now on.
pub(crate) async fn replace_teachers(
    connection: &mut PgConnection,
    id: QuestionId,
    teachers: &[AccountId],
) -> sqlx::Result<()> {
    let accounts: Vec<Uuid> = teachers.iter().map(|account| account.0).collect();
    sqlx::query(r"DELETE FROM question.teacher WHERE question = $1 AND account <> ALL ($2)")
        .bind(id.0)
        .bind(&accounts)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        r"
        INSERT INTO question.teacher (question, account) SELECT $1, unnest($2)
        ON CONFLICT DO NOTHING
        ",
    )
    .bind(id.0)
    .bind(&accounts)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) fn language_ids(document: &Document) -> Vec<&'static str> {
    document.offered().into_iter().map(Language::id).collect()
}

/// Whether any question has this slug.
pub(crate) async fn slug_exists(executor: impl PgExecutor<'_>, slug: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(r"SELECT EXISTS (SELECT FROM question.question WHERE slug = $1)")
        .bind(slug)
        .fetch_one(executor)
        .await
}
