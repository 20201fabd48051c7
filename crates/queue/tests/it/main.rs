//! The queue's behaviour on the real Kafka.
