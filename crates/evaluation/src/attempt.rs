//! One attempt at a job: the numbers of its events, and the way they take.
//!
//! ```text
//!   say ──► numbered, produced at once, in order ──► settle: all acknowledged
//!   close ─► numbered, not produced ──► stored by the end of the claim ──► announce: produced until acknowledged
//! ```
//! Nothing is said before the claim, and the last events not before they are stored.

use std::time::Duration;

use contract::{EventBody, EventKey, Headers, StreamEvent, SubmissionId, Topic, job::ReviewJob};
use queue::{Message, ProduceError, Producer, Receipt};
use service::trace::Traceparent;
use time::OffsetDateTime;

/// Whose events these are, where they go and what each carries along.
#[derive(Debug, Clone)]
pub(crate) struct Addressee {
    pub(crate) submission: SubmissionId,
    pub(crate) judgement: u32,
    pub(crate) reply_partition: i32,
    pub(crate) accepted_at: Option<OffsetDateTime>,
    pub(crate) traceparent: Traceparent,
}

impl Addressee {
    fn event_message(&self, event: &StreamEvent) -> Message {
        Message {
            topic: Topic::Events,
            key: self.submission.to_string(),
            partition: Some(self.reply_partition),
            headers: self.headers(format!("{}/{}", self.submission, event.key), "stream-event"),
            payload: encoded(event),
        }
    }

    /// The review job; in a redelivery of its judge job it is the same again.
    pub(crate) fn review_message(&self, job: &ReviewJob) -> Message {
        let id = format!("{}/{}/review", self.submission, self.judgement);
        Message {
            topic: Topic::Reviews,
            key: self.submission.to_string(),
            partition: None,
            headers: Headers {
                deadline: Some(job.deadline),
                ..self.headers(id, "review-job")
            },
            payload: encoded(job),
        }
    }

    fn headers(&self, id: String, kind: &str) -> Headers {
        Headers {
            reply_partition: Some(self.reply_partition),
            accepted_at: self.accepted_at,
            traceparent: Some(self.traceparent.to_string()),
            ..Headers::new(id, kind)
        }
    }
}

fn encoded(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value)
        .expect("the contract's types have string keys and no failing serialisers")
}

/// Says what happens in one attempt.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    producer: &'a Producer,
    to: &'a Addressee,
    next: EventKey,
    /// What must have been shown before the first event; given with the first event only.
    follows: Option<EventKey>,
    receipts: Vec<Receipt>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        producer: &'a Producer,
        to: &'a Addressee,
        attempt: u32,
        follows: Option<EventKey>,
    ) -> Self {
        Self {
            producer,
            to,
            next: EventKey {
                judgement: to.judgement,
                attempt,
                seq: 1,
            },
            follows,
            receipts: Vec::new(),
        }
    }

    /// Which attempt.
    pub(crate) fn number(&self) -> u32 {
        self.next.attempt
    }

    /// Produces the next event, without waiting for its acknowledgement.
    pub(crate) fn say(&mut self, body: EventBody) -> Result<(), ProduceError> {
        let event = self.event(body);
        self.receipts
            .push(self.producer.send_now(self.to.event_message(&event))?);
        Ok(())
    }

    /// Waits until everything said is acknowledged.
    pub(crate) async fn settle(&mut self) -> Result<(), ProduceError> {
        for receipt in self.receipts.drain(..) {
            receipt.await?;
        }
        Ok(())
    }

    /// Numbers the last events; they are produced by [`announce`] once they are stored.
    pub(crate) fn close(mut self, bodies: Vec<EventBody>) -> Vec<StreamEvent> {
        bodies.into_iter().map(|body| self.event(body)).collect()
    }

    fn event(&mut self, body: EventBody) -> StreamEvent {
        let key = self.next;
        self.next = key.next();
        StreamEvent {
            submission: self.to.submission,
            key,
            follows: self.follows.take(),
            body,
        }
    }
}

/// Longest pause between tries to produce what is stored.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Produces stored events, and the review job after them, again and again until all are acknowledged.
///
/// Doubled ones are dropped by the fold and by the review's claim.
pub(crate) async fn announce(
    producer: &Producer,
    to: &Addressee,
    events: &[StreamEvent],
    review: Option<&ReviewJob>,
) {
    let mut pause = Duration::from_millis(100);
    while let Err(error) = announce_once(producer, to, events, review).await {
        if matches!(error, ProduceError::TooLarge { .. }) {
            tracing::error!(%error, submission = %to.submission, "the end of submission {} can never be produced", to.submission);
            return;
        }
        tracing::warn!(%error, submission = %to.submission, "cannot produce the end of submission {}; trying again", to.submission);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The review job is not in line before the last event is stored: the topics have different leaders, and a review that is
/// quicker than its verdict would begin before what it follows.
async fn announce_once(
    producer: &Producer,
    to: &Addressee,
    events: &[StreamEvent],
    review: Option<&ReviewJob>,
) -> Result<(), ProduceError> {
    let receipts = events
        .iter()
        .map(|event| producer.send_now(to.event_message(event)))
        .collect::<Result<Vec<_>, _>>()?;
    for receipt in receipts {
        receipt.await?;
    }
    if let Some(job) = review {
        producer.send(to.review_message(job)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
