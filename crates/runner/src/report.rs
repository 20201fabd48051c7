//! What is told of one run: much of a sample, little of a hidden test.
//!
//! The only place that makes test results, so that what a hidden test reveals is decided once.

use contract::event::{Difference, RunOutput, TestDetail, TestResult};
use contract::manifest::TestRef;
use contract::verdict::{LimitHit, LimitKind, Verdict};
use sandbox::Outcome;

use crate::jury::{Ruling, Score};
use crate::lines::LineMap;
use crate::score::{Judged, rounded};
use crate::text::shown;
use crate::verdict::{Allowance, Ending, kib, millis};

/// Text of a sample that is shown.
pub(crate) const SAMPLE_BYTES: usize = 4 << 10;
/// Text of a run that is shown.
const RUN_BYTES: usize = 64 << 10;

/// One judged run with everything known of it.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) ending: Ending,
    /// What was measured and written.
    pub(crate) outcome: Outcome,
    /// What it deserves.
    pub(crate) verdict: Verdict,
    /// Where the answer first differs; filled for samples only.
    pub(crate) difference: Option<Difference>,
    /// Beginning of the input and of the expected output; filled for samples only.
    pub(crate) sample: Option<(Vec<u8>, Vec<u8>)>,
    /// What the question's own checker said.
    pub(crate) ruling: Option<Ruling>,
}

impl Finished {
    /// A run whose answer was not looked at yet.
    pub(crate) fn of(outcome: Outcome, allowance: &Allowance) -> Self {
        let ending = Ending::of(&outcome, allowance);
        Self {
            verdict: ending.verdict.unwrap_or(Verdict::Accepted),
            ending,
            outcome,
            difference: None,
            sample: None,
            ruling: None,
        }
    }

    /// What counts.
    pub(crate) fn judged(&self, test: Option<&TestRef>) -> Judged {
        Judged {
            score: self.score(test),
            verdict: self.verdict,
            time_ms: millis(self.outcome.cpu),
            memory_kib: kib(self.outcome.memory_bytes),
        }
    }

    /// Points that the question's own checker gave, where that is not all or nothing.
    fn score(&self, test: Option<&TestRef>) -> Option<f64> {
        if self.verdict != Verdict::Accepted {
            return None;
        }
        match self.ruling.as_ref()?.score? {
            Score::Points(points) => Some(points),
            Score::Share(share) => Some(share * test.and_then(|test| test.points).unwrap_or(1.0)),
        }
    }

    /// What was compared: results, where a driver reported some, else standard output.
    pub(crate) fn answer(outcome: &Outcome) -> &[u8] {
        if outcome.results.is_empty() {
            &outcome.stdout
        } else {
            &outcome.results
        }
    }

    /// The event of a test.
    pub(crate) fn test(mut self, index: u32, test: &TestRef, lines: &LineMap) -> TestResult {
        let score = self.score(Some(test));
        let (reason, message) = match self.ruling.take() {
            Some(ruling) => (ruling.reason, ruling.message),
            None => (None, None),
        };
        let mut result = TestResult {
            index,
            name: test.name.clone(),
            group: test.group.clone(),
            verdict: self.verdict,
            time_ms: millis(self.outcome.cpu),
            wall_ms: millis(self.outcome.wall),
            memory_kib: kib(self.outcome.memory_bytes),
            limit: self.ending.limit,
            score,
            reason,
            detail: None,
        };
        if !test.sample {
            conceal(&mut result);
            return result;
        }
        let (input, expected) = self.sample.unwrap_or_default();
        result.detail = Some(TestDetail {
            exit_code: self.ending.exit_code,
            signal: self.ending.signal,
            input: shown(&input, SAMPLE_BYTES),
            expected: shown(&expected, SAMPLE_BYTES),
            output: shown(Self::answer(&self.outcome), SAMPLE_BYTES),
            stderr: errors(&self.outcome, lines, SAMPLE_BYTES),
            difference: self.difference,
            message,
        });
        result
    }

    /// The event of a run: of a sample with its index and verdict, else of own input.
    pub(crate) fn output(self, index: Option<u32>, lines: &LineMap) -> RunOutput {
        let results = &self.outcome.results;
        RunOutput {
            index,
            verdict: index.map(|_| self.verdict),
            stdout: shown(&self.outcome.stdout, RUN_BYTES),
            stderr: errors(&self.outcome, lines, RUN_BYTES),
            result: (!results.is_empty()).then(|| shown(results, RUN_BYTES)),
            time_ms: millis(self.outcome.cpu),
            memory_kib: kib(self.outcome.memory_bytes),
            exit_code: self.ending.exit_code,
            signal: self.ending.signal,
            limit: self.ending.limit,
        }
    }
}

/// A test that lazy judging did not run.
pub(crate) fn skipped(index: u32, test: &TestRef) -> TestResult {
    TestResult {
        index,
        name: test.name.clone(),
        group: test.group.clone(),
        verdict: Verdict::Skipped,
        time_ms: 0,
        wall_ms: 0,
        memory_kib: 0,
        limit: None,
        score: None,
        reason: None,
        detail: None,
    }
}

/// A test of a question whose checker does not compile.
pub(crate) fn without_checker(index: u32, test: &TestRef) -> TestResult {
    TestResult {
        verdict: Verdict::InternalError,
        reason: Some("the question's checker does not compile".to_owned()),
        ..skipped(index, test)
    }
}

/// Rounds everything that was measured: exact figures would carry bits of the hidden input.
fn conceal(result: &mut TestResult) {
    result.time_ms = rounded(result.time_ms, 10);
    result.wall_ms = rounded(result.wall_ms, 10);
    result.memory_kib = rounded(result.memory_kib, 1024);
    if let Some(LimitHit {
        kind,
        measured: Some(measured),
        ..
    }) = &mut result.limit
    {
        let step = match kind {
            LimitKind::Memory => 1024,
            _ => 10,
        };
        *measured = rounded(*measured, step);
    }
}

/// Standard error in terms of the learner's lines. What the sandbox did not keep counts as cut.
fn errors(outcome: &Outcome, lines: &LineMap, limit: usize) -> String {
    let kept = String::from_utf8_lossy(&outcome.stderr);
    let mapped = lines.rewrite(&kept);
    let mut text = shown(mapped.as_bytes(), limit);
    if outcome.stderr_truncated && !text.ends_with(crate::text::CUT) {
        crate::text::mark_cut(&mut text);
    }
    text
}
