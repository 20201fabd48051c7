//! Versions: frozen once, read for ever.

use contract::{AccountId, QuestionId};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::document::Document;

use super::{Key, question::language_ids};

/// The current version of a question, as judging needs it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Published {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) number: i32,
    pub(crate) document: Json<Document>,
    pub(crate) teachers: Vec<Uuid>,
}

/// The current version, if learners may answer the question.
pub(crate) async fn find_published(
    executor: impl PgExecutor<'_>,
    key: &Key,
) -> sqlx::Result<Option<Published>> {
    sqlx::query_as(
        r"
        SELECT q.id, q.slug, v.number, v.document,
               ARRAY(SELECT t.account FROM question.teacher t WHERE t.question = q.id ORDER BY t.added_at, t.account) AS teachers
        FROM question.question q
        JOIN question.version v ON v.question = q.id AND v.number = q.current_version
        WHERE (q.id = $1 OR q.slug = $2) AND q.archived_at IS NULL
        ",
    )
    .bind(key.id())
    .bind(key.slug())
    .fetch_optional(executor)
    .await
}

/// Freezes the draft and its tests as this version, and makes it the current one. The answer is the new revision.
pub(crate) async fn insert_version(
    connection: &mut PgConnection,
    id: QuestionId,
    number: i32,
    document: &Document,
    unverified: bool,
    publisher: AccountId,
) -> sqlx::Result<i64> {
    sqlx::query(
        r"
        INSERT INTO question.version (question, number, document, revision, unverified, published_by)
        SELECT id, $2, $3, revision, $4, $5 FROM question.question WHERE id = $1
        ",
    )
    .bind(id.0)
    .bind(number)
    .bind(Json(document))
    .bind(unverified)
    .bind(publisher.0)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        r"
        INSERT INTO question.version_test (
            question, version, position, name, sample, group_name, points,
            input_sha256, input_size, output_sha256, output_size
        )
        SELECT question, $2, row_number() OVER (ORDER BY position), name, sample, group_name, points,
               input_sha256, input_size, output_sha256, output_size
        FROM question.test WHERE question = $1
        ",
    )
    .bind(id.0)
    .bind(number)
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar(
        r"
        UPDATE question.question SET
            current_version = $2, revision = revision + 1, changed_at = now(),
            kind = $3, titles = $4, difficulty = $5, tags = $6, languages = $7
        WHERE id = $1
        RETURNING revision
        ",
    )
    .bind(id.0)
    .bind(number)
    .bind(document.kind.as_str())
    .bind(Json(&document.titles))
    .bind(i16::from(document.difficulty))
    .bind(&document.tags)
    .bind(language_ids(document))
    .fetch_one(connection)
    .await
}
