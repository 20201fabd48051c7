//! One change of a question, from the lock to the history.
//!
//! ```text
//! begin: lock the row ─ may they? ─ is it the revision they saw?  →  change  →  finish: history, commit
//! ```
//! All in one transaction: of two who change at once the second waits, and sees the first one's revision. Dropped before
//! `finish`, nothing has happened.

use contract::Account;
use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    error::QuestionError,
    etag::IfMatch,
    state::AppState,
    store::{self, Key, Locked, Viewer},
};

/// What was done, as the history calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Created,
    Cloned,
    Changed,
    TestsChanged,
    TeachersChanged,
    Published,
    Archived,
    Restored,
    Deleted,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Cloned => "cloned",
            Self::Changed => "changed",
            Self::TestsChanged => "tests_changed",
            Self::TeachersChanged => "teachers_changed",
            Self::Published => "published",
            Self::Archived => "archived",
            Self::Restored => "restored",
            Self::Deleted => "deleted",
        }
    }
}

/// A change under way.
#[derive(Debug)]
pub(crate) struct Edit {
    /// The question as it was when it was locked.
    pub(crate) question: Locked,
    transaction: Transaction<'static, Postgres>,
    account: Account,
}

impl Edit {
    /// Locks the question for its teachers and admins; for anybody else there is none.
    pub(crate) async fn begin(
        state: &AppState,
        key: &Key,
        account: &Account,
        if_match: &IfMatch,
    ) -> Result<Self, QuestionError> {
        let mut transaction = state.pool.begin().await?;
        let question = store::lock_for_change(&mut transaction, key, Viewer::from(account))
            .await?
            .ok_or(QuestionError::NotFound("question"))?;
        if !if_match.permits(question.revision) {
            return Err(QuestionError::PreconditionFailed);
        }
        Ok(Self {
            question,
            transaction,
            account: account.clone(),
        })
    }

    /// As [`Edit::begin`], for changes that need `If-Match`.
    pub(crate) async fn begin_exact(
        state: &AppState,
        key: &Key,
        account: &Account,
        if_match: &IfMatch,
    ) -> Result<Self, QuestionError> {
        // Whether it is theirs is decided first: others are told nothing of what would be needed.
        let edit = Self::begin(state, key, account, if_match).await?;
        if *if_match == IfMatch::Absent {
            return Err(QuestionError::PreconditionRequired);
        }
        Ok(edit)
    }

    /// Where the change is made.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Writes the history and makes the change true. The answer is the revision.
    pub(crate) async fn finish(
        mut self,
        revision: i64,
        action: Action,
        detail: Value,
    ) -> Result<i64, QuestionError> {
        let id = self.question.id();
        store::insert_change(
            &mut self.transaction,
            id,
            revision,
            action.as_str(),
            &detail,
            &self.account,
        )
        .await?;
        self.transaction.commit().await?;
        tracing::info!(question = %id, revision, action = action.as_str(), account = %self.account.id, "question {id} changed");
        Ok(revision)
    }
}
