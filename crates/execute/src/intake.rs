//! What may be handed in: the bodies of `POST /submissions` and `POST /runs`, and the rules that they must obey.
//!
//! A body that passes becomes a [`Draft`]; nothing behind it checks again. Pure: never asks who, or whether there is such a
//! question.

use contract::{Language, job::SourceFile};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Most code that a submission may have, in bytes over all its files.
pub(crate) const MAX_CODE_BYTES: usize = 64 << 10;

/// Most input that a run may have, in bytes.
pub(crate) const MAX_STDIN_BYTES: usize = 64 << 10;

/// Most files that a submission may have.
const MAX_FILES: usize = 16;

/// What JSON may make of code and input at worst: six bytes a byte, and some around.
pub(crate) const MAX_BODY_BYTES: usize = 6 * (MAX_CODE_BYTES + MAX_STDIN_BYTES) + (16 << 10);

/// The body of `POST /submissions`: `code`, or `files` with the main one first.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmissionBody {
    /// The question's id or slug.
    pub question: String,
    /// The language of the code.
    pub language: Language,
    /// The code, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The code in several files, together at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<SourceFile>>,
}

/// The body of `POST /runs`: on input of one's own, or on a question's samples.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunBody {
    /// The language of the code.
    pub language: Language,
    /// The code, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The code in several files, together at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<SourceFile>>,
    /// What the program reads, at most 64 KiB; for a function question one JSON value a line, a parameter each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// The question whose limits and driver are used; its id or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Run on the question's samples in place of `stdin`.
    #[serde(default)]
    pub samples: bool,
}

/// A body that obeys the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) wish: Wish,
    /// Id or slug.
    pub(crate) question: Option<String>,
    pub(crate) language: Language,
    /// The main one first; never empty.
    pub(crate) files: Vec<SourceFile>,
    /// Equal for equal requests, however they are spelled.
    pub(crate) fingerprint: [u8; 32],
}

/// What is to be done with the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Judge,
    Samples,
    Run { stdin: String },
}

impl Wish {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Judge => Kind::Submission,
            Self::Samples | Self::Run { .. } => Kind::Run,
        }
    }
}

/// The two things that are accepted, each on a route of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Judged on the question's tests, kept.
    Submission,
    /// Run on samples or own input, forgotten after an hour.
    Run,
    /// A stored solution of a question: nothing that anybody hands in.
    Solution,
}

impl Kind {
    /// The word in JSON and SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Run => "run",
            Self::Solution => "solution",
        }
    }

    /// Where it is found below `/api/v1`.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Submission | Self::Solution => "submissions",
            Self::Run => "runs",
        }
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Something is longer than it may be.
    TooLarge {
        what: &'static str,
        limit: usize,
        fault: Fault,
    },
    /// It makes no sense as it is.
    Invalid(Fault),
    /// There cannot be such a question.
    NoSuchQuestion,
}

/// What is wrong with one place of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A JSON pointer.
    pub(crate) pointer: String,
    /// A stable word.
    pub(crate) code: &'static str,
    /// What to do.
    pub(crate) message: String,
}

fn invalid(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::Invalid(Fault {
        pointer: pointer.into(),
        code,
        message: message.into(),
    })
}

fn too_large(what: &'static str, limit: usize, pointer: &str) -> Refusal {
    Refusal::TooLarge {
        what,
        limit,
        fault: Fault {
            pointer: pointer.to_owned(),
            code: "too_long",
            message: format!("at most {limit} bytes are taken"),
        },
    }
}

impl SubmissionBody {
    /// Checks it.
    pub(crate) fn parse(self) -> Result<Draft, Refusal> {
        let fingerprint = fingerprint(&self);
        let question = question(self.question)?;
        Ok(Draft {
            wish: Wish::Judge,
            question: Some(question),
            language: self.language,
            files: files(self.language, self.code, self.files)?,
            fingerprint,
        })
    }
}

impl RunBody {
    /// Checks it.
    pub(crate) fn parse(self) -> Result<Draft, Refusal> {
        let fingerprint = fingerprint(&self);
        let wish = match (self.samples, self.stdin) {
            (true, Some(_)) => {
                let message =
                    "a run on samples takes no input of its own: leave out one of the two";
                return Err(invalid("/stdin", "not_with_samples", message));
            }
            (true, None) if self.question.is_none() => {
                let message = "name the question whose samples are meant";
                return Err(invalid("/question", "required", message));
            }
            (true, None) => Wish::Samples,
            (false, stdin) => Wish::Run {
                stdin: own_input(stdin.unwrap_or_default())?,
            },
        };
        Ok(Draft {
            wish,
            question: self.question.map(question).transpose()?,
            language: self.language,
            files: files(self.language, self.code, self.files)?,
            fingerprint,
        })
    }
}

/// Over the fields and not over the bytes that came: a client may write the same request with other spaces.
fn fingerprint(body: &impl Serialize) -> [u8; 32] {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    Sha256::digest(bytes).into()
}

fn question(question: String) -> Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=80).contains(&question.len()) && question.bytes().all(plain) {
        Ok(question)
    } else {
        Err(Refusal::NoSuchQuestion)
    }
}

fn own_input(stdin: String) -> Result<String, Refusal> {
    if stdin.len() > MAX_STDIN_BYTES {
        return Err(too_large("the input", MAX_STDIN_BYTES, "/stdin"));
    }
    refuse_nul("/stdin", &stdin)?;
    Ok(stdin)
}

fn files(
    language: Language,
    code: Option<String>,
    files: Option<Vec<SourceFile>>,
) -> Result<Vec<SourceFile>, Refusal> {
    let files = match (code, files) {
        (Some(_), Some(_)) => {
            return Err(invalid(
                "/files",
                "not_with_code",
                "send `code` or `files`, not both",
            ));
        }
        (None, None) => return Err(invalid("/code", "required", "send the code")),
        (Some(content), None) => {
            check_code("/code", &content)?;
            let name = main_file(language).to_owned();
            return Ok(vec![SourceFile { name, content }]);
        }
        (None, Some(files)) => files,
    };
    if files.is_empty() {
        return Err(invalid("/files", "required", "send at least one file"));
    }
    if files.len() > MAX_FILES {
        let message = format!("at most {MAX_FILES} files are taken");
        return Err(invalid("/files", "too_many", message));
    }
    for (index, file) in files.iter().enumerate() {
        check_name(index, &file.name)?;
        check_code(&format!("/files/{index}/content"), &file.content)?;
        if files[..index]
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(&file.name))
        {
            let message = format!("there are two files named {:?}", file.name);
            return Err(invalid(format!("/files/{index}/name"), "twice", message));
        }
    }
    if files.iter().map(|file| file.content.len()).sum::<usize>() > MAX_CODE_BYTES {
        return Err(too_large("the code", MAX_CODE_BYTES, "/files"));
    }
    Ok(files)
}

fn check_code(pointer: &str, code: &str) -> Result<(), Refusal> {
    if code.len() > MAX_CODE_BYTES {
        return Err(too_large("the code", MAX_CODE_BYTES, pointer));
    }
    if code.is_empty() {
        return Err(invalid(pointer, "empty", "there is no code in it"));
    }
    refuse_nul(pointer, code)
}

fn refuse_nul(pointer: &str, text: &str) -> Result<(), Refusal> {
    match text.find('\0') {
        None => Ok(()),
        Some(at) => {
            let message = format!("byte {at} is NUL, which text cannot hold");
            Err(invalid(pointer, "nul", message))
        }
    }
}

fn check_name(index: usize, name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && !name.starts_with(['.', '-']) && name.bytes().all(plain) {
        return Ok(());
    }
    let message =
        "a plain file name of letters, digits, '.', '_' and '-' is taken, up to 64 characters";
    Err(invalid(format!("/files/{index}/name"), "bad_name", message))
}

/// The name that code gets when it came without one.
pub(crate) fn main_file(language: Language) -> &'static str {
    match language {
        Language::C => "solution.c",
        Language::Cpp => "solution.cpp",
        // A public class must stand in a file of its name.
        Language::Java => "Main.java",
        Language::Python | Language::Pypy => "solution.py",
        Language::Javascript => "solution.js",
        Language::Typescript => "solution.ts",
        Language::Go => "solution.go",
        Language::Rust => "solution.rs",
        Language::Kotlin => "Main.kt",
    }
}

#[cfg(test)]
mod tests;
