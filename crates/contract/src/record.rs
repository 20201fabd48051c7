//! Records for whoever comes later: what became of a submission, and how questions and accounts are now.
//!
//! Nothing of a live stream depends on them. Results come once a terminal event, and again when a proposed judgement is
//! applied; questions and accounts are compacted by their id, so that reading a topic from its beginning gives a whole copy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    account::{Locale, Role},
    id::{AccountId, BatchId, QuestionId, SubmissionId},
    language::Language,
    verdict::Verdict,
};

/// What a message with one of these says it is.
pub mod kind {
    /// A [`super::ResultRecord`].
    pub const RESULT: &str = "result";
    /// A [`super::QuestionRecord`].
    pub const QUESTION: &str = "question";
    /// An [`super::AccountRecord`].
    pub const ACCOUNT: &str = "account";
}

/// What was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// A learner's submission.
    Submission,
    /// A run on samples or own input.
    Run,
    /// A stored solution of a question.
    Solution,
}

/// A judgement is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRecord {
    /// Of what.
    pub submission: SubmissionId,
    /// Which judging of it.
    pub judgement: u32,
    /// What was judged.
    pub kind: Judged,
    /// Whose code.
    pub account: AccountId,
    /// The question answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
    /// The version that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The code's language.
    pub language: Language,
    /// `None` where it ended without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Points reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Points that could be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_score: Option<f64>,
    /// Why it ended without a verdict, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether it counts: a proposed judgement does not until it is applied.
    pub applied: bool,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// Processor time of all its tests together, in milliseconds.
    pub machine_ms: u64,
    /// Tokens of a language model, read and written together.
    pub tokens: u64,
    /// When it was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub accepted_at: OffsetDateTime,
}

/// How a question is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionRecord {
    /// Which.
    pub question: QuestionId,
    /// Grows with every change.
    pub revision: u64,
    /// Its readable name in addresses.
    pub slug: String,
    /// Its title by language.
    pub titles: BTreeMap<Locale, String>,
    /// Who may see submissions to it.
    pub teachers: Vec<AccountId>,
    /// What learners see; `None` as long as it was never published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Whether it is out of learners' sight.
    pub archived: bool,
}

/// How an account is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Which.
    pub account: AccountId,
    /// Grows with every change.
    pub revision: u64,
    /// The name that others see.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it may not be used.
    pub suspended: bool,
}
