//! Dead letters: kept in a table as they come, sent again when an admin wishes.
//!
//! A job that nobody can do ends its judgement at once: whoever waits for it is told now, and not when it counts as lost.

use bytes::Bytes;
use contract::{SubmissionId, Topic};
use queue::Delivery;
use serde::Deserialize;
use service::Problem;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    endings,
    job::{JUDGE_JOB, STREAM_EVENT},
    outbox::Outbox,
    standing::Status,
    state::State,
    store::{
        dead_letter::{self, DeadLetter, NewDeadLetter},
        log::JudgementKey,
        open,
        outbox::{self as store_outbox, NewMessage},
    },
};

/// Keeps a batch of the topic, and ends the judgements of jobs in it.
pub(crate) async fn keep(
    pool: &PgPool,
    outbox: &Outbox,
    deliveries: &[Delivery],
) -> sqlx::Result<()> {
    let letters: Vec<NewDeadLetter> = deliveries.iter().map(letter).collect();
    let mut db = pool.begin().await?;
    let new = dead_letter::keep(&mut db, &letters).await?;
    // What was kept before may have been sent again meanwhile: only what is new says that a job is dead.
    let mut dead: Vec<JudgementKey> = new
        .into_iter()
        .map(|index| &letters[index])
        .filter(|letter| [JUDGE_JOB, "review-job"].contains(&letter.headers.kind.as_str()))
        .filter_map(|letter| letter.judgement)
        .collect();
    dead.sort_unstable();
    dead.dedup();
    let open = open::lock_open(&mut db, &dead).await?;
    let ended = !open.is_empty();
    if ended {
        endings::end_dead(&mut db, open).await?;
    }
    db.commit().await?;
    if ended {
        outbox.wake();
    }
    Ok(())
}

fn letter(delivery: &Delivery) -> NewDeadLetter {
    NewDeadLetter {
        partition: delivery.partition,
        offset: delivery.offset,
        key: delivery.key.clone(),
        headers: delivery.headers.clone(),
        payload: delivery.payload.to_vec(),
        judgement: about(&delivery.payload),
    }
}

/// What jobs and events have in common.
#[derive(Deserialize)]
struct About {
    submission: SubmissionId,
    judgement: u32,
}

fn about(payload: &Bytes) -> Option<JudgementKey> {
    let about: About = serde_json::from_slice(payload).ok()?;
    Some((about.submission, about.judgement))
}

/// Sends one again to where it was to be processed. A judgement that failed meanwhile is followed by another one.
pub(crate) async fn replay(state: &State, id: Uuid) -> Result<(), Problem> {
    let mut db = state.pool.begin().await?;
    let found = dead_letter::find(&mut *db, id).await?;
    let (letter, payload) = found.ok_or_else(|| Problem::not_found("dead letter"))?;
    let message = match (letter.headers.kind.as_str(), letter.judgement) {
        (JUDGE_JOB, Some(key)) => job(state, &mut db, &letter, key, payload).await?,
        _ => as_it_was(&letter, payload, None)?,
    };
    store_outbox::add(&mut db, &[message]).await?;
    if !dead_letter::resolve(&mut *db, id, "replayed").await? {
        return Err(Problem::not_found("dead letter"));
    }
    db.commit().await?;
    state.outbox.wake();
    Ok(())
}

async fn job(
    state: &State,
    db: &mut PgConnection,
    letter: &DeadLetter,
    key: JudgementKey,
    payload: Vec<u8>,
) -> Result<NewMessage, Problem> {
    match open::lock_status(db, key).await? {
        None => Err(Problem::conflict(
            "the submission has been forgotten: discard the letter",
        )),
        Some(Status::Done) => Err(Problem::conflict(
            "the submission was judged meanwhile: discard the letter",
        )),
        Some(Status::Queued | Status::Judging | Status::Judged) => {
            if open::lock_open(&mut *db, &[key]).await?.is_empty() {
                return Err(Problem::conflict(
                    "the submission is being ended just now: send the letter again in a moment",
                ));
            }
            as_it_was(letter, payload, Some(key))
        }
        Some(Status::Failed) => {
            let window = state.patience.submission_deadline;
            let anew = open::judge_anew(db, key, window).await?.ok_or_else(|| {
                Problem::conflict("the submission is being judged anew already: discard the letter")
            })?;
            let parts = open::job_parts(&mut *db, &[anew]).await?.pop();
            let parts =
                parts.ok_or_else(|| Problem::unexpected("a judgement has no submission"))?;
            Ok(endings::job_message(parts)?)
        }
    }
}

fn as_it_was(
    letter: &DeadLetter,
    payload: Vec<u8>,
    job_of: Option<JudgementKey>,
) -> Result<NewMessage, Problem> {
    let mut headers = letter.headers.clone();
    let origin = headers.origin.take();
    let topic = origin
        .as_deref()
        .and_then(Topic::from_name)
        .ok_or_else(|| {
            Problem::conflict("where it was to be processed is not known: discard the letter")
        })?;
    headers.reason = None;
    headers.attempt = 1;
    let partition = headers
        .reply_partition
        .filter(|_| headers.kind == STREAM_EVENT);
    Ok(NewMessage {
        job_of,
        topic,
        key: letter.key.clone(),
        partition,
        headers,
        payload,
    })
}
