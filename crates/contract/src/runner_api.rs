//! What evaluation asks of a runner, and what it streams back.
//!
//! `POST /internal/judge` and `POST /internal/run` answer with `application/x-ndjson`: one [`RunnerEvent`] a line, in order;
//! the last one is [`RunnerEvent::Finished`] or [`RunnerEvent::Failed`]. A stream that ends without either was cut.

use serde::{Deserialize, Serialize};

use crate::{
    event::{Compiled, FinalVerdict, RunOutput, TestResult},
    job::SourceFile,
    language::Language,
    manifest::Judging,
};

/// Compile once, run every test, compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeRequest {
    /// The code's language.
    pub language: Language,
    /// The learner's code, the main file first.
    pub files: Vec<SourceFile>,
    /// Limits, checker, driver, tests.
    pub judging: Judging,
    /// Whether to answer with what the program wrote ([`RunnerEvent::Output`]) instead of tests: a run on samples.
    #[serde(default)]
    pub show_output: bool,
    /// Where the tests' bodies are; absent where there is no test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blobs: Option<BlobSource>,
}

/// Where blobs come from: `GET {url}/internal/blobs/{sha256}` with a token that opens it as Bearer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobSource {
    /// Base address of the question service.
    pub url: String,
    /// Together they open just the blobs of this job; ordered by `first`.
    pub tokens: Vec<BlobToken>,
}

/// Opens a run of a job's blobs, in the order of their hashes: one token for thousands would not fit into a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobToken {
    /// The lowest hash that it opens; the next token's is above all that it opens.
    pub first: String,
    /// Shown as Bearer.
    pub token: String,
}

impl BlobSource {
    /// The token that opens this blob, if it is one of the job's.
    pub fn token(&self, sha256: &str) -> Option<&str> {
        let opening = self
            .tokens
            .iter()
            .rfind(|token| token.first.as_str() <= sha256);
        opening.map(|token| token.token.as_str())
    }
}

/// Compile, and run once with this input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The code's language.
    pub language: Language,
    /// The learner's code, the main file first.
    pub files: Vec<SourceFile>,
    /// Limits and driver; its tests are not looked at.
    pub judging: Judging,
    /// What the program reads.
    pub stdin: String,
}

/// One line of a runner's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum RunnerEvent {
    /// The code was compiled, or was not.
    Compiled(Compiled),
    /// One test, in order of index.
    Test(TestResult),
    /// What a run wrote.
    Output(RunOutput),
    /// The verdict; the last line.
    Finished(FinalVerdict),
    /// Judging could not be done; the last line.
    Failed(RunnerFailure),
}

/// Why a runner could not judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerFailure {
    /// A stable word: `unsupported_language`, `blob_unavailable`, `sandbox`, `internal`.
    pub reason: String,
    /// What happened, for the operator.
    pub message: String,
    /// Whether another try may succeed.
    pub retryable: bool,
}

/// `GET /internal/config`: what is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerConfig {
    /// Which cgroups hold the limits: `cgroup_v2`, `hybrid` or `none`.
    pub backend: String,
    /// The sandbox's own report.
    pub sandbox: serde_json::Value,
    /// Programs that can run at once.
    pub slots: usize,
    /// Judgements taken at once; more are answered 503.
    pub jobs: usize,
    /// Languages that are not installed, each with the reason.
    pub absent: Vec<AbsentLanguage>,
}

/// A language that this runner has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentLanguage {
    /// Its id.
    pub id: Language,
    /// What is missing.
    pub reason: String,
}
