//! Stream events: what a learner's stream shows, as it is carried by Kafka, kept in the log and written to SSE.
//!
//! An event is named by its [`EventKey`]; its order is the order of the keys. What may be shown when is decided by
//! [`crate::fold`] alone.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    id::{QuestionId, SubmissionId},
    language::Language,
    verdict::{LimitHit, Verdict},
};

/// The attempt in which execute alone writes: it comes after every attempt of a worker.
pub const LAST_ATTEMPT: u32 = i32::MAX as u32;

/// Names one event of a submission. Whole numbers, compared in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// Which judging of the submission: 1 for the first, more for rejudges.
    pub judgement: u32,
    /// Which claim of a job: 0 for the receipt, from 1 for workers, [`LAST_ATTEMPT`] for execute's own end.
    pub attempt: u32,
    /// From 1, without a gap, within the attempt.
    pub seq: u32,
}

impl EventKey {
    /// The receipt's key.
    pub const ACCEPTED: Self = Self {
        judgement: 1,
        attempt: 0,
        seq: 1,
    };

    /// The next one of the same attempt.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            seq: self.seq + 1,
            ..self
        }
    }
}

/// The form of an SSE `id:`, such as `1.2.7`.
impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.judgement, self.attempt, self.seq)
    }
}

/// A text that is no event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an event")]
pub struct BadEventKey;

impl FromStr for EventKey {
    type Err = BadEventKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.').map(|part| {
            let plain = part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        });
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(judgement)), Some(Some(attempt)), Some(Some(seq)), None) => Ok(Self {
                judgement,
                attempt,
                seq,
            }),
            _ => Err(BadEventKey),
        }
    }
}

/// One event of a submission's stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamEvent {
    /// Whose stream.
    pub submission: SubmissionId,
    /// Its name and place.
    #[serde(flatten)]
    pub key: EventKey,
    /// What must have been shown before the first event of this attempt; `None` on it: the attempt begins anew.
    /// Absent on all but an attempt's first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<EventKey>,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened, with its data: the SSE event's name and its `data:`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", content = "data")]
pub enum EventBody {
    /// The receipt.
    #[serde(rename = "accepted")]
    Accepted(Accepted),
    /// A worker began; a client that sees it again begins its list of tests anew.
    #[serde(rename = "judging")]
    Judging(JudgingStarted),
    /// The code was compiled, or was not.
    #[serde(rename = "compiled")]
    Compiled(Compiled),
    /// One test was judged.
    #[serde(rename = "test")]
    Test(TestResult),
    /// One run ended.
    #[serde(rename = "output")]
    Output(RunOutput),
    /// The submission's verdict.
    #[serde(rename = "verdict")]
    Verdict(FinalVerdict),
    /// A review began; a client that sees it again begins the review anew.
    #[serde(rename = "review.started")]
    ReviewStarted(ReviewStarted),
    /// One remark of the review.
    #[serde(rename = "review.finding")]
    ReviewFinding(Finding),
    /// The review is whole.
    #[serde(rename = "review.done")]
    ReviewDone(ReviewDone),
    /// There is no review.
    #[serde(rename = "review.skipped")]
    ReviewSkipped(ReviewSkipped),
    /// The end, all being well.
    #[serde(rename = "done")]
    Done(Done),
    /// The end before any verdict: ours or the owner's doing, never the code's.
    #[serde(rename = "failed")]
    Failed(Failed),
}

impl EventBody {
    /// The SSE event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Judging(_) => "judging",
            Self::Compiled(_) => "compiled",
            Self::Test(_) => "test",
            Self::Output(_) => "output",
            Self::Verdict(_) => "verdict",
            Self::ReviewStarted(_) => "review.started",
            Self::ReviewFinding(_) => "review.finding",
            Self::ReviewDone(_) => "review.done",
            Self::ReviewSkipped(_) => "review.skipped",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing follows.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// The receipt of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    pub submission: SubmissionId,
    /// The question answered; absent for a run without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
    /// The question's version that judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The code's language.
    pub language: Language,
    /// The time that counts.
    #[serde(with = "time::serde::rfc3339")]
    pub accepted_at: OffsetDateTime,
}

/// The start of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JudgingStarted {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// How many tests there are.
    pub tests: u32,
}

/// What the compiler said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compiled {
    /// Whether there is a program.
    pub ok: bool,
    /// Whether it was compiled before.
    pub cached: bool,
    /// Time on the clock, in milliseconds.
    pub time_ms: u64,
    /// The compiler's messages, cut to 64 KiB; lines of the learner's file read `<solution>:line`.
    pub log: String,
}

/// What became of one test. Of hidden tests only verdict, limit, rounded time and rounded memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    /// From 1, in the question's order.
    pub index: u32,
    /// The test's name.
    pub name: String,
    /// The test's group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Processor time in milliseconds; of hidden tests rounded to 10.
    pub time_ms: u64,
    /// Time on the clock in milliseconds; of hidden tests rounded to 10.
    pub wall_ms: u64,
    /// Peak memory in kibibytes; of hidden tests rounded to 1,024.
    pub memory_kib: u64,
    /// The limit that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitHit>,
    /// Points reached, where the question's own checker gives a share of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Of `IE`: what went wrong with the question's own checker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For samples only.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = PerhapsDetail)]
    pub detail: Option<TestDetail>,
}

/// What a learner may know of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestDetail {
    /// The code that the program ended with; absent when a signal or a limit ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it, by name (`SIGSEGV`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// What it read, cut at 4 KiB.
    pub input: Text,
    /// What was expected, cut at 4 KiB.
    pub expected: Text,
    /// What it wrote, cut at 4 KiB.
    pub output: Text,
    /// Its standard error, cut at 4 KiB.
    pub stderr: Text,
    /// Where the answer first differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// What the question's own checker says to the learner, cut at 4 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
}

/// [`TestDetail`] as the document tells of it: its fields lie in the test's own object, where those of a hidden test are absent,
/// so none is required.
struct PerhapsDetail;

impl PartialSchema for PerhapsDetail {
    fn schema() -> RefOr<Schema> {
        let mut schema = TestDetail::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.description =
                Some("What a learner may know of a sample; absent elsewhere.".to_owned());
        }
        schema
    }
}

impl ToSchema for PerhapsDetail {
    fn name() -> Cow<'static, str> {
        TestDetail::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        TestDetail::schemas(schemas);
    }
}

/// Text of a program, perhaps cut; then it ends with `… (cut)` on a line of its own.
pub type Text = String;

/// Where an answer first differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Line of the output, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What was expected there; empty at the end of the output.
    pub expected: String,
    /// What was there; empty at the end of the output.
    pub got: String,
}

/// What a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunOutput {
    /// The sample that was run, from 1; absent with own input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Whether the sample's answer was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What it wrote, cut at 64 KiB.
    pub stdout: Text,
    /// Its standard error, cut at 64 KiB.
    pub stderr: Text,
    /// What the function returned, where a driver reported it apart from standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Text>,
    /// Processor time in milliseconds.
    pub time_ms: u64,
    /// Peak memory in kibibytes.
    pub memory_kib: u64,
    /// The code that it ended with; absent when a signal or a limit ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// The limit that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitHit>,
}

/// The verdict of a submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FinalVerdict {
    /// That of the lowest-numbered test that is not accepted.
    pub verdict: Verdict,
    /// Points reached.
    pub score: f64,
    /// Points that could be reached.
    pub max_score: f64,
    /// Tests passed.
    pub passed: u32,
    /// Tests there are.
    pub total: u32,
    /// The largest processor time of a test, in milliseconds.
    pub time_ms: u64,
    /// The largest peak memory of a test, in kibibytes.
    pub memory_kib: u64,
    /// Points of each group, where there are groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupResult>>,
}

/// What became of a group of tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupResult {
    /// The group's name.
    pub name: String,
    /// That of its lowest-numbered test that is not accepted.
    pub verdict: Verdict,
    /// Points reached.
    pub score: f64,
    /// Points that could be reached.
    pub max_score: f64,
}

/// Who reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewStarted {
    /// `builtin` for our own rules, `openai` for a language model.
    pub reviewer: String,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// One remark on lines of the learner's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// First line, from 1.
    pub line_start: u32,
    /// Last line, not before the first.
    pub line_end: u32,
    /// What it is about.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// A hint in the learner's language; never a solution.
    pub message: String,
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FindingKind {
    Bug,
    EdgeCase,
    Complexity,
    Readability,
    Style,
    Praise,
}

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The code is wrong because of it.
    Essential,
    /// The code would be better without it.
    Actionable,
    /// Good to know.
    Informative,
}

/// The review as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewDone {
    /// A few sentences in the learner's language.
    pub summary: String,
    /// Growth of time and space, such as `O(n log n)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    /// What to try next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// How many remarks there were.
    pub findings: u32,
    /// What the model counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

/// Growth with the size of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Complexity {
    /// Of time.
    pub time: String,
    /// Of space.
    pub space: String,
}

/// Tokens of a language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// Read.
    pub prompt: u64,
    /// Written.
    pub completion: u64,
}

/// Why there is no review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewSkipped {
    /// A stable word: `off`, `unavailable`, `timeout`, `refused`, `invalid_answer`, `interrupted`, `budget`, `deadline`, `retries`, `cancelled`.
    pub reason: String,
}

/// Nothing more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Done {}

/// Why a submission ended without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failed {
    /// A stable word: `deadline`, `retries`, `cancelled`, `unsupported_language`, `internal`.
    pub reason: String,
    /// What to do, for people.
    pub message: String,
    /// Whether submitting it again may help.
    pub retryable: bool,
}
