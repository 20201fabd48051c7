//! What a runner's lines become.

use contract::event::{Compiled, TestDetail, TestResult};

use super::*;

fn job() -> JudgeJob {
    let golden = include_str!("../../../../contract/golden/jobs/judge.json");
    serde_json::from_str(golden).expect("a golden file")
}

fn verdict(verdict: Verdict) -> FinalVerdict {
    let golden = include_str!("../../../../contract/golden/runner/event-finished.json");
    match serde_json::from_str(golden).expect("a golden file") {
        RunnerEvent::Finished(finished) => FinalVerdict {
            verdict,
            ..finished
        },
        other => panic!("{other:?}"),
    }
}

fn test(index: u32, verdict: Verdict, output: &str) -> TestResult {
    TestResult {
        index,
        name: index.to_string(),
        group: None,
        verdict,
        time_ms: 0,
        wall_ms: 0,
        memory_kib: 0,
        limit: None,
        score: None,
        reason: None,
        detail: Some(TestDetail {
            exit_code: Some(0),
            signal: None,
            input: String::new(),
            expected: String::new(),
            output: output.into(),
            stderr: String::new(),
            difference: None,
            message: None,
        }),
    }
}

fn names(ending: &Ending) -> Vec<&'static str> {
    ending.bodies.iter().map(EventBody::name).collect()
}

#[test]
fn only_submissions_that_want_it_are_reviewed() {
    let wanted = job();
    let unwanted = JudgeJob {
        review: None,
        ..job()
    };
    for (job, finished, reviewed, expected) in [
        (&wanted, Verdict::Accepted, true, vec!["verdict"]),
        (&wanted, Verdict::CompileError, true, vec!["verdict"]),
        (
            &wanted,
            Verdict::Accepted,
            false,
            vec!["verdict", "review.skipped", "done"],
        ),
        (
            &wanted,
            Verdict::InternalError,
            true,
            vec!["verdict", "done"],
        ),
        (&unwanted, Verdict::Accepted, true, vec!["verdict", "done"]),
        (&unwanted, Verdict::Accepted, false, vec!["verdict", "done"]),
    ] {
        let mut course = Course::new(job);
        let next = course.take(RunnerEvent::Finished(verdict(finished)), reviewed);
        let Next::End(ending) = next else {
            panic!("{next:?}");
        };
        assert_eq!(names(&ending), expected);
        assert_eq!(ending.review.is_some(), expected.len() == 1);
    }
}

#[test]
fn a_failure_is_tried_again_or_ends_the_submission() {
    let failure = |reason: &str, retryable| {
        RunnerEvent::Failed(RunnerFailure {
            reason: reason.into(),
            message: "secret detail".into(),
            retryable,
        })
    };
    let job = job();
    let next = Course::new(&job).take(failure("sandbox", true), true);
    assert_eq!(next, Next::Retry("sandbox: secret detail".into()));
    for (reason, expected) in [
        ("unsupported_language", "unsupported_language"),
        ("anything else", "internal"),
    ] {
        let next = Course::new(&job).take(failure(reason, false), true);
        let Next::End(Ending {
            bodies,
            review: None,
        }) = next
        else {
            panic!("{next:?}");
        };
        let [EventBody::Failed(failed)] = bodies.as_slice() else {
            panic!("{bodies:?}");
        };
        assert_eq!(failed.reason, expected);
        assert!(!failed.message.contains("secret"), "operators read the log");
    }
}

#[test]
fn the_review_job_is_the_same_from_what_was_stored() {
    let job = job();
    let facts = ReviewFacts {
        compiled: Some(Compiled {
            ok: true,
            cached: true,
            time_ms: 1,
            log: String::new(),
        }),
        tests: vec![test(1, Verdict::Accepted, "3")],
    };
    let events = [contract::StreamEvent {
        submission: job.submission,
        key: "1.4.5".parse().expect("a key"),
        follows: None,
        body: EventBody::Verdict(verdict(Verdict::WrongAnswer)),
    }];
    let review = review_job(&job, &events, Some(&facts)).expect("a review follows");
    assert_eq!(review.follows, events[0].key);
    assert_eq!(review.verdict.verdict, Verdict::WrongAnswer);
    assert_eq!(
        (review.tests, review.compiled),
        (facts.tests.clone(), facts.compiled.clone())
    );
    assert_eq!(review_job(&job, &events, None), None);
    assert_eq!(review_job(&job, &[], Some(&facts)), None);
}

#[test]
fn large_facts_keep_what_a_reviewer_needs() {
    let large = "x".repeat(4_096);
    let mut facts = ReviewFacts::default();
    for index in 1..=400 {
        let verdict = if index == 300 {
            Verdict::WrongAnswer
        } else {
            Verdict::Accepted
        };
        facts.tests.push(test(index, verdict, &large));
    }
    let small = slimmed(facts.clone());
    assert_eq!(small.tests.len(), 400);
    assert!(small.tests[299].detail.is_some() && small.tests[0].detail.is_none());

    for test in &mut facts.tests {
        test.name = large.clone();
    }
    let smaller = slimmed(facts);
    assert_eq!(smaller.tests.len(), 1);
    assert_eq!(smaller.tests[0].index, 300);
}
