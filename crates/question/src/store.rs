//! All SQL of this service, in its own schema `question`.
//!
//! Who may see or change what is decided here, in the statement that reads: what a viewer may not see is not found. Versions
//! are only ever inserted (triggers refuse all else). Reads take any executor, writes the connection of a transaction.

mod blob;
mod history;
mod listing;
mod progress;
mod question;
mod test_set;
mod verification;
mod version;

use contract::{AccountId, QuestionId, Role};
use sqlx::migrate::Migrator;

use crate::rules::is_slug;

pub use blob::named_blobs;
pub(crate) use history::{ChangeRow, insert_change, list_changes};
pub(crate) use listing::{Filter, ListedRow, Status, list};
pub(crate) use progress::advance;
pub(crate) use question::{
    Locked, Visible, delete, find_visible, insert, list_teachers, lock_for_change,
    replace_teachers, save_draft, set_archived, slug_exists, touch,
};
pub(crate) use test_set::{
    delete_all_tests, delete_test, find_test, list_tests, list_version_tests, replace_tests,
    save_test,
};
pub(crate) use verification::{
    Verification, insert_verification, keep_outcome, latest_verification,
};
pub(crate) use version::{find_published, insert_version};

/// The migrations of schema `question`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/question");

/// How an address names a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// By its id.
    Id(QuestionId),
    /// By its readable name.
    Slug(String),
}

impl Key {
    /// What stands in the address; a slug is never the text of an id. Anything else names nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) => is_slug(text).then(|| Self::Slug(text.to_owned())),
        }
    }

    fn id(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Id(id) => Some(id.0),
            Self::Slug(_) => None,
        }
    }

    fn slug(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Slug(slug) => Some(slug),
        }
    }
}

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewer {
    /// Whose eyes.
    pub(crate) account: AccountId,
    /// What they may see.
    pub(crate) role: Role,
}

impl Viewer {
    fn is_admin(self) -> bool {
        self.role == Role::Admin
    }

    fn is_teacher(self) -> bool {
        self.role >= Role::Teacher
    }
}
