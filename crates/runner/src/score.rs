//! Points and the verdict of a whole submission, from the verdicts of its tests.
//!
//! Pure. The verdict is that of the lowest-numbered test that is not accepted; a group's score is the sum of its tests'.

use contract::event::{FinalVerdict, GroupResult};
use contract::manifest::{Feedback, TestRef};
use contract::verdict::Verdict;

/// What counts of one judged test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What became of it.
    pub(crate) verdict: Verdict,
    /// Processor time.
    pub(crate) time_ms: u64,
    /// Peak memory.
    pub(crate) memory_kib: u64,
}

/// Sums up. `judged` has one entry for each test, in their order.
pub(crate) fn sum_up(tests: &[TestRef], judged: &[Judged], feedback: Feedback) -> FinalVerdict {
    let points = points(tests);
    let all = || tests.iter().zip(judged).zip(&points);
    let passed = judged.iter().filter(|it| it.verdict == Verdict::Accepted);
    let has_groups = tests.iter().any(|test| test.group.is_some());
    // Points of single groups would tell of single tests.
    let groups = (has_groups && feedback == Feedback::Full).then(|| {
        let mut groups: Vec<GroupResult> = Vec::new();
        for ((test, it), points) in all() {
            let Some(name) = &test.group else { continue };
            let at = groups.iter().position(|group| group.name == *name);
            let at = at.unwrap_or_else(|| {
                groups.push(GroupResult {
                    name: name.clone(),
                    verdict: Verdict::Accepted,
                    score: 0.0,
                    max_score: 0.0,
                });
                groups.len() - 1
            });
            let group = &mut groups[at];
            group.max_score += points;
            if it.verdict == Verdict::Accepted {
                group.score += points;
            } else if group.verdict == Verdict::Accepted {
                group.verdict = it.verdict;
            }
        }
        groups
    });
    let largest = |of: fn(&Judged) -> u64| judged.iter().map(of).max().unwrap_or(0);
    let (mut time_ms, mut memory_kib) = (largest(|it| it.time_ms), largest(|it| it.memory_kib));
    if tests.iter().any(|test| !test.sample) {
        (time_ms, memory_kib) = (rounded(time_ms, 10), rounded(memory_kib, 1024));
    }
    FinalVerdict {
        verdict: worst(judged.iter().map(|it| it.verdict)),
        score: all()
            .filter(|((_, it), _)| it.verdict == Verdict::Accepted)
            .map(|(_, points)| points)
            .fold(0.0, |sum, points| sum + points),
        max_score: total(&points),
        passed: u32::try_from(passed.count()).unwrap_or(u32::MAX),
        total: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        time_ms,
        memory_kib,
        groups,
    }
}

/// The verdict where no test was run, such as for code that does not compile.
pub(crate) fn without_tests(tests: &[TestRef], verdict: Verdict) -> FinalVerdict {
    FinalVerdict {
        verdict,
        score: 0.0,
        max_score: total(&points(tests)),
        passed: 0,
        total: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        time_ms: 0,
        memory_kib: 0,
        groups: None,
    }
}

/// A sum that is 0 of nothing; the standard library's is -0.
fn total(points: &[f64]) -> f64 {
    points.iter().fold(0.0, |sum, points| sum + points)
}

/// The nearest multiple of `step`.
pub(crate) fn rounded(value: u64, step: u64) -> u64 {
    (value + step / 2) / step * step
}

fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts
        .into_iter()
        .find(|verdict| *verdict != Verdict::Accepted)
        .unwrap_or(Verdict::Accepted)
}

/// Where no test has points, each counts one.
fn points(tests: &[TestRef]) -> Vec<f64> {
    let default = if tests.iter().all(|test| test.points.is_none()) {
        1.0
    } else {
        0.0
    };
    tests
        .iter()
        .map(|test| test.points.unwrap_or(default))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::manifest::BlobRef;

    fn test(group: Option<&str>, points: Option<f64>) -> TestRef {
        let blob = BlobRef {
            sha256: String::new(),
            size: 0,
        };
        TestRef {
            name: String::new(),
            sample: false,
            group: group.map(str::to_owned),
            points,
            args: Vec::new(),
            checker_args: Vec::new(),
            input: blob.clone(),
            output: blob,
        }
    }

    fn judged(verdict: Verdict, time_ms: u64) -> Judged {
        Judged {
            verdict,
            time_ms,
            memory_kib: 3000,
        }
    }

    #[test]
    fn the_first_failure_decides_and_every_test_counts_one() {
        let tests = vec![test(None, None); 3];
        let results = [
            judged(Verdict::Accepted, 1),
            judged(Verdict::TimeLimit, 2004),
            judged(Verdict::WrongAnswer, 2),
        ];
        let sum = sum_up(&tests, &results, Feedback::Full);
        assert_eq!(sum.verdict, Verdict::TimeLimit);
        assert_eq!((sum.score, sum.max_score), (1.0, 3.0));
        assert_eq!((sum.passed, sum.total), (1, 3));
        assert_eq!(
            (sum.time_ms, sum.memory_kib),
            (2000, 3072),
            "of hidden tests, rounded"
        );
        assert_eq!(sum.groups, None);
    }

    #[test]
    fn a_group_has_the_sum_of_its_tests() {
        let tests = [
            test(None, None),
            test(Some("a"), Some(20.0)),
            test(Some("b"), Some(30.0)),
            test(Some("a"), Some(50.0)),
        ];
        let results = [
            judged(Verdict::Accepted, 1),
            judged(Verdict::Accepted, 1),
            judged(Verdict::Accepted, 1),
            judged(Verdict::RuntimeError, 1),
        ];
        let sum = sum_up(&tests, &results, Feedback::Full);
        assert_eq!((sum.score, sum.max_score), (50.0, 100.0));
        let groups = sum.groups.expect("there are groups");
        let told: Vec<_> = groups
            .iter()
            .map(|group| {
                (
                    group.name.as_str(),
                    group.verdict,
                    group.score,
                    group.max_score,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a", Verdict::RuntimeError, 20.0, 70.0),
                ("b", Verdict::Accepted, 30.0, 30.0)
            ]
        );
        assert_eq!(sum_up(&tests, &results, Feedback::Samples).groups, None);
    }

    #[test]
    fn nothing_reached_is_written_as_nothing() {
        let sum = sum_up(
            &[test(None, None)],
            &[judged(Verdict::WrongAnswer, 1)],
            Feedback::Full,
        );
        let of_no_test = without_tests(&[], Verdict::Accepted);
        for zero in [sum.score, of_no_test.score, of_no_test.max_score] {
            assert!(zero == 0.0 && zero.is_sign_positive());
        }
    }

    #[test]
    fn code_that_does_not_compile_gets_nothing() {
        let sum = without_tests(&[test(None, Some(7.0))], Verdict::CompileError);
        assert_eq!(
            (sum.verdict, sum.score, sum.max_score, sum.total),
            (Verdict::CompileError, 0.0, 7.0, 1)
        );
    }
}
