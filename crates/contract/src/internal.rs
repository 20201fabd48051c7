//! What the gateway asks of execute: where a stream lives, and what its log holds.

use serde::{Deserialize, Serialize};

use crate::{
    event::{EventKey, StreamEvent},
    id::SubmissionId,
};

/// The gateway proposes, execute's answer decides: the submission's id.
pub const SUBMISSION_HEADER: &str = "x-codementor-submission";

/// The gateway proposes, execute's answer decides: the partition that the submission's events go to.
pub const REPLY_PARTITION_HEADER: &str = "x-codementor-reply-partition";

/// Header of execute's answer to a submission: whoever submitted is told no more than that it was received.
pub const MUTED_HEADER: &str = "x-codementor-muted";

/// `GET /internal/streams/{id}[?judgement=n]`, asked with the account's token: where a stream lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// The judgement served: the one asked for, else the applied one.
    pub judgement: u32,
    /// The partition that its events come from.
    pub reply_partition: i32,
    /// Whether the log holds all there will ever be.
    pub terminal: bool,
    /// Whether the viewer is told no more than that it was received.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

/// `POST /internal/log`: many reads of the event log at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRequest {
    /// One for each stream, at most 1,000.
    pub reads: Vec<LogRead>,
}

/// One stream's read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRead {
    /// Whose log.
    pub submission: SubmissionId,
    /// Which judgement.
    pub judgement: u32,
    /// Only what comes after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EventKey>,
}

/// The answer, in the order of the reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogResponse {
    /// One for each read.
    pub reads: Vec<LogPart>,
}

/// What one log holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogPart {
    /// In order. An `after` that is not in the log was ignored: then they begin with the first.
    pub events: Vec<StreamEvent>,
    /// While nobody has begun to judge it: about how many are before it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}
