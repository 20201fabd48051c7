//! From what became of each test to verdict and points: the default grader of the legacy format, and 2025-09's rules.

use std::collections::HashMap;

use super::{Aggregation, Group, TestData};
use crate::Outcome;

/// What became of one test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestOutcome {
    /// `None` where it was not run.
    pub outcome: Option<Outcome>,
    /// What the output validator gave: points, in place of the group's own.
    pub score: Option<f64>,
    /// What the output validator gave: a share of the group's points.
    pub multiplier: Option<f64>,
}

/// Verdict and points of a whole submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// The verdict; `None` where no test was run.
    pub outcome: Option<Outcome>,
    /// Points.
    pub score: f64,
    /// Points of each group by its name, in the order of the tree.
    pub groups: Vec<(String, f64)>,
}

impl TestData {
    /// Grades; `outcomes` are in the order of the tests.
    pub fn grade(&self, outcomes: &[TestOutcome]) -> Grade {
        let mut grading = Grading {
            data: self,
            outcomes,
            groups: HashMap::new(),
        };
        let (outcome, score) = grading.group(0);
        let groups = self.groups.iter().enumerate();
        let named = groups
            .filter_map(|(index, group)| Some((group.name.clone(), grading.groups.get(&index)?.1)));
        Grade {
            outcome,
            score,
            groups: named.collect(),
        }
    }

    /// The most points, where that is bounded: what a submission gets that passes all tests.
    pub fn max_score(&self) -> Option<f64> {
        let all = TestOutcome {
            outcome: Some(Outcome::Accepted),
            score: None,
            multiplier: None,
        };
        let score = self.grade(&vec![all; self.tests.len()]).score;
        score.is_finite().then_some(score)
    }
}

struct Grading<'a> {
    data: &'a TestData,
    outcomes: &'a [TestOutcome],
    groups: HashMap<usize, (Option<Outcome>, f64)>,
}

/// A part of a group, in the order of names.
enum Part {
    Test(usize),
    Group(usize),
}

impl Grading<'_> {
    fn group(&mut self, index: usize) -> (Option<Outcome>, f64) {
        let group = &self.data.groups[index];
        let mut results = Vec::new();
        let mut broken = false;
        let parts = self.parts(index);
        let tests = parts
            .iter()
            .filter(|(_, part)| matches!(part, Part::Test(_)))
            .count();
        for (name, part) in parts {
            if broken {
                break;
            }
            let result = match part {
                Part::Test(test) => self.test(group, test, tests),
                Part::Group(inner) => self.group(inner),
            };
            broken = group.breaks && result.0 != Some(Outcome::Accepted);
            // Samples count for the verdict, but not for points.
            results.push((
                result.0,
                (!(group.ignore_sample && name == "sample")).then_some(result.1),
            ));
        }
        let graded = grade(group, &results);
        let graded = if self.requirement_met(group) {
            graded
        } else {
            (graded.0, 0.0)
        };
        self.groups.insert(index, graded);
        graded
    }

    fn requirement_met(&self, group: &Group) -> bool {
        group.require_pass.iter().all(|name| {
            let found = self
                .data
                .group(name)
                .and_then(|index| self.groups.get(&index));
            found.is_some_and(|(outcome, _)| *outcome == Some(Outcome::Accepted))
        })
    }

    fn parts(&self, index: usize) -> Vec<(String, Part)> {
        let tests = self.data.tests.iter().enumerate();
        let tests = tests.filter(|(_, test)| test.group == index);
        let mut parts: Vec<_> = tests
            .map(|(at, test)| (test.name.clone(), Part::Test(at)))
            .collect();
        let groups = self.data.groups.iter().enumerate();
        let groups = groups.filter(|(_, group)| group.parent == Some(index));
        parts.extend(groups.map(|(at, group)| (group.name.clone(), Part::Group(at))));
        parts.sort_by(|one, other| one.0.cmp(&other.0));
        parts
    }

    fn test(&self, group: &Group, test: usize, tests: usize) -> (Option<Outcome>, f64) {
        let Some(result) = self.outcomes.get(test) else {
            return (None, group.reject_score);
        };
        if result.outcome != Some(Outcome::Accepted) {
            return (result.outcome, group.reject_score);
        }
        // In the newer formats a group's points are shared out among the tests of a sum.
        let shared = group.ignore_sample && group.aggregation == Aggregation::Sum;
        #[expect(clippy::cast_precision_loss, reason = "tests are few")]
        let most = if shared {
            group.accept_score / tests.max(1) as f64
        } else {
            group.accept_score
        };
        let score = result
            .score
            .unwrap_or_else(|| result.multiplier.map_or(most, |share| share * most));
        (Some(Outcome::Accepted), score)
    }
}

fn grade(group: &Group, results: &[(Option<Outcome>, Option<f64>)]) -> (Option<Outcome>, f64) {
    let run: Vec<Outcome> = results.iter().filter_map(|(outcome, _)| *outcome).collect();
    let accepted = run.contains(&Outcome::Accepted);
    let failures = run
        .iter()
        .copied()
        .filter(|outcome| *outcome != Outcome::Accepted);
    let outcome = if run.is_empty() {
        None
    } else if group.always_accept || (group.accept_if_any && accepted) {
        Some(Outcome::Accepted)
    } else if group.first_error || group.breaks {
        failures.clone().next().or(Some(Outcome::Accepted))
    } else {
        failures
            .clone()
            .max_by_key(|outcome| rank(*outcome))
            .or(Some(Outcome::Accepted))
    };
    let scores: Vec<f64> = results.iter().filter_map(|(_, score)| *score).collect();
    let all = !results.is_empty()
        && results
            .iter()
            .all(|(outcome, _)| *outcome == Some(Outcome::Accepted));
    #[expect(clippy::cast_precision_loss, reason = "tests are few")]
    let score = match group.aggregation {
        Aggregation::PassFail if all => group.accept_score,
        Aggregation::PassFail => group.reject_score,
        _ if scores.is_empty() => 0.0,
        Aggregation::Sum => scores.iter().sum(),
        Aggregation::Avg => scores.iter().sum::<f64>() / scores.len() as f64,
        Aggregation::Min => scores.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregation::Max => scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    };
    (outcome, score.clamp(group.range.0, group.range.1))
}

/// The worst first, as the default grader has it.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::CompileError => 4,
        Outcome::RunTimeError => 3,
        Outcome::TimeLimit => 2,
        Outcome::WrongAnswer => 1,
        Outcome::Accepted => 0,
    }
}
