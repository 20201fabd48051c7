//! Where a judgement stands: the one fold of `contract`, and what lists show of it.
//!
//! The only place that says how a stream event changes a status. Pure; the log writer and the endings use it.

use contract::{EventBody, Shown, Step, StreamEvent, event::FinalVerdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a submission has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Accepted; nobody has begun.
    Queued,
    /// A worker judges it.
    Judging,
    /// The verdict is there; the review is not.
    Judged,
    /// Everything is there.
    Done,
    /// It ended without a verdict, and not by the code's fault.
    Failed,
}

impl Status {
    /// What whoever is told nothing of the result may know of it.
    pub(crate) fn muted(self) -> Self {
        match self {
            Self::Queued | Self::Judging | Self::Judged => Self::Queued,
            Self::Done | Self::Failed => self,
        }
    }

    const ALL: [Self; 5] = [
        Self::Queued,
        Self::Judging,
        Self::Judged,
        Self::Done,
        Self::Failed,
    ];

    /// The word in JSON and SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Judging => "judging",
            Self::Judged => "judged",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The status of that word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Where one judgement stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) shown: Shown,
    pub(crate) status: Status,
    /// The verdict, if it was shown since this was loaded.
    pub(crate) verdict: Option<FinalVerdict>,
    /// The reason of a failure shown since this was loaded.
    pub(crate) failure: Option<String>,
    /// Processor time of the tests and runs shown since this was loaded, in milliseconds.
    pub(crate) machine_ms: u64,
    /// Tokens of reviews shown since this was loaded.
    pub(crate) tokens: u64,
}

impl Standing {
    pub(crate) fn new(shown: Shown, status: Status) -> Self {
        Self {
            shown,
            status,
            verdict: None,
            failure: None,
            machine_ms: 0,
            tokens: 0,
        }
    }

    /// Offers an event; when it is shown, the status follows.
    pub(crate) fn step(&mut self, event: &StreamEvent) -> Step {
        let step = self.shown.step(event);
        if step == Step::Show {
            match &event.body {
                EventBody::Judging(_) => self.status = Status::Judging,
                EventBody::Test(test) => self.machine_ms += test.time_ms,
                EventBody::Output(output) => self.machine_ms += output.time_ms,
                EventBody::ReviewDone(review) => {
                    let used = review.tokens.as_ref();
                    self.tokens += used.map_or(0, |used| used.prompt + used.completion);
                }
                EventBody::Verdict(verdict) => {
                    self.status = Status::Judged;
                    self.verdict = Some(verdict.clone());
                }
                EventBody::Done(_) => self.status = Status::Done,
                EventBody::Failed(failed) => {
                    self.status = Status::Failed;
                    self.failure = Some(failed.reason.clone());
                }
                _ => {}
            }
        }
        step
    }
}
