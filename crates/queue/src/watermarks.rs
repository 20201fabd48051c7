//! Where a partition begins and ends.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    error::RDKafkaErrorCode,
};

use crate::QueueError;

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The first offset that is kept, and that of the next message to be written. Blocks; while the partition has no leader, or
/// its leader does not know that it is, asks again.
pub(crate) fn query(
    client: &BaseConsumer,
    topic: &str,
    partition: i32,
    patience: Duration,
) -> Result<(i64, i64), QueueError> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let error = match client.fetch_watermarks(topic, partition, left) {
            Ok(marks) => return Ok(marks),
            Err(error) => error,
        };
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition,
            ) => {
                let what = format!("partition {partition} of topic {topic}");
                return Err(QueueError::Missing(what));
            }
            Some(
                RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable,
            ) if Instant::now() + LOOK_AGAIN < until => thread::sleep(LOOK_AGAIN),
            _ => return Err(QueueError::Unreachable(error)),
        }
    }
}
