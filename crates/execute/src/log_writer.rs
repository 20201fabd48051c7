//! Writes the event log: each reply partition in order, a batch a transaction, offsets committed behind it.
//!
//! What ends a judgement also puts a record for whoever comes later into the outbox, in the same transaction.
//! A batch that cannot be written comes again; one that was written and comes again adds nothing, because the fold has shown
//! its events already. What is no event becomes a dead letter, through the outbox and in the same transaction.

use std::{collections::BTreeSet, str};

use bytes::Bytes;
use contract::{
    Headers, StreamEvent, Topic,
    record::{ResultRecord, kind},
};
use metrics::counter;
use queue::Delivery;
use sqlx::PgPool;

use crate::{
    chronicle::{self, Chapter, Heard},
    outbox::Outbox,
    store::{
        log::{self, JudgementKey},
        outbox::{self, NewMessage},
    },
};

/// Writes one batch of one partition.
pub(crate) async fn write(
    pool: &PgPool,
    outbox: &Outbox,
    deliveries: &[Delivery],
) -> sqlx::Result<()> {
    let (batch, unreadable) = read(deliveries);
    let keys: BTreeSet<JudgementKey> = batch.iter().map(Heard::judgement).collect();
    let keys: Vec<JudgementKey> = keys.into_iter().collect();

    let mut db = pool.begin().await?;
    let open = log::load(&mut db, &keys).await?;
    let chapter = chronicle::fold(open, batch);
    if !chapter.lines.is_empty() {
        log::append(&mut db, &chapter.lines, &chapter.standings).await?;
    }
    let mut messages = unreadable;
    for record in &chapter.records {
        messages.push(record_message(record)?);
    }
    if !messages.is_empty() {
        outbox::add(&mut db, &messages).await?;
    }
    db.commit().await?;

    if !messages.is_empty() {
        outbox.wake();
    }
    count(&chapter);
    Ok(())
}

fn read(deliveries: &[Delivery]) -> (Vec<Heard>, Vec<NewMessage>) {
    let mut batch = Vec::with_capacity(deliveries.len());
    let mut unreadable = vec![];
    for delivery in deliveries {
        match event(&delivery.payload) {
            Ok(heard) => batch.push(heard),
            Err(reason) => unreadable.push(dead_letter(delivery, reason)),
        }
    }
    (batch, unreadable)
}

fn event(payload: &Bytes) -> Result<Heard, String> {
    let text = str::from_utf8(payload).map_err(|_| "the event is not UTF-8".to_owned())?;
    let event: StreamEvent =
        serde_json::from_str(text).map_err(|error| format!("the event cannot be read: {error}"))?;
    Ok(Heard {
        event,
        text: text.to_owned(),
    })
}

/// The record of a judgement's end. Sent again when a proposed judgement is applied, it says so and is another message.
pub(crate) fn record_message(record: &ResultRecord) -> sqlx::Result<NewMessage> {
    let (submission, judgement) = (record.submission, record.judgement);
    let word = if record.applied { "result" } else { "proposed" };
    let headers = Headers {
        accepted_at: Some(record.accepted_at),
        ..Headers::new(format!("{submission}/{judgement}/{word}"), kind::RESULT)
    };
    Ok(NewMessage {
        job_of: None,
        topic: Topic::Results,
        key: submission.to_string(),
        partition: None,
        headers,
        payload: serde_json::to_vec(record).map_err(|error| sqlx::Error::Encode(error.into()))?,
    })
}

fn dead_letter(delivery: &Delivery, reason: String) -> NewMessage {
    let mut headers = delivery.headers.clone();
    headers.origin = Some(delivery.topic.name().to_owned());
    headers.reason = Some(reason);
    NewMessage {
        job_of: None,
        topic: Topic::DeadLetters,
        key: delivery.key.clone(),
        partition: None,
        headers,
        payload: delivery.payload.to_vec(),
    }
}

fn count(chapter: &Chapter) {
    for (language, verdict) in &chapter.results {
        let verdict = verdict.map_or("failed", contract::Verdict::as_str);
        counter!("codementor_submissions_total", "language" => language.id(), "verdict" => verdict)
            .increment(1);
    }
    if chapter.gaps > 0 {
        // Whatever was missing is sent again when its job is, or execute ends it.
        counter!("codementor_log_gaps_total").increment(chapter.gaps);
        tracing::warn!(gaps = chapter.gaps, "events came before what they follow");
    }
}
