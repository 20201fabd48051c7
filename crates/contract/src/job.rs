//! Jobs: what execute hands to evaluation, and its judge side to its review side.
//!
//! Self-contained: whoever takes one needs to ask nobody. Expected outputs are references only.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    account::Locale,
    event::{Compiled, EventKey, FinalVerdict, TestResult},
    id::{AccountId, QuestionId, SubmissionId},
    language::Language,
    manifest::{Judging, Statement},
};

/// A file of source code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// A plain file name.
    pub name: String,
    /// Its text.
    pub content: String,
}

/// Judge or run this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeJob {
    /// What is judged.
    pub submission: SubmissionId,
    /// Which judging of it, from 1.
    pub judgement: u32,
    /// Whose code.
    pub account: AccountId,
    /// The question answered, and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
    /// The version that judges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The code's language.
    pub language: Language,
    /// The learner's code, the main file first.
    pub files: Vec<SourceFile>,
    /// Tests, or own input.
    pub task: Task,
    /// The partition of the events topic that all its events go to.
    pub reply_partition: i32,
    /// When it was accepted.
    #[serde(with = "time::serde::rfc3339")]
    pub accepted_at: OffsetDateTime,
    /// After this it is not judged any more.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
    /// What a reviewer needs; `None` where no review is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewContext>,
}

/// What to do with the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Judge it on the question's tests.
    Judge {
        /// How.
        judging: Judging,
    },
    /// Run it on the question's samples, showing what it writes.
    Samples {
        /// How; `tests` holds the samples only.
        judging: Judging,
    },
    /// Run it on input of the learner's own.
    Run {
        /// The limits, and the driver of a function question; its `tests` are empty.
        judging: Judging,
        /// At most 64 KiB.
        stdin: String,
    },
}

impl Task {
    /// How it is judged.
    pub fn judging(&self) -> &Judging {
        match self {
            Self::Judge { judging } | Self::Samples { judging } | Self::Run { judging, .. } => {
                judging
            }
        }
    }
}

/// What a reviewer needs beside the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewContext {
    /// The learner's language.
    pub locale: Locale,
    /// The question.
    pub statement: Statement,
}

/// Review this: what the judge side found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewJob {
    /// What is reviewed.
    pub submission: SubmissionId,
    /// Which judging of it.
    pub judgement: u32,
    /// Whose code, for the budget.
    pub account: AccountId,
    /// The code's language.
    pub language: Language,
    /// The learner's code, the main file first.
    pub files: Vec<SourceFile>,
    /// The learner's language and the question.
    pub context: ReviewContext,
    /// What the compiler said.
    pub compiled: Option<Compiled>,
    /// What became of each test, as the learner saw it.
    pub tests: Vec<TestResult>,
    /// The verdict.
    pub verdict: FinalVerdict,
    /// The verdict's key, which the review follows.
    pub follows: EventKey,
    /// The partition of the events topic.
    pub reply_partition: i32,
    /// After this it is skipped.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline: OffsetDateTime,
}
