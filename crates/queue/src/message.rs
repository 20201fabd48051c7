//! What is sent and what comes, without a Kafka type.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use contract::{Headers, Topic};
use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers as _},
};
use time::OffsetDateTime;

use crate::headers;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub topic: Topic,
    /// What decides its partition where none is given, and what compaction keeps the newest of.
    pub key: String,
    /// Its partition, where that is not the key's.
    pub partition: Option<i32>,
    /// What can be known without decoding the payload.
    pub headers: Headers,
    /// JSON of `contract`, at most [`contract::topic::MAX_MESSAGE_BYTES`].
    pub payload: Vec<u8>,
}

/// Where a message was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
}

/// A message that came. Cheap to clone but for its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where from.
    pub topic: Topic,
    /// The partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Empty where it has none.
    pub key: String,
    /// What can be known without decoding the payload.
    pub headers: Headers,
    /// The value; empty where it has none.
    pub payload: Bytes,
    /// When it was sent, by the sender's clock.
    pub timestamp: OffsetDateTime,
}

/// A message that cannot be delivered, because its key or headers cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct Unreadable {
    pub(crate) topic: Topic,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) payload: Bytes,
    pub(crate) reason: String,
}

/// What came, readable or not.
pub(crate) type Received = Result<Delivery, Unreadable>;

impl Unreadable {
    /// Headers for its dead letter: none of its own can be trusted.
    pub(crate) fn headers(&self) -> Headers {
        let id = format!("{}/{}/{}", self.topic.name(), self.partition, self.offset);
        Headers::new(id, "unreadable")
    }
}

/// Copies a message out of the client's memory.
pub(crate) fn receive(topic: Topic, message: &BorrowedMessage<'_>) -> Received {
    let payload = Bytes::copy_from_slice(message.payload().unwrap_or_default());
    let key = message.key().unwrap_or_default();
    let read = std::str::from_utf8(key)
        .map_err(|_| "the key is not UTF-8".to_owned())
        .and_then(|key| Ok((key.to_owned(), read_headers(message)?)));
    match read {
        Ok((key, headers)) => Ok(Delivery {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            key,
            headers,
            payload,
            timestamp: timestamp(message),
        }),
        Err(reason) => Err(Unreadable {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            key: key.to_vec(),
            payload,
            reason,
        }),
    }
}

fn read_headers(message: &BorrowedMessage<'_>) -> Result<Headers, String> {
    let Some(all) = message.headers() else {
        return Err("it has no headers".to_owned());
    };
    // rdkafka panics at a header whose name is not UTF-8. Whoever wrote it, the thread that polls must live.
    catch_unwind(AssertUnwindSafe(|| {
        headers::decode(all.iter().map(|header| (header.key, header.value)))
    }))
    .unwrap_or_else(|_| Err("a header's name is not UTF-8".to_owned()))
}

fn timestamp(message: &BorrowedMessage<'_>) -> OffsetDateTime {
    message
        .timestamp()
        .to_millis()
        .and_then(|millis| {
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
        })
        .unwrap_or_else(OffsetDateTime::now_utc)
}
