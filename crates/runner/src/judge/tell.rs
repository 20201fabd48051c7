//! What is told of a test, by the question's feedback and whether it is a sample.

use contract::event::FinalVerdict;
use contract::manifest::Feedback;
use contract::runner_api::{JudgeRequest, RunnerEvent};
use contract::verdict::Verdict;

use super::{Events, Job};
use crate::report::{self, Finished, skipped};
use crate::score::without_tests;

/// Every test of a question whose checker does not compile: nothing can be said of the learner's code.
pub(super) fn without_checker(request: &JudgeRequest, events: &Events) -> FinalVerdict {
    let tests = &request.judging.tests;
    if !request.show_output {
        for (index, test) in (1..).zip(tests) {
            let told = report::without_checker(index, test);
            let _ = events.send(RunnerEvent::Test(told));
        }
    }
    without_tests(tests, Verdict::InternalError)
}

/// Sends what may be told of a test; `None` for one that was skipped.
pub(super) fn tell(
    request: &JudgeRequest,
    number: usize,
    finished: Option<Finished>,
    job: &Job<'_>,
    events: &Events,
) {
    let index = u32::try_from(number).unwrap_or(u32::MAX);
    let Some(test) = request.judging.tests.get(number - 1) else {
        return;
    };
    let told = match request.judging.feedback {
        Feedback::Full => true,
        Feedback::Samples => test.sample,
        Feedback::None => false,
    };
    let lines = &job.program.sources.lines;
    let event = match finished {
        // What is shown here is seen in full: never a hidden test.
        Some(finished) if request.show_output => {
            if !test.sample {
                return;
            }
            RunnerEvent::Output(finished.output(Some(index), lines))
        }
        None if request.show_output => return,
        _ if !told => return,
        Some(finished) => RunnerEvent::Test(finished.test(index, test, lines)),
        None => RunnerEvent::Test(skipped(index, test)),
    };
    let _ = events.send(event);
}
