//! Gives what lies in the retry topic back to where it came from, once its delay has passed.
//!
//! All messages have the same delay, so the order in which they lie there is the order in which they are due: one that is not
//! due yet holds nothing up that is. A message that names no topic to go back to is a dead letter.

use std::time::Duration;

use contract::{
    Headers, Topic,
    topic::{RETRY_DELAY, group},
};
use futures::FutureExt as _;
use metrics::counter;
use time::OffsetDateTime;

use crate::{
    Consumer, Delivery, KafkaConfig, Producer, QueueError, Receipt, Stop, aside,
    message::Received,
    ordered::{self, Batches, Handle, Lane, Outcome},
};

/// Few, since each waits in memory; a lane for each partition, since lanes mostly sleep.
const BATCHES: Batches = Batches {
    count: 100,
    bytes: 4 << 20,
    lanes: usize::MAX,
};

/// Runs until it is told to stop.
pub async fn run(config: &KafkaConfig, producer: &Producer, stop: Stop) -> Result<(), QueueError> {
    start(config, producer, RETRY_DELAY, stop)?.ended().await
}

/// Joins the group of all that do this, with a delay of [`RETRY_DELAY`] or, in tests, another.
pub fn start(
    config: &KafkaConfig,
    producer: &Producer,
    delay: Duration,
    stop: Stop,
) -> Result<Consumer, QueueError> {
    let producer = producer.clone();
    let handle: Handle = Box::new(move |received, lane| {
        let producer = producer.clone();
        async move { give_back_all(&producer, received, &lane, delay).await }.boxed()
    });
    let topics = [Topic::Retry];
    ordered::start_with(config, group::RETRY, &topics, BATCHES, stop, handle)
}

async fn give_back_all(
    producer: &Producer,
    received: Vec<Received>,
    lane: &Lane,
    delay: Duration,
) -> Outcome {
    // Nothing waits longer than the delay from when it was seen, whatever the clock of its sender showed.
    let latest = OffsetDateTime::now_utc() + delay;
    let mut waiting = received.into_iter().peekable();
    while let Some(next) = waiting.peek() {
        let due = due(next, delay).min(latest);
        let wait = (due - OffsetDateTime::now_utc()).max(time::Duration::ZERO);
        let slept = tokio::time::sleep(wait.unsigned_abs());
        if lane.leaving.run_until_cancelled(slept).await.is_none() {
            return Outcome::Left;
        }
        let now = OffsetDateTime::now_utc();
        let mut last = i64::MIN;
        let mut under_way = Vec::new();
        while let Some(message) =
            waiting.next_if(|message| self::due(message, delay).min(latest) <= now)
        {
            match message {
                Ok(delivery) => {
                    last = delivery.offset;
                    under_way.extend(give_back(producer, delivery).await);
                }
                Err(unreadable) => {
                    last = unreadable.offset;
                    aside::unreadable(producer, &unreadable).await;
                }
            }
        }
        for (receipt, back) in under_way {
            if receipt.await.is_err() {
                back.store(producer).await;
            }
        }
        lane.done_up_to(last);
    }
    Outcome::Done
}

fn due(message: &Received, delay: Duration) -> OffsetDateTime {
    match message {
        Ok(delivery) => delivery.timestamp + delay,
        Err(_) => OffsetDateTime::UNIX_EPOCH,
    }
}

/// A message on its way back.
struct Back {
    topic: Topic,
    headers: Headers,
    delivery: Delivery,
}

impl Back {
    async fn store(&self, producer: &Producer) {
        let (key, payload) = (self.delivery.key.as_bytes(), &self.delivery.payload);
        aside::store(producer, self.topic, key, &self.headers, payload).await;
    }
}

/// Puts it in line, so that many can be under way; `None` when it is at its end already.
async fn give_back(producer: &Producer, delivery: Delivery) -> Option<(Receipt, Back)> {
    let mut headers = delivery.headers.clone();
    let origin = headers.origin.take();
    headers.reason = None;
    let topic = origin.as_deref().and_then(Topic::from_name);
    let Some(topic) = topic.filter(|topic| *topic != Topic::Retry) else {
        let reason = format!("it came from no topic that is known: {origin:?}");
        aside::dead(producer, &delivery, &reason).await;
        return None;
    };
    counter!("codementor_kafka_given_back_total", "topic" => topic.name()).increment(1);
    let back = Back {
        topic,
        headers,
        delivery,
    };
    let (key, payload) = (back.delivery.key.as_bytes(), &back.delivery.payload);
    if let Ok(receipt) = producer.put(topic, key, None, &back.headers, payload) {
        return Some((receipt, back));
    }
    back.store(producer).await;
    None
}
