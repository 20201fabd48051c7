//! Problem packages: how the field moves problems. Reads the ICPC/Kattis formats (legacy and 2025-09, with what DOMjudge
//! adds) and our own superset of them, says all that it does not use, and writes packages that read back the same.
//!
//! ```text
//!  folder or zip ─▶ Files (names checked, sizes counted) ─▶ Package::read ─▶ metadata · statements · tests · groups ·
//!                                                                            validators · submissions · warnings
//!  parts ─▶ write_zip (sorted, without times) ─▶ the same bytes for the same problem
//! ```
//! In reading order: [`files`], [`yaml`], [`metadata`], [`test_data`], [`submissions`], [`statement`], [`write`].
//!
//! What it never does: run anything of a package, follow a link out of it, or drop anything in silence.

mod default_validator;
mod glob;
mod program;

pub mod expectation;
pub mod files;
pub mod metadata;
pub mod statement;
pub mod submissions;
pub mod test_data;
mod tex;
pub mod write;
pub mod yaml;

pub use default_validator::default_validator;
pub use expectation::{Expectation, Outcome};
pub use files::{Files, Limits};
pub use metadata::{Format, Metadata};
pub use program::{Program, language_of};
pub use statement::{Markup, Statement};
pub use submissions::Submission;
pub use test_data::{Aggregation, Grade, Group, Test, TestData};
pub use tex::tex_to_markdown;
pub use write::write_zip;

/// Our own file in a package: what the standard formats have no place for.
pub const OURS: &str = "codementor.json";

/// A whole package.
#[derive(Debug)]
pub struct Package {
    /// Its files.
    pub files: Files,
    /// What `problem.yaml` says.
    pub metadata: Metadata,
    /// The statements there are.
    pub statements: Vec<Statement>,
    /// Tests and groups.
    pub tests: TestData,
    /// Programs that check inputs.
    pub input_validators: Vec<Program>,
    /// The program that checks outputs, where the package has one.
    pub output_validator: Option<Program>,
    /// The jury's programs.
    pub submissions: Vec<Submission>,
    /// What [`OURS`] holds, in packages that we wrote.
    pub ours: Option<serde_json::Value>,
    /// All that is not used, or is not as it should be.
    pub warnings: Vec<Warning>,
}

/// Something that a teacher should know of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// The file, and the field in it: `problem.yaml: limits.code`.
    pub place: String,
    /// What it is about.
    pub message: String,
}

/// Collects warnings.
#[derive(Debug, Default)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    /// One more.
    pub fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Warning {
            place: place.into(),
            message: message.into(),
        });
    }
}

/// Why a package is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It is wrong in this place.
    #[error("{}{message}", if place.is_empty() { String::new() } else { format!("{place}: ") })]
    Wrong {
        /// The file, and the field in it; empty for the whole.
        place: String,
        /// A stable word.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The disk failed.
    #[error("the disk failed")]
    Disk(#[from] std::io::Error),
}

impl PackageError {
    /// It is wrong in this place.
    pub fn wrong(place: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::Wrong {
            place: place.into(),
            code,
            message: message.into(),
        }
    }
}

impl Package {
    /// Reads what the files hold. Blocks.
    pub fn read(files: Files) -> Result<Self, PackageError> {
        let mut warnings = Warnings::default();
        let metadata = Metadata::read(&files, &mut warnings)?;
        let tests = TestData::read(&files, &metadata, &mut warnings)?;
        let statements = statement::read(&files, &metadata, &mut warnings)?;
        let input_validators =
            program::all_in(&files, &["input_validators", "input_format_validators"]);
        let output_validator = program::output_validator(&files, &metadata, &mut warnings);
        let submissions = submissions::read(&files, &metadata, &mut warnings)?;
        let ours = if files.contains(OURS) {
            Some(serde_json::from_slice(&files.read(OURS)?).map_err(|error| {
                PackageError::wrong(OURS, "format", format!("it is not JSON: {error}"))
            })?)
        } else {
            None
        };
        warn_of_the_rest(&files, &mut warnings);
        Ok(Self {
            files,
            metadata,
            statements,
            tests,
            input_validators,
            output_validator,
            submissions,
            ours,
            warnings: warnings.0,
        })
    }

    /// The problem's name in the best of these languages, else in any.
    pub fn title(&self, languages: &[&str]) -> &str {
        let names = &self.metadata.names;
        languages
            .iter()
            .find_map(|language| names.get(*language))
            .or_else(|| names.values().next())
            .map_or("", String::as_str)
    }
}

/// Folders whose files nobody here reads.
const NOT_USED: [(&str, &str); 11] = [
    ("attachments/", "attachments are not kept"),
    (
        "include/",
        "files to be put beside submissions are not used",
    ),
    (
        "graders/",
        "graders of one's own are not used: scores are made by the groups' own rules",
    ),
    (
        "generators/",
        "generators are not run: the tests that they made are taken",
    ),
    ("solution/", "a description of the solution is not kept"),
    ("input_visualizer/", "visualizers are not run"),
    ("output_visualizer/", "visualizers are not run"),
    ("output_visualizers/", "visualizers are not run"),
    ("static_validator/", "a static validator is not run"),
    ("answer_validators/", "answer validators are not run"),
    ("static_validators/", "static validators are not run"),
];

/// Where everything that is read lies.
const USED: [&str; 13] = [
    "data/",
    "submissions/",
    "statement/",
    "problem_statement/",
    "input_validators/",
    "input_format_validators/",
    "output_validator/",
    "output_validators/",
    "checker/",
    "languages/",
    "problem.yaml",
    ".timelimit",
    OURS,
];

fn warn_of_the_rest(files: &Files, warnings: &mut Warnings) {
    for (folder, why) in NOT_USED {
        if files.under(folder).next().is_some() {
            warnings.add(folder.trim_end_matches('/'), why);
        }
    }
    for name in files.names() {
        let known = USED.iter().chain(NOT_USED.iter().map(|(folder, _)| folder));
        let quiet = [
            "domjudge-problem.ini",
            "README.md",
            "README",
            ".gitignore",
            "Makefile",
            "LICENSE",
        ];
        if !known.clone().any(|known| name.starts_with(known)) && !quiet.contains(&name) {
            warnings.add(name, "this file is not used");
        }
    }
}
