//! Proofs of drafts.

use contract::{AccountId, BatchId, QuestionId, batch::VerificationOutcome};
use sqlx::{PgConnection, PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// The newest proof of a question.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Verification {
    pub(crate) id: Uuid,
    pub(crate) content: Vec<u8>,
    /// Once all is judged.
    pub(crate) outcome: Option<Json<VerificationOutcome>>,
    pub(crate) created_at: OffsetDateTime,
}

/// Writes down that this content is being proven.
pub(crate) async fn insert_verification(
    executor: impl PgExecutor<'_>,
    id: BatchId,
    question: QuestionId,
    content: &[u8; 32],
    account: AccountId,
) -> sqlx::Result<()> {
    sqlx::query(
        r"INSERT INTO question.verification (id, question, content, account) VALUES ($1, $2, $3, $4)",
    )
    .bind(id.0)
    .bind(question.0)
    .bind(content.as_slice())
    .bind(account.0)
    .execute(executor)
    .await
    .map(drop)
}

/// The newest one.
pub(crate) async fn latest_verification(
    executor: impl PgExecutor<'_>,
    question: QuestionId,
) -> sqlx::Result<Option<Verification>> {
    sqlx::query_as(
        r"
        SELECT id, content, outcome, created_at FROM question.verification
        WHERE question = $1 ORDER BY created_at DESC, id DESC LIMIT 1
        ",
    )
    .bind(question.0)
    .fetch_optional(executor)
    .await
}

/// Keeps what came of it.
pub(crate) async fn keep_outcome(
    connection: &mut PgConnection,
    id: Uuid,
    outcome: &VerificationOutcome,
) -> sqlx::Result<()> {
    sqlx::query(r"UPDATE question.verification SET outcome = $2 WHERE id = $1")
        .bind(id)
        .bind(Json(outcome))
        .execute(connection)
        .await
        .map(drop)
}
