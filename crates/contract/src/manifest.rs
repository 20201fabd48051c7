//! The judging manifest: all that judging needs of one immutable version of a question, for one language.
//!
//! Made by question, carried inside the job, used by runner. Hidden tests appear as hashes only.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::Locale,
    id::{AccountId, QuestionId},
    job::SourceFile,
    language::Language,
};

/// What execute asks of question at each submit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which question.
    pub question: QuestionId,
    /// Its current version, from 1.
    pub version: u32,
    /// Its readable name in addresses.
    pub slug: String,
    /// Who may see submissions to it.
    pub teachers: Vec<AccountId>,
    /// The languages that it may be answered in.
    pub languages: Vec<Language>,
    /// How to judge it.
    pub judging: Judging,
    /// What a reviewer may know of it.
    pub statement: Statement,
}

/// How one version of a question is judged in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judging {
    /// Program or function.
    pub kind: QuestionKind,
    /// Limits before the language's time factor.
    pub limits: Limits,
    /// The language's share of time: the time limit is multiplied by it.
    pub time_factor: f64,
    /// How an answer is compared.
    pub checker: Checker,
    /// Whether later tests are run after one has failed.
    pub mode: JudgingMode,
    /// How much the learner is told.
    pub feedback: Feedback,
    /// The code around the learner's, if there is any: holds a line `{{code}}`, or imports the module `solution`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// In the order in which they are judged.
    pub tests: Vec<TestRef>,
    /// What groups of tests are worth, and on which others they depend. A group that is not named here has the sum of its
    /// tests' points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<TestGroup>,
}

impl Judging {
    /// What a time factor may be.
    pub const TIME_FACTORS: RangeInclusive<f64> = 0.1..=20.0;
}

/// How the tests of one group count together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestGroup {
    /// Its name, as its tests say it.
    pub name: String,
    /// How its tests' scores become its own.
    #[serde(default)]
    pub score: GroupScore,
    /// What it is worth. Absent: by `sum` the points of its tests together, by `min` the most points that one of them has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// Groups whose tests must all be accepted; else its own are skipped. They are judged before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Whether its further tests are run after one has failed; absent: as the question says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judging: Option<JudgingMode>,
}

/// How the scores of a group's tests become its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupScore {
    /// They are added up.
    #[default]
    Sum,
    /// The worst counts: all tests must be accepted for all points.
    Min,
}

/// Whether a question asks for a program or for a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// A program that reads standard input and writes standard output.
    Stdio,
    /// A function that a driver calls.
    Function,
}

impl QuestionKind {
    /// The word in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Function => "function",
        }
    }
}

/// What one run of a learner's program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Processor time in milliseconds, 1 to 60,000.
    #[schema(minimum = 1, maximum = 60_000)]
    pub time_ms: u32,
    /// Memory in kibibytes, 4,096 to 4,194,304.
    #[schema(minimum = 4_096, maximum = 4_194_304)]
    pub memory_kib: u32,
    /// Standard output in kibibytes, 1 to 65,536.
    #[schema(minimum = 1, maximum = 65_536)]
    pub output_kib: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 2_000,
            memory_kib: 262_144,
            output_kib: 8_192,
        }
    }
}

/// How an answer is compared with the expected one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Checker {
    /// Words equal, whatever stands between them.
    Tokens {
        /// Whether `Yes` and `yes` differ.
        #[serde(default = "yes")]
        case_sensitive: bool,
    },
    /// Lines equal, spaces at their ends and empty lines at the end of the file ignored.
    Lines {},
    /// Every byte equal.
    Exact {},
    /// Words equal but for capitals; where the expected word is a number, it may be off by the absolute or the relative
    /// tolerance.
    Float {
        /// Largest absolute difference.
        #[serde(default = "tolerance", alias = "absolute")]
        abs: f64,
        /// Largest difference as a share of the expected value.
        #[serde(default = "tolerance", alias = "relative")]
        rel: f64,
    },
    /// Lines equal in any order.
    Unordered {},
    /// A program of the question's own decides. It runs in the sandbox and is compiled once.
    Program {
        /// What it is written in.
        language: Language,
        /// Its files, the main one first, at most 1 MiB together.
        files: Vec<SourceFile>,
        /// How it is called and answers.
        #[serde(default)]
        protocol: CheckerProtocol,
        /// Arguments behind the protocol's own, for every test.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<String>,
        /// Whether it talks with the learner's program while that runs: each one's output is the other's input.
        #[serde(default)]
        interactive: bool,
        /// How often the learner's program may be run on one test: more than once where the checker writes `nextpass.in`.
        #[serde(default = "once")]
        #[schema(minimum = 1, maximum = 100)]
        passes: u32,
    },
}

/// How a checker program is called and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckerProtocol {
    /// An output validator of ICPC and Kattis: `checker input answer feedback_dir [args] < output`, ends with 42 (accepted)
    /// or 43 (wrong), may write `score.txt`, `score_multiplier.txt`, `teammessage.txt`, `judgemessage.txt`, `nextpass.in`.
    #[default]
    Kattis,
    /// A checker made with testlib: `checker input output answer [args]`, ends with 0 (accepted), 1 (wrong), 2, 4 or 8
    /// (presentation), 3 (its own failure) or 7 (points, told on standard error).
    Testlib,
}

fn once() -> u32 {
    1
}

impl Default for Checker {
    fn default() -> Self {
        Self::Tokens {
            case_sensitive: true,
        }
    }
}

fn yes() -> bool {
    true
}

fn tolerance() -> f64 {
    1e-6
}

/// Whether later tests are run after one has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgingMode {
    /// Every test is run.
    #[default]
    Full,
    /// Tests after the first failure are skipped.
    Lazy,
}

/// How much the learner is told of hidden tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feedback {
    /// Every test's verdict.
    #[default]
    Full,
    /// Hidden tests only as a whole.
    Samples,
    /// Nothing but that it was received.
    None,
}

/// One test, its bodies by hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestRef {
    /// Unique within the question.
    pub name: String,
    /// Whether learners may see it.
    #[serde(default)]
    pub sample: bool,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it is worth; where no test of a question has points, each counts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// Arguments of the learner's program on this test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Arguments of the checker program on this test, behind those for every test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checker_args: Vec<String>,
    /// What the program reads.
    pub input: BlobRef,
    /// What it should write.
    pub output: BlobRef,
}

/// Bytes by their hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Number of bytes.
    pub size: u64,
}

/// A question as a reviewer reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The language that it is written in: the one asked for if the question has it.
    pub locale: Locale,
    /// The question's title.
    pub title: String,
    /// Markdown.
    pub text: String,
}
