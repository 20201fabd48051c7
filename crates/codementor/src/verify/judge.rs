//! One submission, or one input validator, through the runner.

use anyhow::Result;
use contract::{
    Verdict,
    event::TestResult,
    manifest::{Checker, JudgingMode},
    runner_api::{JudgeRequest, RunnerEvent, RunnerFailure},
};
use indicatif::ProgressBar;
use package::{Package, Program, Submission, expectation::Judged, test_data::TestOutcome};

use super::{
    plan::{self, Plan},
    table::{Line, Outcome},
};
use crate::lone_runner::LoneRunner;

/// The exit code of a validator that accepts.
const ACCEPTS: i32 = 42;

/// Judges a submission and compares.
pub(super) async fn submission(
    package: &Package,
    plan: &Plan,
    submission: &Submission,
    runner: &LoneRunner,
) -> Result<Line> {
    let mut line = Line::of(submission);
    let Some(expectation) = &submission.expectation else {
        return Ok(line.with(
            Outcome::NotSupported,
            "nothing says what it must come out as",
        ));
    };
    let request = match request(package, plan, &submission.program, runner) {
        Ok(request) => request,
        Err(reason) => return Ok(line.with(Outcome::NotSupported, &reason)),
    };
    let events = match runner.judge(&request, |_| {}).await {
        Ok(events) => events,
        Err(error) => return Ok(line.with(Outcome::NotSupported, &format!("{error:#}"))),
    };
    let tests = tests(&events);
    line.slowest_ms = tests
        .iter()
        .map(|test| test.time_ms)
        .max()
        .unwrap_or_default();
    if let Some(failure) = failure(&events) {
        let outcome = match failure.reason.as_str() {
            "unsupported_language" => Outcome::NotSupported,
            _ => Outcome::Disagrees,
        };
        return Ok(line.with(outcome, &failure.message));
    }
    let judged = judged(package, &events, &tests);
    line.got = match (judged.overall, package.metadata.scoring) {
        (Some(overall), true) => format!("{overall} {}", judged.score.unwrap_or_default()),
        (Some(overall), false) => overall.to_string(),
        (None, _) => "IE".to_owned(),
    };
    if let Some(broken) = tests
        .iter()
        .find(|test| test.verdict == Verdict::InternalError)
    {
        let reason = broken.reason.clone().unwrap_or_default();
        return Ok(line.with(
            Outcome::Disagrees,
            &format!("the output validator failed: {reason}"),
        ));
    }
    let disagreements = expectation.disagreements(&judged);
    Ok(if disagreements.is_empty() {
        line.with(Outcome::Agrees, "")
    } else {
        line.with(Outcome::Disagrees, &disagreements.join("; "))
    })
}

/// Milliseconds of the slowest accepted submission.
pub(super) async fn slowest_accepted(
    package: &Package,
    plan: &Plan,
    runner: &LoneRunner,
    progress: &ProgressBar,
) -> Result<u64> {
    let mut slowest = 0;
    for submission in package
        .submissions
        .iter()
        .filter(|submission| submission.is_for_time_limit)
    {
        progress.set_message(format!("the time of {}", submission.name()));
        let Ok(request) = request(package, plan, &submission.program, runner) else {
            continue;
        };
        let Ok(events) = runner.judge(&request, |_| {}).await else {
            continue;
        };
        slowest = tests(&events)
            .iter()
            .map(|test| test.time_ms)
            .max()
            .unwrap_or_default()
            .max(slowest);
    }
    Ok(slowest)
}

/// Runs an input validator on every test.
pub(super) async fn input_validator(
    package: &Package,
    plan: &Plan,
    validator: &Program,
    runner: &LoneRunner,
) -> Result<Line> {
    let line = Line::validator(validator);
    let mut request = match request(package, plan, validator, runner) {
        Ok(request) => request,
        Err(reason) => return Ok(line.with(Outcome::NotSupported, &reason)),
    };
    request.judging.checker = Checker::default();
    request.judging.mode = JudgingMode::Full;
    request.judging.limits.time_ms = 60_000;
    for (test, of) in request.judging.tests.iter_mut().zip(&package.tests.tests) {
        // Only of samples is told how a program has ended.
        (test.sample, test.points) = (true, None);
        test.args.clone_from(&of.input_validator_args);
        test.checker_args = Vec::new();
    }
    let events = match runner.judge(&request, |_| {}).await {
        Ok(events) => events,
        Err(error) => return Ok(line.with(Outcome::NotSupported, &format!("{error:#}"))),
    };
    if let Some(failure) = failure(&events) {
        return Ok(line.with(Outcome::NotSupported, &failure.message));
    }
    let tests = tests(&events);
    let refused = tests
        .iter()
        .zip(&package.tests.tests)
        .find_map(|(result, test)| {
            let detail = result.detail.as_ref()?;
            (detail.exit_code != Some(ACCEPTS)).then(|| {
                let said = detail
                    .stderr
                    .lines()
                    .chain(detail.output.lines())
                    .next()
                    .unwrap_or_default();
                format!("{} is not accepted {said}", test.name)
            })
        });
    Ok(match (tests.is_empty(), refused) {
        (true, _) => line.with(Outcome::Disagrees, "it does not compile"),
        (false, Some(refused)) => line.with(Outcome::Disagrees, refused.trim()),
        (false, None) => line.with(Outcome::Agrees, ""),
    })
}

fn request(
    package: &Package,
    plan: &Plan,
    program: &Program,
    runner: &LoneRunner,
) -> Result<JudgeRequest, String> {
    let Some(language) = program.language else {
        return Err("its language is not supported".to_owned());
    };
    Ok(JudgeRequest {
        language,
        files: plan::sources(package, program, language)?,
        judging: plan.judging.clone(),
        show_output: false,
        blobs: Some(runner.source()),
    })
}

fn judged(package: &Package, events: &[RunnerEvent], tests: &[&TestResult]) -> Judged {
    let compiled = events
        .iter()
        .any(|event| matches!(event, RunnerEvent::Compiled(compiled) if compiled.ok));
    if !compiled {
        return Judged {
            overall: Some(package::Outcome::CompileError),
            ..Judged::default()
        };
    }
    let outcomes: Vec<TestOutcome> = tests
        .iter()
        .map(|test| TestOutcome {
            outcome: package::Outcome::of(test.verdict),
            score: test.score,
            multiplier: None,
        })
        .collect();
    let grade = package.tests.grade(&outcomes);
    let named = package.tests.tests.iter().zip(&outcomes);
    Judged {
        overall: grade.outcome,
        tests: named
            .filter_map(|(test, result)| Some((test.name.clone(), result.outcome?)))
            .collect(),
        score: package.metadata.scoring.then_some(grade.score),
        max_score: package
            .metadata
            .scoring
            .then(|| package.tests.max_score())
            .flatten(),
        groups: grade.groups,
    }
}

fn tests(events: &[RunnerEvent]) -> Vec<&TestResult> {
    events
        .iter()
        .filter_map(|event| match event {
            RunnerEvent::Test(test) => Some(test),
            _ => None,
        })
        .collect()
}

fn failure(events: &[RunnerEvent]) -> Option<&RunnerFailure> {
    events.iter().find_map(|event| match event {
        RunnerEvent::Failed(failure) => Some(failure),
        _ => None,
    })
}
