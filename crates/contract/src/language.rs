//! Programming languages by id. How they are compiled and run is the runner's knowledge, not ours.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language that code can be submitted in. Which ones the runners really have, they say themselves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    C,
    Cpp,
    Java,
    Python,
    Pypy,
    Javascript,
    Typescript,
    Go,
    Rust,
    Kotlin,
}

impl Language {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 10] = [
        Self::C,
        Self::Cpp,
        Self::Java,
        Self::Python,
        Self::Pypy,
        Self::Javascript,
        Self::Typescript,
        Self::Go,
        Self::Rust,
        Self::Kotlin,
    ];

    /// The id in JSON, SQL and paths.
    pub fn id(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Java => "java",
            Self::Python => "python",
            Self::Pypy => "pypy",
            Self::Javascript => "javascript",
            Self::Typescript => "typescript",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Kotlin => "kotlin",
        }
    }

    /// How much more time than the question's limit a program gets, where the question does not say.
    pub fn default_time_factor(self) -> f64 {
        match self {
            Self::C | Self::Cpp | Self::Go | Self::Rust => 1.0,
            Self::Java | Self::Kotlin | Self::Javascript | Self::Typescript | Self::Pypy => 2.0,
            Self::Python => 3.0,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// There is no language of that id.
#[derive(Debug, thiserror::Error)]
#[error("there is no language {0:?}")]
pub struct UnknownLanguage(String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|language| language.id() == text)
            .ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// What the runners have of a language: an entry of `GET /languages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstalledLanguage {
    /// Its id.
    pub id: Language,
    /// Its name for people, such as `C++ 20`.
    pub name: String,
    /// The toolchain's version, such as `gcc 12.2.0`.
    pub version: String,
    /// File extensions without the dot, the usual one first.
    pub extensions: Vec<String>,
    /// How code is compiled, for people to read; `null` where nothing is.
    #[serde(default)]
    pub compile: Option<String>,
    /// How the program is run, for people to read.
    pub run: String,
    /// A small program that reads and writes, to begin from.
    pub template: String,
}
