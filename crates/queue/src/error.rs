//! What can go wrong with Kafka, apart from sending, which has [`crate::ProduceError`].

use rdkafka::error::KafkaError;

/// Why something could not be done with Kafka.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The brokers did not answer in time.
    #[error("Kafka does not answer: {0}")]
    Unreachable(#[source] KafkaError),
    /// The client library refused, or the broker did.
    #[error("Kafka refused {what}")]
    Refused {
        /// What was asked.
        what: String,
        /// Its answer.
        #[source]
        source: KafkaError,
    },
    /// The topic, or that partition of it, is not there.
    #[error("Kafka has no {0}; `codementor setup` makes the topics")]
    Missing(String),
    /// A topic has fewer partitions than it shall have, and they are not added silently: keys would move.
    #[error(
        "topics have too few partitions: {0}; add some with kafka-topics.sh --alter while nothing waits"
    )]
    TooFewPartitions(String),
    /// A client broke for good and must be made anew.
    #[error("a Kafka client failed for good: {0}")]
    Fatal(String),
    /// It has ended.
    #[error("it has ended")]
    Ended,
}

pub(crate) fn refused(what: &'static str) -> impl FnOnce(KafkaError) -> QueueError {
    move |source| QueueError::Refused {
        what: what.to_owned(),
        source,
    }
}

/// Ends clients. That waits for their threads, so it is never done on a thread that runs tasks.
pub(crate) fn discard<T: Send + 'static>(clients: T) {
    std::thread::spawn(move || drop(clients));
}
