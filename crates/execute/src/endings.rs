//! Ending judgements that no worker ends: late ones, lost ones, and those whose owner calls them off.
//!
//! What is said goes through the outbox to the reply partition, and comes back to the log like anything else; until then it
//! is only marked as being ended. It is said again when a verdict was faster, or when nothing came of it.

use contract::{EventKey, Headers, StreamEvent, SubmissionId, Topic};
use service::Problem;
use sqlx::PgConnection;

use crate::{
    ending::Ending,
    intake::Kind,
    job::{JUDGE_JOB, Parts, STREAM_EVENT},
    state::State,
    store::{
        log::JudgementKey,
        open::{self, Open},
        outbox::{self, NewMessage},
    },
};

/// Calls off the applied judgement of a submission, if it is not over.
pub(crate) async fn cancel(state: &State, id: SubmissionId) -> Result<(), Problem> {
    let mut db = state.pool.begin().await?;
    let Some(found) = open::lock_applied(&mut db, id).await? else {
        return Ok(());
    };
    end(&mut db, &[(found, Ending::Cancelled)]).await?;
    db.commit().await?;
    state.outbox.wake();
    Ok(())
}

/// Ends judgements that are locked. One that is being ended already keeps its reason.
pub(crate) async fn end(db: &mut PgConnection, ended: &[(Open, Ending)]) -> sqlx::Result<()> {
    end_and_tell(db, ended, true).await
}

/// Ends locked judgements whose jobs the operator has as dead letters already.
pub(crate) async fn end_dead(db: &mut PgConnection, dead: Vec<Open>) -> sqlx::Result<()> {
    let ended: Vec<(Open, Ending)> = dead
        .into_iter()
        .map(|open| (open, Ending::Retries))
        .collect();
    end_and_tell(db, &ended, false).await
}

async fn end_and_tell(
    db: &mut PgConnection,
    ended: &[(Open, Ending)],
    operator: bool,
) -> sqlx::Result<()> {
    let mut messages = vec![];
    let mut letters = vec![];
    for (judgement, ending) in ended {
        let first = judgement.ending.is_none();
        let ending = judgement.ending.unwrap_or(*ending);
        let events = ending.events(
            judgement.submission,
            judgement.judgement,
            &judgement.shown,
            judgement.locale,
        );
        for event in events {
            messages.push(event_message(judgement, &event)?);
        }
        let unjudged = judgement.kind == Kind::Submission && judgement.shown.verdict.is_none();
        if operator && first && ending.is_ours() && unjudged {
            letters.push((judgement.key(), ending));
        }
        if first {
            tracing::info!(submission = %judgement.submission, judgement = judgement.judgement, ending = ending.as_str(),
                "ends submission {}: {}", judgement.submission, ending.as_str());
        }
    }
    messages.extend(dead_letters(db, &letters).await?);
    outbox::add(db, &messages).await?;
    let marks: Vec<(JudgementKey, Ending)> = ended
        .iter()
        .map(|(judgement, ending)| (judgement.key(), *ending))
        .collect();
    open::mark_ending(db, &marks).await
}

fn event_message(judgement: &Open, event: &StreamEvent) -> sqlx::Result<NewMessage> {
    Ok(NewMessage {
        job_of: None,
        topic: Topic::Events,
        key: event.submission.to_string(),
        partition: Some(judgement.reply_partition),
        headers: Headers {
            reply_partition: Some(judgement.reply_partition),
            accepted_at: Some(judgement.accepted_at),
            traceparent: judgement.traceparent.clone(),
            ..Headers::new(event_id(event.submission, event.key), STREAM_EVENT)
        },
        payload: encode(event)?,
    })
}

fn event_id(submission: SubmissionId, key: EventKey) -> String {
    format!("{submission}/{key}")
}

/// What the operator hears of judgements that failed by our fault: their jobs, so that they can be sent again.
async fn dead_letters(
    db: &mut PgConnection,
    ended: &[(JudgementKey, Ending)],
) -> sqlx::Result<Vec<NewMessage>> {
    if ended.is_empty() {
        return Ok(vec![]);
    }
    let keys: Vec<JudgementKey> = ended.iter().map(|(key, _)| *key).collect();
    let mut letters = vec![];
    for parts in open::job_parts(&mut *db, &keys).await? {
        let key = (parts.submission, parts.judgement);
        let ending = ended
            .iter()
            .find(|(ended, _)| *ended == key)
            .map(|(_, ending)| ending.as_str());
        let mut message = job_message(parts)?;
        message.job_of = None;
        message.headers.origin = Some(message.topic.name().to_owned());
        message.topic = Topic::DeadLetters;
        message.headers.reason = ending.map(str::to_owned);
        letters.push(message);
    }
    Ok(letters)
}

/// The message of a job, as it was at submit.
pub(crate) fn job_message(parts: Parts) -> sqlx::Result<NewMessage> {
    let headers = parts.headers();
    debug_assert_eq!(headers.kind, JUDGE_JOB);
    Ok(NewMessage {
        job_of: Some((parts.submission, parts.judgement)),
        topic: parts.topic(),
        key: parts.submission.to_string(),
        partition: None,
        headers,
        payload: encode(&parts.into_job())?,
    })
}

fn encode(value: &impl serde::Serialize) -> sqlx::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
