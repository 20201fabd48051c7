//! Points and the verdict of a whole submission, from the verdicts of its tests.
//!
//! Pure. The verdict is that of the lowest-numbered test that is not accepted; a group's
//! score is the sum of its tests' or the worst of them, and nothing where a group that it depends on has failed.

use std::collections::HashSet;

use contract::event::{FinalVerdict, GroupResult};
use contract::manifest::{Feedback, GroupScore, Judging, JudgingMode, TestGroup, TestRef};
use contract::verdict::Verdict;

/// What counts of one judged test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judged {
    /// What became of it.
    pub(crate) verdict: Verdict,
    /// Points that the question's own checker gave it; absent: all or nothing.
    pub(crate) score: Option<f64>,
    /// Processor time.
    pub(crate) time_ms: u64,
    /// Peak memory.
    pub(crate) memory_kib: u64,
}

impl Judged {
    /// A test that was not run.
    pub(crate) fn skipped() -> Self {
        Self {
            verdict: Verdict::Skipped,
            score: None,
            time_ms: 0,
            memory_kib: 0,
        }
    }

    fn score(&self, points: f64) -> f64 {
        match self.verdict {
            Verdict::Accepted => self.score.unwrap_or(points),
            _ => 0.0,
        }
    }
}

/// Which tests are still wanted, as their verdicts come in.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    judging: &'a Judging,
    any_failed: bool,
    failed_groups: HashSet<&'a str>,
}

impl<'a> Course<'a> {
    /// Before the first test.
    pub(crate) fn new(judging: &'a Judging) -> Self {
        Self {
            judging,
            any_failed: false,
            failed_groups: HashSet::new(),
        }
    }

    /// Whether a test is not run, for what is known: it only ever becomes true.
    pub(crate) fn skips(&self, test: &TestRef) -> bool {
        let mode = self.judging.mode;
        let Some(rule) = rule(self.judging, test.group.as_deref()) else {
            return self.any_failed && mode == JudgingMode::Lazy;
        };
        let failed = |group: &str| self.failed_groups.contains(group);
        rule.depends_on.iter().any(|group| failed(group))
            || (failed(&rule.name) && rule.judging.unwrap_or(mode) == JudgingMode::Lazy)
    }

    /// What became of a test.
    pub(crate) fn note(&mut self, test: &'a TestRef, verdict: Verdict) {
        if verdict != Verdict::Accepted {
            self.any_failed = true;
            self.failed_groups.extend(test.group.as_deref());
        }
    }
}

fn rule<'a>(judging: &'a Judging, group: Option<&str>) -> Option<&'a TestGroup> {
    let name = group?;
    judging.groups.iter().find(|rule| rule.name == name)
}

/// Sums up. `judged` has one entry for each test, in their order.
pub(crate) fn sum_up(judging: &Judging, judged: &[Judged]) -> FinalVerdict {
    let tests = &judging.tests;
    let points = points(tests);
    let all = || tests.iter().zip(judged).zip(&points);
    let passed = judged.iter().filter(|it| it.verdict == Verdict::Accepted);
    let groups = groups(judging, judged, &points);
    let alone = || all().filter(|((test, _), _)| test.group.is_none());
    let score = total(alone().map(|((_, it), points)| it.score(*points)))
        + total(groups.iter().map(|group| group.score));
    let max_score = total(alone().map(|(_, points)| *points))
        + total(groups.iter().map(|group| group.max_score));
    let largest = |of: fn(&Judged) -> u64| judged.iter().map(of).max().unwrap_or(0);
    let (mut time_ms, mut memory_kib) = (largest(|it| it.time_ms), largest(|it| it.memory_kib));
    if tests.iter().any(|test| !test.sample) {
        (time_ms, memory_kib) = (rounded(time_ms, 10), rounded(memory_kib, 1024));
    }
    FinalVerdict {
        verdict: worst(judged.iter().map(|it| it.verdict)),
        score,
        max_score,
        passed: u32::try_from(passed.count()).unwrap_or(u32::MAX),
        total: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        time_ms,
        memory_kib,
        // Points of single groups would tell of single tests.
        groups: (!groups.is_empty() && judging.feedback == Feedback::Full).then_some(groups),
    }
}

/// What became of each group, in the order in which their first tests come.
fn groups(judging: &Judging, judged: &[Judged], points: &[f64]) -> Vec<GroupResult> {
    let mut members: Vec<(&str, Vec<(Judged, f64)>)> = Vec::new();
    for ((test, it), points) in judging.tests.iter().zip(judged).zip(points) {
        let Some(name) = test.group.as_deref() else {
            continue;
        };
        match members.iter_mut().find(|(other, _)| *other == name) {
            Some((_, tests)) => tests.push((*it, *points)),
            None => members.push((name, vec![(*it, *points)])),
        }
    }
    let verdict = |tests: &[(Judged, f64)]| worst(tests.iter().map(|(it, _)| it.verdict));
    let failed: HashSet<&str> = members
        .iter()
        .filter(|(_, tests)| verdict(tests) != Verdict::Accepted)
        .map(|(name, _)| *name)
        .collect();
    let result = |(name, tests): &(&str, Vec<(Judged, f64)>)| {
        let rule = rule(judging, Some(name));
        let (score, max_score) = match rule {
            Some(rule) if rule.score == GroupScore::Min => least(tests, rule.points),
            Some(rule) if rule.points.is_some() => spread(tests, rule.points.unwrap_or_default()),
            _ => (
                total(tests.iter().map(|(it, points)| it.score(*points))),
                total(tests.iter().map(|(_, points)| *points)),
            ),
        };
        let waits = rule.is_some_and(|rule| {
            let mut names = rule.depends_on.iter();
            names.any(|name| failed.contains(name.as_str()))
        });
        GroupResult {
            name: (*name).to_owned(),
            verdict: verdict(tests),
            score: if waits { 0.0 } else { score },
            max_score,
        }
    };
    members.iter().map(result).collect()
}

/// The worst test's share of the group's points.
fn least(tests: &[(Judged, f64)], points: Option<f64>) -> (f64, f64) {
    let largest = tests.iter().map(|(_, points)| *points).fold(0.0, f64::max);
    let points = points.unwrap_or(largest);
    let share = |(it, worth): &(Judged, f64)| {
        // A test without points of its own is worth the whole group.
        let worth = if *worth > 0.0 && largest > 0.0 {
            *worth
        } else {
            points
        };
        if worth > 0.0 {
            it.score(worth) / worth
        } else {
            0.0
        }
    };
    let least = tests.iter().map(share).fold(f64::INFINITY, f64::min);
    (least * points, points)
}

/// The group's points spread over its tests in the proportion of theirs.
fn spread(tests: &[(Judged, f64)], points: f64) -> (f64, f64) {
    let sum = total(tests.iter().map(|(_, points)| *points));
    let count = f64::from(u32::try_from(tests.len()).unwrap_or(u32::MAX));
    let worth = |own: f64| {
        if sum > 0.0 {
            points * own / sum
        } else {
            points / count
        }
    };
    let scores = tests.iter().map(|(it, own)| it.score(worth(*own)));
    (total(scores), points)
}

/// The verdict where no test was run, such as for code that does not compile.
pub(crate) fn without_tests(tests: &[TestRef], verdict: Verdict) -> FinalVerdict {
    FinalVerdict {
        verdict,
        score: 0.0,
        max_score: total(points(tests).into_iter()),
        passed: 0,
        total: u32::try_from(tests.len()).unwrap_or(u32::MAX),
        time_ms: 0,
        memory_kib: 0,
        groups: None,
    }
}

/// A sum that is 0 of nothing; the standard library's is -0.
fn total(points: impl Iterator<Item = f64>) -> f64 {
    points.fold(0.0, |sum, points| sum + points)
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

    fn sum_up(tests: &[TestRef], judged: &[Judged], feedback: Feedback) -> FinalVerdict {
        super::sum_up(&judging(tests, feedback, Vec::new()), judged)
    }

    fn judging(tests: &[TestRef], feedback: Feedback, groups: Vec<TestGroup>) -> Judging {
        Judging {
            kind: contract::manifest::QuestionKind::Stdio,
            limits: contract::manifest::Limits::default(),
            time_factor: 1.0,
            checker: contract::manifest::Checker::default(),
            mode: JudgingMode::Full,
            feedback,
            driver: None,
            tests: tests.to_vec(),
            groups,
        }
    }

    #[test]
    fn groups_count_by_their_worst_test_and_not_at_all_when_they_depend_on_a_failure() {
        let tests = [
            test(Some("a"), None),
            test(Some("a"), None),
            test(Some("b"), None),
            test(Some("c"), Some(1.0)),
            test(Some("c"), Some(3.0)),
        ];
        let rules = vec![
            TestGroup {
                name: "a".to_owned(),
                score: GroupScore::Min,
                points: Some(30.0),
                ..TestGroup::default()
            },
            TestGroup {
                name: "b".to_owned(),
                points: Some(50.0),
                depends_on: vec!["a".to_owned()],
                ..TestGroup::default()
            },
            TestGroup {
                name: "c".to_owned(),
                points: Some(20.0),
                ..TestGroup::default()
            },
        ];
        let judging = judging(&tests, Feedback::Full, rules);
        let scores = |results: &[Judged]| {
            let sum = super::sum_up(&judging, results);
            assert!((sum.max_score - 100.0).abs() < 1e-9);
            let groups = sum.groups.expect("there are groups");
            groups.iter().map(|group| group.score).collect::<Vec<_>>()
        };
        let right = judged(Verdict::Accepted, 1);
        let wrong = judged(Verdict::WrongAnswer, 1);
        let half = Judged {
            score: Some(15.0),
            ..right
        };
        assert_eq!(scores(&[right; 5]), [30.0, 50.0, 20.0]);
        assert_eq!(
            scores(&[right, half, right, wrong, right]),
            [15.0, 50.0, 15.0]
        );
        assert_eq!(
            scores(&[right, wrong, right, right, wrong]),
            [0.0, 0.0, 5.0]
        );
    }

    #[test]
    fn what_depends_on_a_failure_or_follows_it_lazily_is_skipped() {
        let tests = [
            test(Some("a"), None),
            test(Some("b"), None),
            test(Some("c"), None),
            test(None, None),
        ];
        let rule = |name: &str, depends_on: &[&str], judging| TestGroup {
            name: name.to_owned(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            judging,
            ..TestGroup::default()
        };
        let rules = vec![
            rule("a", &[], Some(JudgingMode::Lazy)),
            rule("b", &["a"], None),
            rule("c", &[], None),
        ];
        let judging = judging(&tests, Feedback::Full, rules);
        let mut course = Course::new(&judging);
        assert!(tests.iter().all(|test| !course.skips(test)));
        course.note(&tests[0], Verdict::WrongAnswer);
        let skipped: Vec<bool> = tests.iter().map(|test| course.skips(test)).collect();
        assert_eq!(skipped, [true, true, false, false]);
    }

    fn judged(verdict: Verdict, time_ms: u64) -> Judged {
        Judged {
            verdict,
            score: None,
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
