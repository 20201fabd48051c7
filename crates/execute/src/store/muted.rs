//! Submissions of which their owner is told no more than that they were received, until the question's teacher says otherwise.

use std::collections::HashSet;

use contract::{Account, Language, QuestionId, SubmissionId, manifest::Feedback};
use sqlx::{PgExecutor, Row};
use uuid::Uuid;

use super::word;

/// The word in SQL.
pub(crate) fn feedback_word(feedback: Feedback) -> &'static str {
    match feedback {
        Feedback::Full => "full",
        Feedback::Samples => "samples",
        Feedback::None => "none",
    }
}

/// Which of these submissions `viewer` is told nothing of.
pub(crate) async fn muted(
    db: impl PgExecutor<'_>,
    viewer: &Account,
    ids: &[SubmissionId],
) -> sqlx::Result<HashSet<SubmissionId>> {
    let found: Vec<Uuid> = sqlx::query_scalar(
        r"
        SELECT id FROM execute.submission
        WHERE id = ANY ($1) AND kind = 'submission' AND execute.is_muted(question, $2, $3)
        ",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(viewer.id.0)
    .bind(viewer.role.as_str())
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().map(SubmissionId).collect())
}

/// The question and the language of a submission.
pub(crate) async fn question_of(
    db: impl PgExecutor<'_>,
    id: SubmissionId,
) -> sqlx::Result<Option<(QuestionId, Language)>> {
    let row = sqlx::query(
        "SELECT question, language FROM execute.submission WHERE id = $1 AND question IS NOT NULL",
    )
    .bind(id.0)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let question: Uuid = row.try_get("question")?;
    let language = word(&row, "language", |word| word.parse().ok())?;
    Ok(Some((QuestionId(question), language)))
}

/// Keeps what the question's teacher says now.
pub(crate) async fn tell(
    db: impl PgExecutor<'_>,
    question: QuestionId,
    feedback: Feedback,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE execute.question SET feedback = $2 WHERE id = $1 AND feedback <> $2")
        .bind(question.0)
        .bind(feedback_word(feedback))
        .execute(db)
        .await?;
    Ok(())
}
