//! What a jury's program must come out as, and whether it did.

use std::{collections::BTreeSet, fmt};

use contract::Verdict;

use crate::glob;

/// What became of a test or a submission, in the words of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Outcome {
    Accepted,
    WrongAnswer,
    TimeLimit,
    RunTimeError,
    CompileError,
}

impl Outcome {
    /// The formats know fewer words than we do.
    pub fn of(verdict: Verdict) -> Option<Self> {
        Some(match verdict {
            Verdict::Accepted => Self::Accepted,
            Verdict::WrongAnswer | Verdict::PresentationError => Self::WrongAnswer,
            Verdict::TimeLimit => Self::TimeLimit,
            Verdict::RuntimeError | Verdict::MemoryLimit | Verdict::OutputLimit => {
                Self::RunTimeError
            }
            Verdict::CompileError => Self::CompileError,
            Verdict::InternalError | Verdict::Skipped => return None,
        })
    }

    /// The word of `submissions.yaml`, or of DOMjudge's `@EXPECTED_RESULTS@`.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase().replace(['_', ' '], "-");
        Some(match word.as_str() {
            "AC" | "CORRECT" | "ACCEPTED" => Self::Accepted,
            "WA" | "WRONG-ANSWER" | "NO-OUTPUT" | "PRESENTATION-ERROR" => Self::WrongAnswer,
            "TLE" | "TIMELIMIT" | "TIME-LIMIT-EXCEEDED" => Self::TimeLimit,
            "RTE"
            | "RUN-ERROR"
            | "RUN-TIME-ERROR"
            | "OUTPUT-LIMIT"
            | "OUTPUT-LIMIT-EXCEEDED"
            | "MEMORY-LIMIT"
            | "MEMORY-LIMIT-EXCEEDED" => Self::RunTimeError,
            "CE" | "COMPILER-ERROR" | "COMPILE-ERROR" => Self::CompileError,
            _ => return None,
        })
    }

    /// Its short form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "AC",
            Self::WrongAnswer => "WA",
            Self::TimeLimit => "TLE",
            Self::RunTimeError => "RTE",
            Self::CompileError => "CE",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What must hold for some tests, or for all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// Which tests, by path below `data/`; `None` for all.
    pub tests: Option<String>,
    /// Each of them has one of these.
    pub permitted: Option<BTreeSet<Outcome>>,
    /// At least one of them has one of these.
    pub required: Option<BTreeSet<Outcome>>,
    /// The points of the group, or of all: at least and at most.
    pub score: Option<(f64, f64)>,
}

/// What a program must come out as.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expectation {
    /// The verdict of all is one of these; empty where only rules are given.
    pub overall: BTreeSet<Outcome>,
    /// It passes, but not with all points.
    pub partial: bool,
    /// Rules on its tests.
    pub rules: Vec<Rule>,
}

/// What became of a program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// The verdict of all.
    pub overall: Option<Outcome>,
    /// Each test's path below `data/`, and what became of it; tests that were not run are absent.
    pub tests: Vec<(String, Outcome)>,
    /// Points, where there are any.
    pub score: Option<f64>,
    /// The most points, where that is known.
    pub max_score: Option<f64>,
    /// Points of groups by their path.
    pub groups: Vec<(String, f64)>,
}

impl Expectation {
    /// Only this verdict.
    pub fn only(outcome: Outcome) -> Self {
        Self {
            overall: [outcome].into(),
            ..Self::default()
        }
    }

    /// What does not hold; empty when all does.
    pub fn disagreements(&self, judged: &Judged) -> Vec<String> {
        let mut found = Vec::new();
        if !self.overall.is_empty()
            && judged
                .overall
                .is_none_or(|own| !self.overall.contains(&own))
        {
            found.push(format!(
                "the verdict is {}",
                judged.overall.map_or("none", Outcome::as_str)
            ));
        }
        if self.partial
            && let (Some(score), Some(most)) = (judged.score, judged.max_score)
            && score >= most
        {
            found.push(format!("it has all {most} points"));
        }
        if self
            .rules
            .iter()
            .any(|rule| rule.permitted.is_some() || rule.required.is_some())
            && judged.overall == Some(Outcome::CompileError)
            && !self.overall.contains(&Outcome::CompileError)
        {
            found.push("it does not compile".to_owned());
            return found;
        }
        for rule in &self.rules {
            rule.check(judged, &mut found);
        }
        found.dedup();
        found
    }
}

impl Rule {
    fn check(&self, judged: &Judged, found: &mut Vec<String>) {
        let concerned: Vec<_> = judged
            .tests
            .iter()
            .filter(|(path, _)| {
                self.tests
                    .as_deref()
                    .is_none_or(|pattern| glob::matches(pattern, path))
            })
            .collect();
        if let Some(permitted) = &self.permitted
            && let Some((path, outcome)) = concerned
                .iter()
                .find(|(_, outcome)| !permitted.contains(outcome))
        {
            found.push(format!("{path} is {outcome}"));
        }
        if let Some(required) = &self.required
            && !concerned
                .iter()
                .any(|(_, outcome)| required.contains(outcome))
        {
            let words: Vec<_> = required.iter().map(|outcome| outcome.as_str()).collect();
            found.push(format!("no test is {}", words.join(" or ")));
        }
        if let Some((least, most)) = self.score {
            let score = match &self.tests {
                None => judged.score,
                Some(name) => judged
                    .groups
                    .iter()
                    .find(|(path, _)| path == name)
                    .map(|(_, score)| *score),
            };
            let near = 1e-6 * most.abs().max(1.0);
            match score {
                Some(score) if score < least - near || score > most + near => {
                    found.push(format!("it has {score} points"));
                }
                Some(_) => {}
                None => found.push("it has no points".to_owned()),
            }
        }
    }
}
