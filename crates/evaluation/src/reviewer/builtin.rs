//! The built-in reviewer: static rules over the compiler's messages, the verdict and the code, for where no language model
//! is configured. Says `builtin` of itself and never pretends to understand the code.

mod loops;
mod messages;
mod rules;
mod source;

use contract::{
    Verdict,
    event::{Finding, FindingKind, ReviewDone, Severity},
    job::ReviewJob,
};

use crate::{
    reviewer::Review,
    texts::{Passed, Phrase},
};

/// More remarks than this nobody reads.
const MOST_FINDINGS: usize = 8;

/// Reviews by rules alone: the same job gives the same review.
pub(crate) fn review(job: &ReviewJob) -> Review {
    let code = job.files.first().map_or("", |file| file.content.as_str());
    let lines = code.lines().count().max(1);
    let locale = job.context.locale;
    let mut findings = Vec::new();
    for remark in remarks(job, code) {
        let last = remark.last.min(lines);
        let finding = Finding {
            line_start: line_number(remark.first.min(last)),
            line_end: line_number(last),
            kind: remark.kind,
            severity: remark.severity,
            message: remark.phrase.to_text(locale),
        };
        if findings.len() < MOST_FINDINGS && !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let passed = Passed {
        passed: job.verdict.passed,
        total: job.verdict.total,
    };
    Review {
        done: ReviewDone {
            summary: Phrase::Summary(job.verdict.verdict, passed).to_text(locale),
            complexity: None,
            next_step: Some(Phrase::NextStep(job.verdict.verdict).to_text(locale)),
            findings: u32::try_from(findings.len()).unwrap_or(0),
            tokens: None,
        },
        findings,
    }
}

/// A remark before it is put into words.
#[derive(Debug)]
struct Remark<'a> {
    first: usize,
    last: usize,
    kind: FindingKind,
    severity: Severity,
    phrase: Phrase<'a>,
}

impl<'a> Remark<'a> {
    fn new(line: usize, kind: FindingKind, severity: Severity, phrase: Phrase<'a>) -> Self {
        Self {
            first: line,
            last: line,
            kind,
            severity,
            phrase,
        }
    }

    fn on_all(lines: usize, kind: FindingKind, severity: Severity, phrase: Phrase<'a>) -> Self {
        Self {
            last: lines,
            ..Self::new(1, kind, severity, phrase)
        }
    }
}

/// What matters most first.
fn remarks<'a>(job: &'a ReviewJob, code: &str) -> Vec<Remark<'a>> {
    let log = job.compiled.as_ref().map_or("", |compiled| &compiled.log);
    let source = source::Source::new(job.language, code);
    let mut remarks = Vec::new();
    if job.verdict.verdict == Verdict::CompileError {
        remarks.extend(messages::compiler_errors(log));
        return remarks;
    }
    remarks.extend(rules::from_verdict(job, &source, code.lines().count()));
    remarks.extend(messages::compiler_warnings(log));
    remarks.extend(rules::from_code(job, &source));
    remarks
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line.max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests;
