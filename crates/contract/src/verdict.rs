//! Verdicts, and which limit stood behind one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of one test, or of a whole submission (then: of its lowest-numbered test that is not [`Verdict::Accepted`]).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Verdict {
    /// The answer is right.
    #[serde(rename = "AC")]
    Accepted,
    /// The answer is wrong.
    #[serde(rename = "WA")]
    WrongAnswer,
    /// The answer's form is wrong.
    #[serde(rename = "PE")]
    PresentationError,
    /// Processor time or time on the clock ran out.
    #[serde(rename = "TLE")]
    TimeLimit,
    /// Memory ran out.
    #[serde(rename = "MLE")]
    MemoryLimit,
    /// It wrote too much.
    #[serde(rename = "OLE")]
    OutputLimit,
    /// It crashed, was killed by a signal or ended with a code other than zero.
    #[serde(rename = "RE")]
    RuntimeError,
    /// It did not compile.
    #[serde(rename = "CE")]
    CompileError,
    /// The question's own checker or driver failed.
    #[serde(rename = "IE")]
    InternalError,
    /// Lazy judging did not run this test.
    #[serde(rename = "SK")]
    Skipped,
}

impl Verdict {
    const ALL: [Self; 10] = [
        Self::Accepted,
        Self::WrongAnswer,
        Self::PresentationError,
        Self::TimeLimit,
        Self::MemoryLimit,
        Self::OutputLimit,
        Self::RuntimeError,
        Self::CompileError,
        Self::InternalError,
        Self::Skipped,
    ];

    /// The abbreviation in JSON, SQL and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "AC",
            Self::WrongAnswer => "WA",
            Self::PresentationError => "PE",
            Self::TimeLimit => "TLE",
            Self::MemoryLimit => "MLE",
            Self::OutputLimit => "OLE",
            Self::RuntimeError => "RE",
            Self::CompileError => "CE",
            Self::InternalError => "IE",
            Self::Skipped => "SK",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such verdict.
#[derive(Debug, thiserror::Error)]
#[error("there is no verdict {0:?}; one of AC WA PE TLE MLE OLE RE CE IE SK is expected")]
pub struct UnknownVerdict(String);

impl FromStr for Verdict {
    type Err = UnknownVerdict;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or_else(|| UnknownVerdict(text.to_owned()))
    }
}

/// The limit that ended a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitHit {
    /// Which one.
    pub kind: LimitKind,
    /// The limit in force: milliseconds for times, kibibytes for sizes, a number for processes.
    pub value: u64,
    /// What was measured, in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<u64>,
}

/// What can be limited.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Processor time of all its processes, in milliseconds.
    Cpu,
    /// Time on the clock, in milliseconds.
    Wall,
    /// Memory of all its processes, in kibibytes.
    Memory,
    /// Standard output, in kibibytes.
    Output,
    /// Processes and threads at once.
    Processes,
    /// The size of a file, in kibibytes.
    FileSize,
}
