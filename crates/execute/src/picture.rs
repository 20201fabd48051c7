//! What a submission looks like once its log is read: the events folded into one document.
//!
//! A later attempt replaces the tests of an earlier one, a later review the findings. Pure.

use contract::{
    EventBody, StreamEvent,
    event::{Compiled, Failed, FinalVerdict, Finding, ReviewDone, RunOutput, TestResult},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the log says of one judgement.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Picture {
    /// What the compiler said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<Compiled>,
    /// What became of each test, in the question's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TestResult>,
    /// What a run wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<RunOutput>,
    /// The verdict with its figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<FinalVerdict>,
    /// The review, as far as it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Why it ended without a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failed>,
}

/// A review, as far as it has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct Review {
    /// `builtin` for our own rules, `openai` for a language model; absent where no review began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<String>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Remarks on lines of the code.
    pub findings: Vec<Finding>,
    /// The review as a whole, once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<ReviewDone>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl Picture {
    /// Folds a log, which holds only what is to be shown.
    pub(crate) fn of(log: impl IntoIterator<Item = StreamEvent>) -> Self {
        let mut picture = Self::default();
        for event in log {
            picture.add(event.body);
        }
        picture
    }

    fn add(&mut self, body: EventBody) {
        match body {
            EventBody::Judging(_) => *self = Self::default(),
            EventBody::Compiled(compiled) => self.compiled = Some(compiled),
            EventBody::Test(test) => self.tests.push(test),
            EventBody::Output(output) => self.outputs.push(output),
            EventBody::Verdict(verdict) => self.result = Some(verdict),
            EventBody::ReviewStarted(started) => {
                self.review = Some(Review {
                    reviewer: Some(started.reviewer),
                    model: started.model,
                    ..Review::default()
                });
            }
            EventBody::ReviewFinding(finding) => self.review().findings.push(finding),
            EventBody::ReviewDone(done) => self.review().conclusion = Some(done),
            EventBody::ReviewSkipped(skipped) => {
                // What an interrupted review said is void.
                self.review = Some(Review {
                    skipped: Some(skipped.reason),
                    ..Review::default()
                });
            }
            EventBody::Failed(failed) => self.failure = Some(failed),
            EventBody::Accepted(_) | EventBody::Done(_) => {}
        }
    }

    fn review(&mut self) -> &mut Review {
        self.review.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use contract::{
        EventKey, SubmissionId, Verdict,
        event::{Done, JudgingStarted, ReviewSkipped, ReviewStarted},
    };

    use super::*;

    fn log(bodies: Vec<EventBody>) -> Vec<StreamEvent> {
        let mut key = EventKey::ACCEPTED;
        bodies
            .into_iter()
            .map(|body| {
                key = key.next();
                StreamEvent {
                    submission: SubmissionId::default(),
                    key,
                    follows: None,
                    body,
                }
            })
            .collect()
    }

    fn judging(attempt: u32) -> EventBody {
        EventBody::Judging(JudgingStarted { attempt, tests: 2 })
    }

    fn test(index: u32) -> EventBody {
        EventBody::Test(TestResult {
            index,
            name: index.to_string(),
            group: None,
            verdict: Verdict::Accepted,
            time_ms: 1,
            wall_ms: 1,
            memory_kib: 1,
            limit: None,
            score: None,
            reason: None,
            detail: None,
        })
    }

    #[test]
    fn a_later_attempt_replaces_the_tests_of_an_earlier_one() {
        let picture = Picture::of(log(vec![judging(1), test(1), test(2), judging(2), test(1)]));
        let indexes: Vec<u32> = picture.tests.iter().map(|test| test.index).collect();
        assert_eq!(indexes, [1]);
    }

    #[test]
    fn a_skipped_review_takes_back_what_was_said() {
        let started = EventBody::ReviewStarted(ReviewStarted {
            reviewer: "openai".to_owned(),
            model: None,
        });
        let skipped = EventBody::ReviewSkipped(ReviewSkipped {
            reason: "interrupted".to_owned(),
        });
        let bodies = vec![judging(1), started, skipped, EventBody::Done(Done {})];
        let review = Picture::of(log(bodies)).review.expect("there was one");
        assert_eq!(review.skipped.as_deref(), Some("interrupted"));
        assert_eq!(review.reviewer, None);
    }
}
