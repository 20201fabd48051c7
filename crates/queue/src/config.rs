//! Where Kafka is, and how its clients are set. The reasons for each number stand beside it.

use std::time::Duration;

use clap::Args;
use contract::{Topic, topic::MAX_MESSAGE_BYTES};
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

/// Headers and framing beside a payload of [`MAX_MESSAGE_BYTES`]: a dead letter of the largest message still fits.
pub(crate) const MESSAGE_OVERHEAD: usize = 64 << 10;

/// A member that is silent for as long has gone, and its partitions go to others.
pub(crate) const SESSION: Duration = Duration::from_secs(10);

/// Where Kafka is.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct KafkaConfig {
    /// Kafka brokers, as host:port,host:port
    #[arg(long, env = "KAFKA_BROKERS", value_parser = brokers, default_value = "127.0.0.1:9092")]
    pub kafka_brokers: String,
    /// What stands before the names of all topics and consumer groups
    #[arg(long, env = "CODEMENTOR_TOPIC_PREFIX", value_parser = prefix, default_value = "")]
    pub topic_prefix: String,
    /// Name of this instance in its consumer groups, different for each replica: a restart within 10 s keeps its partitions
    #[arg(long, env = "CODEMENTOR_KAFKA_INSTANCE")]
    pub kafka_instance: Option<String>,
}

impl KafkaConfig {
    /// Brokers and prefix, without a lasting instance name.
    pub fn new(brokers: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            kafka_brokers: brokers.into(),
            topic_prefix: prefix.into(),
            kafka_instance: None,
        }
    }

    /// The topic's full name in Kafka.
    pub fn topic(&self, topic: Topic) -> String {
        format!("{}{}", self.topic_prefix, topic.name())
    }

    /// The group's full name in Kafka.
    pub fn group(&self, group: &str) -> String {
        format!("{}{group}", self.topic_prefix)
    }

    /// What every client has.
    pub(crate) fn client(&self, client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.kafka_brokers)
            .set("client.id", client_id)
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            // A host that vanished without a word is given up after as long, not after a minute.
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            // Back within a second after an outage.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            // Topics that come later, and partitions that are added, are seen as soon.
            .set("topic.metadata.refresh.interval.ms", "10000")
            .set_log_level(RDKafkaLogLevel::Info);
        config
    }

    pub(crate) fn producer(&self, client_id: &str) -> ClientConfig {
        let mut config = self.client(client_id);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            // As Java's clients do, so that a key has the same partition whoever writes.
            .set("partitioner", "murmur2_random")
            .set("message.timeout.ms", "30000")
            .set("request.timeout.ms", "10000")
            .set("retry.backoff.ms", "50")
            // A lone message waits for nobody; under load, batches form while earlier ones are on their way.
            .set("linger.ms", "0")
            .set(
                "message.max.bytes",
                (MAX_MESSAGE_BYTES + MESSAGE_OVERHEAD).to_string(),
            )
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", "65536");
        config
    }

    /// What every consumer has. `prefetch` is how many messages of a queue are wanted in memory.
    pub(crate) fn consumer(&self, client_id: &str, prefetch: usize) -> ClientConfig {
        let mut config = self.client(client_id);
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("fetch.min.bytes", "1")
            // Brokers answer at once when something comes. But one fetch is under way at a time, and a partition that was
            // just assigned is first asked for by the next: this bounds that wait.
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "100")
            // After the local queue was full, the default would idle for a second.
            .set("fetch.queue.backoff.ms", "20")
            .set("queued.min.messages", prefetch.max(1).to_string());
        config
    }

    /// A member of a group.
    pub(crate) fn member(&self, group: &str, prefetch: usize) -> ClientConfig {
        let mut config = self.consumer(group, prefetch);
        config
            .set("group.id", self.group(group))
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("auto.offset.reset", "earliest")
            // Only what was stored by hand: see `tracker`.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("session.timeout.ms", SESSION.as_millis().to_string())
            // Members hear of a rebalance in the answer to a heartbeat.
            .set("heartbeat.interval.ms", "1000")
            // The thread that polls does nothing else: one that is silent for a minute hangs.
            .set("max.poll.interval.ms", "60000")
            // For each partition, since each has its own queue; a larger message still passes.
            .set("queued.max.messages.kbytes", "1024");
        if let Some(instance) = &self.kafka_instance {
            config.set("group.instance.id", instance);
        }
        config
    }
}

/// A list of hosts with ports.
fn brokers(text: &str) -> Result<String, String> {
    let is_broker = |one: &str| {
        one.trim().rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok()
        })
    };
    if text.split(',').all(is_broker) {
        Ok(text.to_owned())
    } else {
        Err("it is no list of host:port with commas between".to_owned())
    }
}

/// What Kafka allows in names.
fn prefix(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.bytes().all(is_allowed) && text.len() <= 200 {
        Ok(text.to_owned())
    } else {
        Err("Kafka takes letters, digits, '.', '_' and '-' in names".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_prefixes_are_checked() {
        for right in ["127.0.0.1:9092", "a:1,b.example.org:2", "[::1]:9092"] {
            assert!(brokers(right).is_ok(), "{right}");
        }
        for wrong in ["", "a", "a:b", "a:1,", "http://a:1", ":1", "a:70000"] {
            assert!(brokers(wrong).is_err(), "{wrong}");
        }
        assert!(prefix("").is_ok() && prefix("test-1.").is_ok());
        assert!(prefix("a b").is_err() && prefix("ä").is_err());
    }
}
