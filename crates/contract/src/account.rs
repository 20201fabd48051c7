//! Who is asking: what a service token says of the person behind a request.
//!
//! The gateway alone turns a user's credential into this; no other service ever sees the credential.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::AccountId;

/// The person on whose behalf a request is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Whose account.
    pub id: AccountId,
    /// What the person may do.
    pub role: Role,
    /// The language that the person reads.
    pub locale: Locale,
    /// The name that others see.
    pub name: String,
}

/// What a person may do; each role may do all that the ones before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads published questions, submits and runs code.
    Learner,
    /// Makes questions and sees the submissions to them.
    Teacher,
    /// May do whatever any teacher may, manages accounts.
    Admin,
}

impl Role {
    /// The word for it in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Teacher => "teacher",
            Self::Admin => "admin",
        }
    }

    /// The role of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Learner, Self::Teacher, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// A language that people read: statements, messages and reviews come in it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Korean.
    Ko,
    /// English.
    #[default]
    En,
}

impl Locale {
    /// The language tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// The locale of that language tag, region ignored (`ko-KR` is Korean).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or(tag);
        [Self::Ko, Self::En]
            .into_iter()
            .find(|locale| locale.as_str().eq_ignore_ascii_case(language))
    }
}
