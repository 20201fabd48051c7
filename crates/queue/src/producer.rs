//! Sending: idempotent, acknowledged by all replicas in sync, in the order of the calls for each partition.
//!
//! Never blocks a caller: a full local queue is an error that says so. A client that broke for good is replaced by a new one.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use contract::{Headers, Topic, topic::MAX_MESSAGE_BYTES};
use metrics::{counter, histogram};
use rdkafka::{
    ClientContext, Message as _,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use tokio::sync::oneshot;

use crate::{
    KafkaConfig, Message, Placed, QueueError, context,
    error::{discard, refused},
    headers,
};

const METADATA_PATIENCE: Duration = Duration::from_secs(5);

/// Why a message was not sent, as far as is known: after [`Failed`](Self::Failed) it may have arrived none the less.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProduceError {
    /// Too much waits to be sent already: try again later.
    #[error("the queue of messages to send is full")]
    QueueFull,
    /// It can never be sent.
    #[error("the message is too large: {bytes} bytes")]
    TooLarge {
        /// Size of its payload.
        bytes: usize,
    },
    /// It was not acknowledged within 30 s, or was refused.
    #[error("the message was not acknowledged: {0}")]
    Failed(#[source] KafkaError),
}

/// Sends messages. Cheap to clone; all clones share one connection and one order.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

type Native = Arc<ThreadedProducer<ProducerEvents>>;

struct Inner {
    config: KafkaConfig,
    client_id: String,
    /// Empty only while it is dropped.
    native: RwLock<Option<Native>>,
}

/// The promise of an acknowledgement: resolves to where the message was stored. Dropping it withdraws nothing.
#[derive(Debug)]
#[must_use = "whether the message was stored is known from this alone"]
pub struct Receipt {
    answer: oneshot::Receiver<Result<Placed, ProduceError>>,
}

impl Producer {
    /// Starts a client. Does not wait for brokers: what is sent before they answer is kept for 30 s.
    pub fn start(config: &KafkaConfig, client_id: &str) -> Result<Self, QueueError> {
        let native = connect(config, client_id)?;
        Ok(Self {
            inner: Arc::new(Inner {
                config: config.clone(),
                client_id: client_id.to_owned(),
                native: RwLock::new(Some(native)),
            }),
        })
    }

    /// Sends and waits until it is stored.
    pub async fn send(&self, message: Message) -> Result<Placed, ProduceError> {
        self.send_now(message)?.await
    }

    /// Puts it in line at once, behind whatever was sent before, and promises an answer.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a message is sent once; the client library copies it today"
    )]
    pub fn send_now(&self, message: Message) -> Result<Receipt, ProduceError> {
        let bytes = message.payload.len();
        if bytes > MAX_MESSAGE_BYTES {
            return Err(ProduceError::TooLarge { bytes });
        }
        self.put(
            message.topic,
            message.key.as_bytes(),
            message.partition,
            &message.headers,
            &message.payload,
        )
    }

    /// How many partitions the topic has.
    pub async fn partitions(&self, topic: Topic) -> Result<i32, QueueError> {
        let (inner, name) = (Arc::clone(&self.inner), self.inner.config.topic(topic));
        tokio::task::spawn_blocking(move || {
            let native = inner.native().ok_or(QueueError::Ended)?;
            let metadata = native
                .client()
                .fetch_metadata(Some(&name), METADATA_PATIENCE)
                .map_err(QueueError::Unreachable)?;
            let count = metadata
                .topics()
                .iter()
                .find(|found| found.name() == name)
                .map_or(0, |found| found.partitions().len());
            match i32::try_from(count) {
                Ok(count @ 1..) => Ok(count),
                _ => Err(QueueError::Missing(format!("topic {name}"))),
            }
        })
        .await
        .map_err(|_| QueueError::Ended)?
    }

    /// Waits until all that was sent is acknowledged or given up; false when that took longer.
    pub async fn flush(&self, patience: Duration) -> bool {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            inner
                .native()
                .is_none_or(|native| native.flush(patience).is_ok())
        })
        .await
        .unwrap_or(false)
    }

    /// Like [`send_now`](Self::send_now), for keys that need not be text.
    pub(crate) fn put(
        &self,
        topic: Topic,
        key: &[u8],
        partition: Option<i32>,
        headers: &Headers,
        payload: &[u8],
    ) -> Result<Receipt, ProduceError> {
        let failed = match self.try_put(topic, key, partition, headers, payload) {
            Ok(receipt) => return Ok(receipt),
            Err((error, native)) => match native {
                Some(native) if native.client().fatal_error().is_some() => native,
                _ => return Err(error),
            },
        };
        self.inner.replace(&failed)?;
        self.try_put(topic, key, partition, headers, payload)
            .map_err(|(error, _)| error)
    }

    fn try_put(
        &self,
        topic: Topic,
        key: &[u8],
        partition: Option<i32>,
        headers: &Headers,
        payload: &[u8],
    ) -> Result<Receipt, (ProduceError, Option<Native>)> {
        let name = self.inner.config.topic(topic);
        let (sender, answer) = oneshot::channel();
        let mut record = BaseRecord::with_opaque_to(
            &name,
            Box::new(Ticket {
                topic,
                since: Instant::now(),
                sender,
            }),
        )
        .key(key)
        .payload(payload)
        .headers(headers::encode(headers));
        record.partition = partition;
        let Some(native) = self.inner.native() else {
            return Err((ProduceError::Failed(KafkaError::Canceled), None));
        };
        match native.send(record) {
            Ok(()) => Ok(Receipt { answer }),
            Err((error, _)) => {
                count_failure(topic);
                Err((reason(error, payload.len()), Some(native)))
            }
        }
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Producer")
            .field("client_id", &self.inner.client_id)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn native(&self) -> Option<Native> {
        let native = self.native.read().unwrap_or_else(PoisonError::into_inner);
        native.clone()
    }

    /// Puts a new client in the place of one that broke for good, unless somebody has.
    fn replace(&self, failed: &Native) -> Result<(), ProduceError> {
        let mut native = self.native.write().unwrap_or_else(PoisonError::into_inner);
        if native
            .as_ref()
            .is_some_and(|native| Arc::ptr_eq(native, failed))
        {
            counter!("codementor_kafka_producers_replaced_total").increment(1);
            tracing::error!(
                client = self.client_id,
                "a producer broke for good and is replaced"
            );
            let fresh = connect(&self.config, &self.client_id).map_err(|error| match error {
                QueueError::Refused { source, .. } => ProduceError::Failed(source),
                _ => ProduceError::Failed(KafkaError::Canceled),
            })?;
            discard(native.replace(fresh));
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let native = self
            .native
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        discard(native.take());
    }
}

fn connect(config: &KafkaConfig, client_id: &str) -> Result<Native, QueueError> {
    let config = config.producer(client_id);
    ThreadedProducer::from_config_and_context(&config, ProducerEvents)
        .map(Arc::new)
        .map_err(refused("to start a producer"))
}

impl Future for Receipt {
    type Output = Result<Placed, ProduceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(ProduceError::Failed(KafkaError::Canceled))))
    }
}

/// Travels with a message through the client library.
struct Ticket {
    topic: Topic,
    since: Instant,
    sender: oneshot::Sender<Result<Placed, ProduceError>>,
}

struct ProducerEvents;

impl ClientContext for ProducerEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        context::error(&error, reason);
    }
}

impl ProducerContext for ProducerEvents {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let topic = ticket.topic.name();
        let answer = match result {
            Ok(message) => {
                counter!("codementor_kafka_produced_total", "topic" => topic).increment(1);
                histogram!("codementor_kafka_produce_seconds", "topic" => topic)
                    .record(ticket.since.elapsed().as_secs_f64());
                Ok(Placed {
                    partition: message.partition(),
                    offset: message.offset(),
                })
            }
            Err((error, message)) => {
                count_failure(ticket.topic);
                Err(reason(error.clone(), message.payload_len()))
            }
        };
        // Whoever does not wait does not want to know.
        let _ = ticket.sender.send(answer);
    }
}

fn count_failure(topic: Topic) {
    counter!("codementor_kafka_produce_failures_total", "topic" => topic.name()).increment(1);
}

fn reason(error: KafkaError, bytes: usize) -> ProduceError {
    match error {
        KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => ProduceError::QueueFull,
        KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge) => {
            ProduceError::TooLarge { bytes }
        }
        error => ProduceError::Failed(error),
    }
}
