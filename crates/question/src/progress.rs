//! How far accounts have come with questions: follows the results of submissions.
//!
//! Only what counts: judgements that are applied, with a verdict, of submissions. Results come twice and in any order between
//! submissions; what is solved stays solved. Whether somebody may be told is decided where it is read, see `store::listing`.

use std::{collections::BTreeMap, time::Duration};

use contract::{
    AccountId, QuestionId, Topic, Verdict,
    record::{Judged, ResultRecord, kind},
};
use queue::{Delivery, Message, ProduceError, Producer};
use service::database;
use sqlx::PgPool;

use crate::store;

/// Why a batch has to come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("the database cannot take progress")]
    Database(#[from] sqlx::Error),
    #[error("an unreadable result could not be set aside")]
    DeadLetter(#[from] ProduceError),
}

/// Writes down what a batch of results means.
/// `patience` is how long Postgres is waited for.
pub(crate) async fn follow(
    pool: &PgPool,
    patience: Duration,
    producer: &Producer,
    deliveries: &[Delivery],
) -> Result<(), FollowError> {
    let mut results = vec![];
    for delivery in deliveries {
        // Kinds of records that we do not know yet are for others.
        if delivery.headers.kind != kind::RESULT {
            continue;
        }
        match serde_json::from_slice::<ResultRecord>(&delivery.payload) {
            Ok(result) => results.push(result),
            Err(error) => {
                let letter = dead_letter(delivery, &error);
                producer.send(letter).await?;
            }
        }
    }
    let progress: Vec<_> = progress(&results).into_iter().collect();
    if !progress.is_empty() {
        database::within(patience, store::advance(pool, &progress)).await?;
    }
    Ok(())
}

/// Whose answers to which question were right; absent where nothing counts.
fn progress(results: &[ResultRecord]) -> BTreeMap<(AccountId, QuestionId), bool> {
    let mut progress = BTreeMap::new();
    for result in results {
        let counts = result.applied && result.kind == Judged::Submission;
        let (true, Some(question), Some(verdict)) = (counts, result.question, result.verdict)
        else {
            continue;
        };
        *progress.entry((result.account, question)).or_insert(false) |=
            verdict == Verdict::Accepted;
    }
    progress
}

fn dead_letter(delivery: &Delivery, error: &serde_json::Error) -> Message {
    let mut headers = delivery.headers.clone();
    headers.origin = Some(Topic::Results.name().to_owned());
    headers.reason = Some(format!("the result cannot be read: {error}"));
    Message {
        topic: Topic::DeadLetters,
        key: delivery.key.clone(),
        partition: None,
        headers,
        payload: delivery.payload.to_vec(),
    }
}
