//! How far accounts have come with questions.

use contract::{AccountId, QuestionId};
use sqlx::PgExecutor;
use uuid::Uuid;

/// Notes who has tried what, and whether with success; each account and question once. Nothing leads back, and questions that are
/// gone are left out.
pub(crate) async fn advance(
    executor: impl PgExecutor<'_>,
    progress: &[((AccountId, QuestionId), bool)],
) -> sqlx::Result<()> {
    let accounts: Vec<Uuid> = progress.iter().map(|((account, _), _)| account.0).collect();
    let questions: Vec<Uuid> = progress
        .iter()
        .map(|((_, question), _)| question.0)
        .collect();
    let solved: Vec<bool> = progress.iter().map(|(_, solved)| *solved).collect();
    sqlx::query(
        r"
        INSERT INTO question.progress AS known (account, question, state)
        SELECT account, question, CASE WHEN solved THEN 'solved' ELSE 'attempted' END
        FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS new (account, question, solved)
        WHERE EXISTS (SELECT FROM question.question WHERE question.id = new.question)
        ORDER BY account, question
        ON CONFLICT (account, question) DO UPDATE SET state = 'solved', changed_at = now()
        WHERE excluded.state = 'solved' AND known.state <> 'solved'
        ",
    )
    .bind(accounts)
    .bind(questions)
    .bind(solved)
    .execute(executor)
    .await?;
    Ok(())
}
