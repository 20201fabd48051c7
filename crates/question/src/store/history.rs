//! Who changed what, and when. Rows are only ever added.

use contract::{Account, QuestionId};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// One change.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ChangeRow {
    pub(crate) id: i64,
    pub(crate) revision: i64,
    pub(crate) action: String,
    pub(crate) detail: Json<Value>,
    pub(crate) account: Uuid,
    pub(crate) account_name: String,
    pub(crate) at: OffsetDateTime,
}

/// Records a change, in the transaction that makes it.
pub(crate) async fn insert_change(
    connection: &mut PgConnection,
    question: QuestionId,
    revision: i64,
    action: &str,
    detail: &Value,
    account: &Account,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        INSERT INTO question.change (question, revision, action, detail, account, account_name)
        VALUES ($1, $2, $3, $4, $5, $6)
        ",
    )
    .bind(question.0)
    .bind(revision)
    .bind(action)
    .bind(Json(detail))
    .bind(account.id.0)
    .bind(&account.name)
    .execute(connection)
    .await
    .map(drop)
}

/// Changes of a question, the newest first, those before `before`.
pub(crate) async fn list_changes(
    executor: impl PgExecutor<'_>,
    question: QuestionId,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<ChangeRow>> {
    sqlx::query_as(
        r"
        SELECT id, revision, action, detail, account, account_name, at
        FROM question.change
        WHERE question = $1 AND ($2::bigint IS NULL OR id < $2)
        ORDER BY id DESC
        LIMIT $3
        ",
    )
    .bind(question.0)
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
}
