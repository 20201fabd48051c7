//! The course of one judging: what a runner's lines become, and how it ends. Pure rules.

use contract::{
    EventBody, Verdict,
    event::{Done, Failed, FinalVerdict, JudgingStarted, ReviewSkipped},
    job::{JudgeJob, ReviewJob, Task},
    runner_api::{RunnerEvent, RunnerFailure},
};

use crate::{reviewer::Skip, store::ReviewFacts, texts::Phrase};

/// Review jobs are kept well below the largest message: what is cut is only what a reviewer can do without.
const LARGE_REVIEW: usize = 1 << 20;

/// What has come of a runner's answer so far.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    job: &'a JudgeJob,
    facts: ReviewFacts,
    /// Further tests or outputs that may come.
    left: usize,
}

/// What to do with a runner's line.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Say it.
    Say(Box<EventBody>),
    /// It was the last line.
    End(Ending),
    /// Try again elsewhere.
    Retry(String),
    /// More lines than there are tests.
    Nonsense,
}

/// How a judging ends.
#[derive(Debug, PartialEq)]
pub(crate) struct Ending {
    /// The last events.
    pub(crate) bodies: Vec<EventBody>,
    /// What the review needs, where one follows.
    pub(crate) review: Option<ReviewFacts>,
}

impl<'a> Course<'a> {
    pub(crate) fn new(job: &'a JudgeJob) -> Self {
        let left = match &job.task {
            Task::Run { .. } => 1,
            Task::Judge { judging } | Task::Samples { judging } => judging.tests.len(),
        };
        Self {
            job,
            facts: ReviewFacts::default(),
            left,
        }
    }

    /// The first event of the attempt.
    pub(crate) fn begin(job: &JudgeJob, attempt: u32) -> EventBody {
        EventBody::Judging(JudgingStarted {
            attempt,
            tests: u32::try_from(job.task.judging().tests.len()).unwrap_or(u32::MAX),
        })
    }

    /// Takes the next line. `reviewed` tells whether anybody reviews here.
    pub(crate) fn take(&mut self, event: RunnerEvent, reviewed: bool) -> Next {
        match event {
            RunnerEvent::Compiled(compiled) if self.facts.compiled.is_none() => {
                self.facts.compiled = Some(compiled.clone());
                Next::Say(Box::new(EventBody::Compiled(compiled)))
            }
            RunnerEvent::Test(test) if self.left > 0 => {
                self.left -= 1;
                if self.job.review.is_some() {
                    self.facts.tests.push(test.clone());
                }
                Next::Say(Box::new(EventBody::Test(test)))
            }
            RunnerEvent::Output(output) if self.left > 0 => {
                self.left -= 1;
                Next::Say(Box::new(EventBody::Output(output)))
            }
            RunnerEvent::Compiled(_) | RunnerEvent::Test(_) | RunnerEvent::Output(_) => {
                Next::Nonsense
            }
            RunnerEvent::Finished(verdict) => Next::End(self.end(verdict, reviewed)),
            RunnerEvent::Failed(failure) if failure.retryable => {
                Next::Retry(format!("{}: {}", failure.reason, failure.message))
            }
            RunnerEvent::Failed(failure) => Next::End(fail(self.job, &failure)),
        }
    }

    fn end(&mut self, verdict: FinalVerdict, reviewed: bool) -> Ending {
        let wanted = wants_review(self.job, verdict.verdict);
        let mut bodies = vec![EventBody::Verdict(verdict)];
        let review = (wanted && reviewed).then(|| slimmed(std::mem::take(&mut self.facts)));
        if wanted && !reviewed {
            bodies.push(EventBody::ReviewSkipped(ReviewSkipped {
                reason: Skip::Off.reason().to_owned(),
            }));
        }
        if review.is_none() {
            bodies.push(EventBody::Done(Done {}));
        }
        Ending { bodies, review }
    }
}

/// Runs are not reviewed, and nobody learns from a review of what the question got wrong.
fn wants_review(job: &JudgeJob, verdict: Verdict) -> bool {
    let submitted = matches!(job.task, Task::Judge { .. });
    submitted
        && job.review.is_some()
        && !matches!(verdict, Verdict::InternalError | Verdict::Skipped)
}

fn fail(job: &JudgeJob, failure: &RunnerFailure) -> Ending {
    let locale = job
        .review
        .as_ref()
        .map_or_else(Default::default, |review| review.locale);
    let (reason, phrase, retryable) = match failure.reason.as_str() {
        "unsupported_language" => (
            "unsupported_language",
            Phrase::NoRunnerHas(job.language),
            false,
        ),
        _ => ("internal", Phrase::OurFault, true),
    };
    Ending {
        bodies: vec![EventBody::Failed(Failed {
            reason: reason.to_owned(),
            message: phrase.to_text(locale),
            retryable,
        })],
        review: None,
    }
}

/// The review job of a judging that ended so; `None` when no review follows.
pub(crate) fn review_job(
    job: &JudgeJob,
    events: &[contract::StreamEvent],
    facts: Option<&ReviewFacts>,
) -> Option<ReviewJob> {
    let facts = facts?;
    let (follows, verdict) = events.iter().find_map(|event| match &event.body {
        EventBody::Verdict(verdict) => Some((event.key, verdict)),
        _ => None,
    })?;
    Some(ReviewJob {
        submission: job.submission,
        judgement: job.judgement,
        account: job.account,
        language: job.language,
        files: job.files.clone(),
        context: job.review.clone()?,
        compiled: facts.compiled.clone(),
        tests: facts.tests.clone(),
        verdict: verdict.clone(),
        follows,
        reply_partition: job.reply_partition,
        deadline: job.deadline,
    })
}

/// Leaves out of large facts what a reviewer can do without: all but the first failed test's texts, then all tests.
fn slimmed(mut facts: ReviewFacts) -> ReviewFacts {
    let size =
        |facts: &ReviewFacts| serde_json::to_string(facts).map_or(usize::MAX, |text| text.len());
    if size(&facts) > LARGE_REVIEW {
        let failed = facts
            .tests
            .iter()
            .position(|test| test.verdict != Verdict::Accepted);
        for (index, test) in facts.tests.iter_mut().enumerate() {
            if Some(index) != failed {
                test.detail = None;
            }
        }
    }
    if size(&facts) > LARGE_REVIEW {
        let failed = facts
            .tests
            .into_iter()
            .find(|test| test.verdict != Verdict::Accepted);
        facts.tests = failed.into_iter().collect();
    }
    facts
}

#[cfg(test)]
mod tests;
