//! Forgetting: what was stored for redeliveries, old answers, yesterday's budgets. Once an hour, in small steps.

use std::time::Duration;

use service::{Shutdown, database::within};
use sqlx::PgPool;

use crate::store;

/// How often.
const PERIOD: Duration = Duration::from_hours(1);

/// Jobs are kept in their topics for seven days; after eight no redelivery can come.
const FINALS: Duration = Duration::from_hours(8 * 24);

/// An answer to the same code is asked for while the question is being practised.
const ANSWERS: Duration = Duration::from_hours(30 * 24);

/// Rows in one statement.
const STEP: i64 = 1_000;

/// Forgets until the soft end.
pub(crate) fn start(pool: PgPool, patience: Duration, shutdown: &Shutdown) {
    let soft = shutdown.soft().clone();
    shutdown.tracker().spawn(async move {
        loop {
            // Replicas that started together need not forget together.
            let pause = PERIOD.mul_f64(rand::random_range(0.5..1.0));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = soft.cancelled() => return,
            }
            if let Err(error) = forget(&pool, patience).await {
                tracing::warn!(%error, "cannot forget what is old; trying again later");
            }
        }
    });
}

async fn forget(pool: &PgPool, patience: Duration) -> sqlx::Result<()> {
    while within(patience, store::forget_finals(pool, FINALS, STEP)).await? > 0 {}
    while within(patience, store::forget_answers(pool, ANSWERS, STEP)).await? > 0 {}
    while within(patience, store::forget_budgets(pool, STEP)).await? > 0 {}
    Ok(())
}
