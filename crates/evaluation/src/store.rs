//! All SQL of evaluation: claims of jobs, and the reviewer's cache and budget.
//!
//! Free functions, one statement each; every time in them is Postgres' `now()`, never this process's clock. Never stores a
//! learner's code: what a redelivered job needs again, it brings along.

mod audit;
mod claim;
mod review;

pub(crate) use audit::{judged_in as audit_judged_in, minutes as audit_minutes};
pub(crate) use claim::{
    Claim, Mine, NewClaim, ReviewFacts, Stored, finish, forget_finals, is_over, release, renew,
    take,
};
pub(crate) use review::{
    Call, cached_answer, forget_answers, forget_budgets, keep_answer, start_call,
};

use contract::SubmissionId;
use sqlx::migrate::Migrator;

/// The tables of evaluation, in the schema `evaluation`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/evaluation");

/// Names a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct JobKey {
    pub(crate) submission: SubmissionId,
    pub(crate) judgement: u32,
    pub(crate) stage: Stage,
}

/// The two things that are done to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Judge,
    Review,
}

impl Stage {
    /// The word in SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Review => "review",
        }
    }
}

/// What kind of work a job is, for the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Submission,
    Run,
    Batch,
}

impl Kind {
    /// The word in SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Run => "run",
            Self::Batch => "batch",
        }
    }
}

/// Judgements and attempts are counted from 1 in steps of 1: they never leave the range of SQL's `integer`.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The table's checks keep them above zero.
fn counted(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests;
