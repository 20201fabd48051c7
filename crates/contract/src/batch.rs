//! Verifications: what question hands execute, and what comes of it.
//!
//! Execute judges each stored solution of a frozen candidate on the bulk topic. Question asks for what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::Locale,
    id::{AccountId, BatchId, QuestionId},
    language::Language,
    manifest::Judging,
    verdict::Verdict,
};

/// `POST /internal/batches`, asked with the account's token: judge the solutions of a candidate. Sent again with the same id it
/// changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerificationRequest {
    /// The batch.
    pub id: BatchId,
    /// Whose solutions.
    pub question: QuestionId,
    /// The version that the candidate would become.
    pub version: u32,
    /// The question's readable name in addresses.
    pub slug: String,
    /// Its titles.
    pub titles: BTreeMap<Locale, String>,
    /// Who may see it.
    pub teachers: Vec<AccountId>,
    /// How each language is judged.
    pub judgings: BTreeMap<Language, Judging>,
    /// In the question's order.
    pub solutions: Vec<SolutionToJudge>,
}

/// A program whose verdict is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SolutionToJudge {
    /// What it is written in.
    pub language: Language,
    /// Its text.
    pub code: String,
    /// What judging it must say.
    pub expect: Verdict,
}

/// `GET /internal/batches/{id}/solutions`: what came of a verification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerificationOutcome {
    /// Whether every solution was judged, or never will be.
    pub complete: bool,
    /// In the question's order.
    pub solutions: Vec<SolutionOutcome>,
}

/// `GET /internal/batches/{id}/events[?after=…]`, asked with the account's token: what is new in a batch's stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamPart {
    /// In order; at most a few hundred at a time.
    pub events: Vec<PartEvent>,
    /// Whether nothing more will come.
    pub end: bool,
}

/// One event of such a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartEvent {
    /// Where to go on from; `None` for what is not replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub event: String,
    /// What it says.
    pub data: serde_json::Value,
}

/// What came of one solution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SolutionOutcome {
    /// Its place among the question's solutions, from 1.
    pub solution: u32,
    /// What it is written in.
    pub language: Language,
    /// What judging it must say.
    pub expect: Verdict,
    /// What it said; absent while it is judged, and where it ended without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it ended without a verdict, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the compiler said, where there is no program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// Test by test, as far as they were judged.
    pub tests: Vec<SolutionTest>,
}

/// What became of one test of a solution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SolutionTest {
    /// The test's name.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Processor time in milliseconds; of hidden tests rounded to 10.
    pub time_ms: u64,
    /// Peak memory in kibibytes; of hidden tests rounded to 1,024.
    pub memory_kib: u64,
}
