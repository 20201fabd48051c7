//! Putting a message aside: into the retry topic, or among the dead letters. Returns only once it is stored there.
//!
//! Without Kafka there is nothing better to do than to wait: the message stays unfinished, its offset uncommitted.

use std::{borrow::Cow, time::Duration};

use contract::{Headers, Topic};
use metrics::counter;

use crate::{
    Delivery, ProduceError, Producer,
    message::{Received, Unreadable},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A reason is a line for an operator.
const LONGEST_REASON: usize = 500;

/// To be tried again after the delay, as one more attempt.
pub(crate) async fn retry(producer: &Producer, delivery: &Delivery, reason: &str) {
    let topic = delivery.topic.name();
    counter!("codementor_kafka_retries_total", "topic" => topic).increment(1);
    let mut headers = delivery.headers.clone();
    headers.attempt = headers.attempt.saturating_add(1);
    headers.origin = Some(topic.to_owned());
    headers.reason = Some(short(reason).into_owned());
    let key = delivery.key.as_bytes();
    store(producer, Topic::Retry, key, &headers, &delivery.payload).await;
}

/// Not to be tried again unless an operator says so.
pub(crate) async fn dead(producer: &Producer, delivery: &Delivery, reason: &str) {
    // What comes back from the retry topic keeps the topic that it really came from.
    let mut headers = delivery.headers.clone();
    let origin = match (delivery.topic, headers.origin.take()) {
        (Topic::Retry, Some(origin)) => origin,
        (topic, _) => topic.name().to_owned(),
    };
    headers.origin = Some(origin);
    let key = delivery.key.as_bytes();
    bury(
        producer,
        delivery.topic,
        key,
        headers,
        &delivery.payload,
        reason,
    )
    .await;
}

/// A message whose key or headers cannot be read.
pub(crate) async fn unreadable(producer: &Producer, message: &Unreadable) {
    let mut headers = message.headers();
    headers.origin = Some(message.topic.name().to_owned());
    // As text, whatever it was: a dead letter that cannot be read would beget others for ever.
    let key = String::from_utf8_lossy(&message.key);
    let (topic, reason) = (message.topic, &message.reason);
    let payload = &message.payload;
    bury(producer, topic, key.as_bytes(), headers, payload, reason).await;
}

/// The readable ones; the others are dead letters when this returns.
pub(crate) async fn sort(producer: &Producer, received: Vec<Received>) -> Vec<Delivery> {
    let mut deliveries = Vec::with_capacity(received.len());
    for message in received {
        match message {
            Ok(delivery) => deliveries.push(delivery),
            Err(message) => unreadable(producer, &message).await,
        }
    }
    deliveries
}

async fn bury(
    producer: &Producer,
    from: Topic,
    key: &[u8],
    mut headers: Headers,
    payload: &[u8],
    reason: &str,
) {
    counter!("codementor_kafka_dead_letters_total", "topic" => from.name()).increment(1);
    tracing::error!(
        topic = from.name(),
        id = headers.id,
        reason,
        "message {} of {} is a dead letter: {reason}",
        headers.id,
        from.name()
    );
    headers.reason = Some(short(reason).into_owned());
    store(producer, Topic::DeadLetters, key, &headers, payload).await;
}

pub(crate) async fn store(
    producer: &Producer,
    topic: Topic,
    key: &[u8],
    headers: &Headers,
    payload: &[u8],
) {
    let mut pause = FIRST_PAUSE;
    let mut payload = payload;
    loop {
        let stored = match producer.put(topic, key, None, headers, payload) {
            Ok(receipt) => receipt.await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(_) => return,
            Err(ProduceError::TooLarge { bytes }) if !payload.is_empty() => {
                // Only a stranger with other limits can have written it: its headers must do.
                tracing::error!(
                    id = headers.id,
                    bytes,
                    "a message is too large to be put aside whole"
                );
                payload = &[];
                continue;
            }
            Err(error) => {
                let topic = topic.name();
                tracing::warn!(topic, id = headers.id, %error, "a message cannot be put aside yet");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn short(reason: &str) -> Cow<'_, str> {
    if reason.len() <= LONGEST_REASON {
        return Cow::Borrowed(reason);
    }
    let end = (0..=LONGEST_REASON)
        .rev()
        .find(|end| reason.is_char_boundary(*end))
        .unwrap_or(0);
    Cow::Owned(format!("{}…", &reason[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_long_reasons_between_characters() {
        assert_eq!(short("no runner"), "no runner");
        let cut = short(&"가".repeat(400)).into_owned();
        assert!(
            cut.len() <= LONGEST_REASON + '…'.len_utf8(),
            "{}",
            cut.len()
        );
        assert!(cut.starts_with("가가") && cut.ends_with("가…"));
    }
}
