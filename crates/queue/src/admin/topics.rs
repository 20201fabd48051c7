//! Making topics, once and as the contract's table says.

use std::time::{Duration, Instant};

use contract::{Topic, topic::MAX_MESSAGE_BYTES};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};
use time::OffsetDateTime;

use super::Admin;
use crate::{KafkaConfig, QueueError, config::MESSAGE_OVERHEAD, error::refused};

/// No test takes as long.
const FORGOTTEN: time::Duration = time::Duration::minutes(10);
/// Making a hundred topics' partitions takes a small broker a second; a busy one is given more.
const CREATION_PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How topics are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Tests: as few partitions as behave like many, one copy.
    Test,
    /// A laptop: few partitions, one copy.
    Dev,
    /// A cluster: many partitions, three copies, two of which must have a message before it counts.
    Prod,
}

impl Profile {
    pub(super) fn partitions(self, topic: Topic) -> usize {
        let settings = topic.settings();
        usize::from(match self {
            Self::Test if topic == Topic::Events => settings.partitions_dev.min(4),
            Self::Test => settings.partitions_dev.min(2),
            Self::Dev => settings.partitions_dev,
            Self::Prod => settings.partitions_prod,
        })
    }
}

/// Makes the topics that are missing, and returns when all can be used. Run again, it changes nothing.
///
/// Under a test's prefix, what other tests left behind long ago is deleted first.
pub async fn create_topics(config: &KafkaConfig, profile: Profile) -> Result<(), QueueError> {
    let client = AdminClient::from_config(&config.client("codementor-setup"))
        .map_err(refused("to start a client"))?;
    if made_by_test(&config.topic(Topic::Events)).is_some() {
        delete_left_by_tests(&client).await;
    }
    let names: Vec<_> = Topic::ALL.map(|topic| config.topic(topic)).into();
    let settings: Vec<_> = Topic::ALL.map(|topic| settings(topic, profile)).into();
    let topics: Vec<_> = Topic::ALL
        .iter()
        .zip(names.iter().zip(&settings))
        .map(|(topic, (name, settings))| new_topic(*topic, profile, name, settings))
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(CREATION_PATIENCE))
        .operation_timeout(Some(CREATION_PATIENCE));
    let results = client
        .create_topics(&topics, &options)
        .await
        .map_err(QueueError::Unreachable)?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(QueueError::Refused {
                    what: format!("to make topic {name}"),
                    source: KafkaError::AdminOp(code),
                });
            }
        }
    }
    // Brokers learn of new topics, and of what they lead, one after the other.
    let (since, admin) = (Instant::now(), Admin::new(config)?);
    loop {
        match admin.check_topics(profile).await {
            Err(QueueError::Missing(_)) if since.elapsed() < CREATION_PATIENCE => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            checked => break checked?,
        }
    }
    for topic in Topic::ALL {
        admin.end_offsets(topic).await?;
    }
    Ok(())
}

/// Whether all topics are there with enough partitions that can be written to.
pub async fn check_topics(config: &KafkaConfig, profile: Profile) -> Result<(), QueueError> {
    Admin::new(config)?.check_topics(profile).await
}

fn settings(topic: Topic, profile: Profile) -> Vec<(&'static str, String)> {
    let largest = MAX_MESSAGE_BYTES + 2 * MESSAGE_OVERHEAD;
    let mut settings = vec![("max.message.bytes", largest.to_string())];
    match topic.settings().kept {
        Some(kept) => {
            settings.push(("cleanup.policy", "delete".to_owned()));
            settings.push(("retention.ms", kept.as_millis().to_string()));
        }
        None => settings.push(("cleanup.policy", "compact".to_owned())),
    }
    if profile == Profile::Prod {
        settings.push(("min.insync.replicas", "2".to_owned()));
        settings.push(("unclean.leader.election.enable", "false".to_owned()));
    }
    settings
}

fn new_topic<'a>(
    topic: Topic,
    profile: Profile,
    name: &'a str,
    settings: &'a [(&'static str, String)],
) -> NewTopic<'a> {
    let partitions = i32::try_from(profile.partitions(topic)).unwrap_or(i32::MAX);
    let copies = match profile {
        Profile::Test | Profile::Dev => 1,
        Profile::Prod => 3,
    };
    settings.iter().fold(
        NewTopic::new(name, partitions, TopicReplication::Fixed(copies)),
        |topic, (key, value)| topic.set(key, value),
    )
}

/// Thousands of topics make a broker slow. Failing at this is no reason to fail: another test may be at it as well.
async fn delete_left_by_tests(client: &AdminClient<DefaultClientContext>) {
    let metadata = match client.inner().fetch_metadata(None, CREATION_PATIENCE) {
        Ok(metadata) => metadata,
        Err(error) => {
            tracing::debug!(%error, "topics cannot be listed");
            return;
        }
    };
    let now = OffsetDateTime::now_utc();
    let left: Vec<_> = metadata
        .topics()
        .iter()
        .map(MetadataTopic::name)
        .filter(|name| made_by_test(name).is_some_and(|at| now - at > FORGOTTEN))
        .collect();
    if !left.is_empty()
        && let Err(error) = client.delete_topics(&left, &AdminOptions::new()).await
    {
        tracing::debug!(%error, "topics cannot be deleted");
    }
}

/// When a test made a topic: its name begins with `test-` and a UUID of version 7, which begins with milliseconds.
fn made_by_test(name: &str) -> Option<OffsetDateTime> {
    let (prefix, _) = name.strip_prefix("test-")?.split_once('.')?;
    let millis = i128::from_str_radix(prefix.get(..12)?, 16).ok()?;
    let is_id = prefix.len() == 32 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id
        .then(|| OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_tests_topics_by_their_names() {
        let now = OffsetDateTime::now_utc();
        let name = format!(
            "test-{}.codementor.events.v1",
            uuid::Uuid::now_v7().simple()
        );
        let made = made_by_test(&name).expect("a test made it");
        assert!((now - made).abs() < time::Duration::seconds(10), "{made}");
        for other in [
            "codementor.events.v1",
            "test-1.codementor.events.v1",
            "test-0190000000007000800000000000000g.codementor.events.v1",
            "test-01900000000070008000000000000000",
        ] {
            assert_eq!(made_by_test(other), None, "{other}");
        }
    }
}
