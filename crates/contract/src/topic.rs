//! Kafka topics and the headers of their messages.
//!
//! The table of topics is the only place that knows partitions and retention. Headers suffice to route, expire, tell
//! duplicates and dead-letter a message without decoding its value.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Judge jobs: learners' submissions and runs.
    Submissions,
    /// Judge jobs of rejudges and verifications; never in front of a learner.
    SubmissionsBulk,
    /// Review jobs.
    Reviews,
    /// Jobs to try again after one fixed delay.
    Retry,
    /// Stream events; the partition is the submission's reply partition.
    Events,
    /// One small record for each terminal event.
    Results,
    /// A question has changed.
    Questions,
    /// An account has changed.
    Accounts,
    /// What could not be processed, with the reason.
    DeadLetters,
}

/// How a topic is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSettings {
    /// Partitions on a laptop and in tests.
    pub partitions_dev: u16,
    /// Partitions in production.
    pub partitions_prod: u16,
    /// How long messages are kept; `None` where the newest of each key is kept for ever.
    pub kept: Option<Duration>,
}

/// How long a message lies in [`Topic::Retry`] before it is tried again.
pub const RETRY_DELAY: Duration = Duration::from_secs(30);

/// Largest message, in bytes: a job with 5,000 tests has room.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// The consumer groups whose progress others look at, or that must be named once only.
pub mod group {
    /// Takes judge jobs from [`super::Topic::Submissions`].
    pub const JUDGE: &str = "evaluation-judge";
    /// Takes judge jobs from [`super::Topic::SubmissionsBulk`].
    pub const JUDGE_BULK: &str = "evaluation-judge-bulk";
    /// Takes review jobs from [`super::Topic::Reviews`].
    pub const REVIEW: &str = "evaluation-review";
    /// Gives jobs in [`super::Topic::Retry`] back to where they came from, once their delay has passed.
    pub const RETRY: &str = "evaluation-retry";
    /// Writes the event log from [`super::Topic::Events`].
    pub const LOG: &str = "execute-log";
    /// Keeps what comes to [`super::Topic::DeadLetters`] for the operator.
    pub const DEAD_LETTERS: &str = "execute-dead-letters";
    /// Counts results from [`super::Topic::Results`]; the identity of execute's tables is added.
    pub const USAGE: &str = "execute-usage";
    /// Keeps copies from [`super::Topic::Questions`] and [`super::Topic::Accounts`]; the identity of execute's tables is added.
    pub const COPIES: &str = "execute-copies";
    /// Keeps how far accounts have come with questions, from [`super::Topic::Results`].
    pub const PROGRESS: &str = "question-progress";
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Submissions,
        Self::SubmissionsBulk,
        Self::Reviews,
        Self::Retry,
        Self::Events,
        Self::Results,
        Self::Questions,
        Self::Accounts,
        Self::DeadLetters,
    ];

    /// Its name in Kafka, without the prefix that a test may put before it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submissions => "codementor.submissions.v1",
            Self::SubmissionsBulk => "codementor.submissions.bulk.v1",
            Self::Reviews => "codementor.reviews.v1",
            Self::Retry => "codementor.retry.v1",
            Self::Events => "codementor.events.v1",
            Self::Results => "codementor.results.v1",
            Self::Questions => "codementor.questions.v1",
            Self::Accounts => "codementor.accounts.v1",
            Self::DeadLetters => "codementor.dead-letters.v1",
        }
    }

    /// The topic of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// How it is made.
    pub fn settings(self) -> TopicSettings {
        const DAY: u64 = 24;
        let (partitions_dev, partitions_prod, kept_hours) = match self {
            Self::Submissions | Self::SubmissionsBulk | Self::Reviews => (8, 64, Some(7 * DAY)),
            Self::Retry => (4, 16, Some(3 * DAY)),
            Self::Events => (16, 256, Some(DAY)),
            Self::Results => (4, 64, Some(7 * DAY)),
            Self::Questions | Self::Accounts => (1, 8, None),
            Self::DeadLetters => (4, 8, Some(30 * DAY)),
        };
        TopicSettings {
            partitions_dev,
            partitions_prod,
            kept: kept_hours.map(Duration::from_hours),
        }
    }
}

/// What the headers of every message say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// Tells duplicates: equal for equal messages.
    pub id: String,
    /// What the value is: `judge-job`, `review-job`, `stream-event`, or one of [`crate::record::kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// How often it has been tried, from 1.
    pub attempt: u32,
    /// Where events about it go.
    #[serde(
        rename = "reply-partition",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub reply_partition: Option<i32>,
    /// After this it is not worth processing.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub deadline: Option<OffsetDateTime>,
    /// When the submission was accepted.
    #[serde(
        rename = "accepted-at",
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub accepted_at: Option<OffsetDateTime>,
    /// The W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// On retries and dead letters: the topic that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// On retries and dead letters: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Headers {
    /// Headers of a first try, with nothing optional.
    pub fn new(id: impl Into<String>, kind: &str) -> Self {
        Self {
            id: id.into(),
            kind: kind.to_owned(),
            attempt: 1,
            reply_partition: None,
            deadline: None,
            accepted_at: None,
            traceparent: None,
            origin: None,
            reason: None,
        }
    }
}
