//! Everything that has to do with Kafka: the only crate that knows rdkafka.
//!
//! In reading order: [`KafkaConfig`], [`Message`] and [`Delivery`]; [`Producer`] on the way in; on the way out [`windowed`]
//! for jobs (any order, contiguous commit), [`ordered`] for logs (each partition in order, nothing skipped), [`reader`] for
//! streams (by hand, no group); [`retry`] for what is tried again later, [`admin`] for topics and lag.
//!
//! ```text
//!            Retry ─► retry.v1 ──30 s──► origin topic
//!  windowed ─┤
//!            Dead ──► dead-letters.v1      offsets are committed only behind what was acknowledged
//! ```
//!
//! What the operator sees, all beginning with `codementor_kafka_`:
//! - sending, by topic: `produced_total`, `produce_failures_total`, `produce_seconds`; `producers_replaced_total`;
//! - groups, by group: `taken_total`, `handled_total`, `handling_seconds` (by outcome), `batch_messages`,
//!   `batches_failed_total`, `in_flight`, `oldest_in_flight_seconds`, `partitions`, `rebalances_total`, `commits_total`,
//!   `poll_exceeded_total`;
//! - put aside, by topic: `retries_total`, `given_back_total`, `dead_letters_total`;
//! - `read_total` of the reader, `errors_total` by code.
//!
//! Never a crash and never a silent skip: what cannot be read becomes a dead letter. Nothing here knows what a message means.

pub mod admin;
pub mod ordered;
pub mod reader;
pub mod retry;
pub mod windowed;

mod aside;
mod config;
mod consumer;
mod context;
mod error;
mod headers;
mod heartbeat;
mod member;
mod message;
mod partitions;
mod producer;
mod stop;
mod tracker;
mod watermarks;

pub use config::KafkaConfig;
pub use consumer::Consumer;
pub use error::QueueError;
pub use heartbeat::Heartbeat;
pub use message::{Delivery, Message, Placed};
pub use ordered::{Batch, Batches};
pub use producer::{ProduceError, Producer, Receipt};
pub use reader::PartitionReader;
pub use stop::Stop;
pub use windowed::{Done, Window};
