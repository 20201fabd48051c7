//! What is printed: a table for each package, and the sum of all.

use package::{Program, Submission, Warning};

/// Whether a program came out as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Agrees,
    Disagrees,
    NotSupported,
}

/// One program.
#[derive(Debug, Clone)]
pub(super) struct Line {
    name: String,
    language: &'static str,
    expected: String,
    pub(super) got: String,
    pub(super) slowest_ms: u64,
    pub(super) outcome: Outcome,
    remark: String,
}

/// One package.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) title: String,
    path: String,
    pub(super) lines: Vec<Line>,
    pub(super) warnings: Vec<Warning>,
    /// The time limit in milliseconds, where accepted submissions told it.
    pub(super) found_limit: Option<u32>,
    unreadable: Option<String>,
}

impl Line {
    pub(super) fn of(submission: &Submission) -> Self {
        let expected = submission.expectation.as_ref().map(|expectation| {
            let mut words: Vec<_> = expectation
                .overall
                .iter()
                .map(|outcome| outcome.as_str().to_owned())
                .collect();
            if expectation.partial {
                words.push("part".to_owned());
            }
            for rule in &expectation.rules {
                if let Some(required) = rule
                    .required
                    .as_ref()
                    .filter(|_| rule.tests.is_none() && words.is_empty())
                {
                    words.extend(required.iter().map(|outcome| outcome.as_str().to_owned()));
                }
                if let Some((least, most)) = rule.score.filter(|_| rule.tests.is_none()) {
                    words.push(if least < most {
                        format!("{least}..{most}")
                    } else {
                        least.to_string()
                    });
                }
            }
            words.join(" ")
        });
        Self {
            name: submission.name().to_owned(),
            language: submission
                .program
                .language
                .map_or("-", contract::Language::id),
            expected: expected.unwrap_or_default(),
            got: String::new(),
            slowest_ms: 0,
            outcome: Outcome::NotSupported,
            remark: String::new(),
        }
    }

    pub(super) fn validator(program: &Program) -> Self {
        Self {
            name: program.path.clone(),
            language: program.language.map_or("-", contract::Language::id),
            expected: "accepts".to_owned(),
            got: String::new(),
            slowest_ms: 0,
            outcome: Outcome::NotSupported,
            remark: String::new(),
        }
    }

    pub(super) fn not_supported(submission: &Submission, reason: &str) -> Self {
        Self::of(submission).with(Outcome::NotSupported, reason)
    }

    pub(super) fn with(self, outcome: Outcome, remark: &str) -> Self {
        Self {
            outcome,
            remark: remark.to_owned(),
            ..self
        }
    }
}

impl Report {
    pub(super) fn new(title: String, path: String) -> Self {
        Self {
            title,
            path,
            ..Self::default()
        }
    }

    pub(super) fn unreadable(path: String, reason: String) -> Self {
        Self {
            path,
            unreadable: Some(reason),
            ..Self::default()
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.lines
            .iter()
            .filter(|line| line.outcome == outcome)
            .count()
    }

    pub(super) fn print(&self, warnings: bool) {
        println!("\n{} {}", self.title, self.path);
        if let Some(reason) = &self.unreadable {
            println!("  cannot be read: {reason}");
        }
        if let Some(limit) = self.found_limit {
            println!("  time limit by the accepted submissions: {limit} ms");
        }
        for warning in self.warnings.iter().filter(|_| warnings) {
            println!("  {}: {}", warning.place, warning.message);
        }
        let wide = self
            .lines
            .iter()
            .map(|line| line.name.chars().count())
            .max()
            .unwrap_or(0);
        for line in &self.lines {
            let mark = match line.outcome {
                Outcome::Agrees => "agrees",
                Outcome::Disagrees => "DISAGREES",
                Outcome::NotSupported => "not supported",
            };
            println!(
                "  {:<wide$}  {:<10} {:<12} {:<10} {:>6} ms  {mark:<13}  {}",
                line.name, line.language, line.expected, line.got, line.slowest_ms, line.remark
            );
        }
    }
}

/// Prints the sum; whether nothing disagrees.
pub(super) fn print_sum(reports: &[Report]) -> bool {
    let wide = reports
        .iter()
        .map(|report| report.path.chars().count())
        .max()
        .unwrap_or(0)
        .max(7);
    println!(
        "\n{:<wide$} {:>8} {:>10} {:>14}",
        "package", "agree", "disagree", "not supported"
    );
    let mut sums = [0; 3];
    for report in reports {
        let counts = [Outcome::Agrees, Outcome::Disagrees, Outcome::NotSupported]
            .map(|outcome| report.count(outcome));
        println!(
            "{:<wide$} {:>8} {:>10} {:>14}",
            report.path, counts[0], counts[1], counts[2]
        );
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    println!(
        "{:<wide$} {:>8} {:>10} {:>14}",
        "all", sums[0], sums[1], sums[2]
    );
    sums[1] == 0 && reports.iter().all(|report| report.unreadable.is_none())
}
