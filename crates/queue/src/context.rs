//! What the client library tells besides messages: log lines, errors, rebalances, answers to commits.
//!
//! Rebalances are only noted here and answered by the thread that polls, so that nothing waits inside a callback.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics::counter;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};

use crate::Heartbeat;

/// Outages are lived through, so even the library's errors are only warnings here.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => tracing::warn!(facility, "librdkafka: {message}"),
        _ => tracing::debug!(facility, "librdkafka: {message}"),
    }
}

pub(crate) fn error(error: &KafkaError, reason: &str) {
    let code = error
        .rdkafka_error_code()
        .map_or_else(|| "other".to_owned(), |code| format!("{code:?}"));
    counter!("codementor_kafka_errors_total", "code" => code).increment(1);
    tracing::debug!(%error, reason, "Kafka client error");
}

/// A change of what a member reads.
#[derive(Debug)]
pub(crate) enum Rebalance {
    Assign(TopicPartitionList),
    Revoke(TopicPartitionList),
}

/// The context of a group's member.
pub(crate) struct MemberContext {
    pub(crate) group: String,
    pub(crate) heartbeat: Heartbeat,
    rebalances: Mutex<VecDeque<Rebalance>>,
    closing: AtomicBool,
}

impl MemberContext {
    pub(crate) fn new(group: &str, heartbeat: Heartbeat) -> Self {
        Self {
            group: group.to_owned(),
            heartbeat,
            rebalances: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn next_rebalance(&self) -> Option<Rebalance> {
        lock(&self.rebalances).pop_front()
    }

    /// From now on nobody but this context answers rebalances.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "MAXPOLL" {
            counter!("codementor_kafka_poll_exceeded_total", "group" => self.group.clone())
                .increment(1);
        }
        log(level, facility, message);
    }

    fn error(&self, kafka_error: KafkaError, reason: &str) {
        if kafka_error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.heartbeat.fail();
        }
        error(&kafka_error, reason);
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let partitions = partitions.clone();
        let rebalance = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(partitions),
            _ => Rebalance::Revoke(partitions),
        };
        if self.closing.load(Ordering::Acquire) {
            answer(consumer, &rebalance);
        } else {
            lock(&self.rebalances).push_back(rebalance);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        let outcome = if result.is_ok() { "stored" } else { "refused" };
        counter!("codementor_kafka_commits_total", "group" => self.group.clone(), "outcome" => outcome)
            .increment(1);
        if let Err(error) = result {
            // Normal while a group changes; the next commit says it again.
            tracing::debug!(group = self.group, %error, "a commit was refused");
        }
    }
}

/// Does what the group decided.
pub(crate) fn answer(consumer: &BaseConsumer<MemberContext>, rebalance: &Rebalance) {
    let cooperative = matches!(
        consumer.rebalance_protocol(),
        RebalanceProtocol::Cooperative
    );
    let answered = match (rebalance, cooperative) {
        (Rebalance::Assign(partitions), true) => consumer.incremental_assign(partitions),
        (Rebalance::Assign(partitions), false) => consumer.assign(partitions),
        (Rebalance::Revoke(partitions), true) => consumer.incremental_unassign(partitions),
        (Rebalance::Revoke(_), false) => consumer.unassign(),
    };
    if let Err(error) = answered {
        tracing::warn!(group = consumer.context().group, %error, "a rebalance could not be answered");
    }
}
