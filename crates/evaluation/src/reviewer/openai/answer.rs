//! What a model's answer must be: JSON objects, one finding each, then one summary. Each is checked before anybody sees it.
//!
//! Takes the text in pieces, cut anywhere, so that a finding can be shown while the next one is being written. Forgiving in
//! form (fences, prose between, pretty-printing, everything in one object), strict in content: lines exist, no solution is
//! given away. What fails is dropped and counted. Everything is bounded.

use contract::event::{Complexity, Finding, FindingKind, Severity};
use serde::Deserialize;

/// More remarks than this nobody reads.
const MOST_FINDINGS: usize = 12;

/// Longest message, summary or next step, in characters.
const LONGEST_MESSAGE: usize = 1_000;

/// Longest estimate such as `O(n log n)`, in characters.
const LONGEST_GROWTH: usize = 60;

/// Longest object, in bytes.
const LONGEST_OBJECT: usize = 16 << 10;

/// So many lines of code in a row are no hint any more.
const MOST_CODE_LINES: usize = 5;

/// Reads an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    lines: u32,
    objects: Objects,
    found: usize,
    dropped: usize,
    summary: Option<Summary>,
}

/// What the model says of the code as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) text: String,
    pub(crate) complexity: Option<Complexity>,
    pub(crate) next_step: Option<String>,
}

impl Answer {
    /// An answer about code of so many lines.
    pub(crate) fn new(lines: u32) -> Self {
        Self {
            lines,
            objects: Objects::default(),
            found: 0,
            dropped: 0,
            summary: None,
        }
    }

    /// Takes the next piece of text; the answer is the findings that it completed.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for object in self.objects.push(text) {
            match serde_json::from_str::<Object>(&object) {
                Ok(object) => self.take(object, &mut findings),
                Err(_) => self.dropped += 1,
            }
        }
        findings
    }

    /// The summary, once it has come.
    pub(crate) fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// How many objects were no findings that may be shown.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped + self.objects.dropped
    }

    fn take(&mut self, object: Object, findings: &mut Vec<Finding>) {
        match object {
            Object::Whole {
                findings: many,
                summary,
            } => {
                for finding in many {
                    self.take_finding(&finding, findings);
                }
                self.take_summary(summary);
            }
            Object::Finding(finding) => self.take_finding(&finding, findings),
            Object::Summary(summary) => self.take_summary(Some(summary)),
        }
    }

    fn take_finding(&mut self, raw: &RawFinding, findings: &mut Vec<Finding>) {
        // After the summary nothing more is expected.
        match checked(raw, self.lines) {
            Some(finding) if self.found < MOST_FINDINGS && self.summary.is_none() => {
                self.found += 1;
                findings.push(finding);
            }
            _ => self.dropped += 1,
        }
    }

    fn take_summary(&mut self, raw: Option<RawSummary>) {
        let Some(raw) = raw else { return };
        match allowed(&raw.summary) {
            Some(text) if self.summary.is_none() => {
                self.summary = Some(Summary {
                    text,
                    complexity: raw.complexity.and_then(growth),
                    next_step: raw.next_step.as_deref().and_then(allowed),
                });
            }
            _ => self.dropped += 1,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Object {
    Whole {
        findings: Vec<RawFinding>,
        #[serde(flatten)]
        summary: Option<RawSummary>,
    },
    Finding(RawFinding),
    Summary(RawSummary),
}

#[derive(Debug, Deserialize)]
struct RawFinding {
    line_start: u32,
    line_end: Option<u32>,
    kind: FindingKind,
    severity: Severity,
    message: String,
}

#[derive(Debug, Deserialize)]
struct RawSummary {
    summary: String,
    complexity: Option<RawComplexity>,
    next_step: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawComplexity {
    time: Option<String>,
    space: Option<String>,
}

fn checked(raw: &RawFinding, lines: u32) -> Option<Finding> {
    let line_end = raw.line_end.unwrap_or(raw.line_start);
    let exist = raw.line_start >= 1 && raw.line_start <= line_end && line_end <= lines;
    let message = allowed(&raw.message)?;
    exist.then_some(Finding {
        line_start: raw.line_start,
        line_end,
        kind: raw.kind,
        severity: raw.severity,
        message,
    })
}

fn growth(raw: RawComplexity) -> Option<Complexity> {
    let short = |text: Option<String>| {
        let text = clean(&text?);
        (!text.is_empty() && text.chars().count() <= LONGEST_GROWTH && !text.contains('\n'))
            .then_some(text)
    };
    Some(Complexity {
        time: short(raw.time)?,
        space: short(raw.space)?,
    })
}

/// The text as it may be shown; `None` when it is empty, too long or gives the solution away.
fn allowed(text: &str) -> Option<String> {
    let text = clean(text);
    let fits = !text.is_empty() && text.chars().count() <= LONGEST_MESSAGE;
    (fits && !gives_away(&text)).then_some(text)
}

/// Without signs that nobody sees, or that turn the direction of writing.
fn clean(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|&c| {
            let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            c == '\n' || !(c.is_control() || turns)
        })
        .collect();
    text.trim().to_owned()
}

/// Whether a text holds more than a hint: a fenced block, or many lines of code in a row.
fn gives_away(text: &str) -> bool {
    if text.contains("```") || text.contains("~~~") {
        return true;
    }
    let mut in_a_row = 0;
    text.lines().any(|line| {
        in_a_row = if is_code(line) { in_a_row + 1 } else { 0 };
        in_a_row > MOST_CODE_LINES
    })
}

fn is_code(line: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "#include", "import ", "from ", "def ", "class ", "fn ", "func ", "fun ", "let ", "const ",
        "var ", "int ", "long ", "for ", "for(", "while ", "while(", "if ", "if(", "elif ", "else",
        "return", "print", "public ", "static ", "using ",
    ];
    let line = line.trim();
    let assigns = line.contains(" = ") || line.contains(" += ");
    line.ends_with([';', '{', '}'])
        || assigns
        || BEGINNINGS.iter().any(|begin| line.starts_with(begin))
}

/// Finds whole JSON objects in text that comes in pieces.
#[derive(Debug, Default)]
struct Objects {
    /// The object that is open; empty between objects.
    open: String,
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// What follows the first brace has been seen and can be JSON.
    plausible: bool,
    dropped: usize,
}

impl Objects {
    fn push(&mut self, text: &str) -> Vec<String> {
        let mut whole = Vec::new();
        for sign in text.chars() {
            if let Some(object) = self.sign(sign) {
                whole.push(object);
            }
        }
        whole
    }

    fn sign(&mut self, sign: char) -> Option<String> {
        if self.depth == 0 {
            if sign == '{' {
                self.depth = 1;
                self.open.push(sign);
            }
            return None;
        }
        if !self.plausible && !sign.is_whitespace() {
            // Prose and code have braces too; an object goes on with a name.
            if sign != '"' {
                self.forget();
                return self.sign_between(sign);
            }
            self.plausible = true;
        }
        self.open.push(sign);
        if self.open.len() > LONGEST_OBJECT {
            self.dropped += 1;
            self.forget();
            return None;
        }
        match sign {
            _ if self.escaped => self.escaped = false,
            '\\' if self.in_text => self.escaped = true,
            '"' => self.in_text = !self.in_text,
            // JSON has no line ends in texts: this never was JSON.
            '\n' if self.in_text => {
                self.dropped += 1;
                self.forget();
            }
            '{' if !self.in_text => self.depth += 1,
            '}' if !self.in_text => {
                self.depth -= 1;
                if self.depth == 0 {
                    let object = std::mem::take(&mut self.open);
                    self.forget();
                    return Some(object);
                }
            }
            _ => {}
        }
        None
    }

    fn sign_between(&mut self, sign: char) -> Option<String> {
        (sign == '{').then(|| self.sign(sign)).flatten()
    }

    fn forget(&mut self) {
        *self = Self {
            dropped: self.dropped,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests;
