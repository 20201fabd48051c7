//! Tests, their groups, and how points are made of them.
//!
//! ```text
//!  data/ ─ sample/ ─ 1.in 1.ans                legacy: every folder is a group, groups may hold groups, testdata.yaml,
//!        └ secret/ ─ group1/ ─ 01.in 01.ans            settings are inherited
//!                  └ group2/ ─ 02.in 02.ans    2025-09: folders with test_group.yaml are groups, one level
//! ```
//! One tree serves both; [`TestData::grade`] is a pure function of what became of each test.

mod grading;
mod settings;

use crate::{Files, Format, Metadata, PackageError, Warnings};

pub use grading::{Grade, TestOutcome};

/// All tests, and the tree of groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestData {
    /// In the order in which they are judged.
    pub tests: Vec<Test>,
    /// Parents before children; the first is `data` itself.
    pub groups: Vec<Group>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Its path below `data/`, without the ending: `secret/group1/01`.
    pub name: String,
    /// The file that a submission reads.
    pub input: String,
    /// The jury's answer.
    pub answer: Option<String>,
    /// Whether learners may see it.
    pub sample: bool,
    /// Which group it is in.
    pub group: usize,
    /// What the output validator is told.
    pub output_validator_args: Vec<String>,
    /// What the input validators are told.
    pub input_validator_args: Vec<String>,
}

/// A group of tests and of groups.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the formats"
)]
pub struct Group {
    /// Its path below `data/`; empty for all.
    pub name: String,
    /// The group that it is in.
    pub parent: Option<usize>,
    /// Whether the rest of it is left out after the first failure.
    pub breaks: bool,
    /// How the points of its parts make its own.
    pub aggregation: Aggregation,
    /// Points of an accepted test.
    pub accept_score: f64,
    /// Points of a test that is not.
    pub reject_score: f64,
    /// Points that it has at least and at most.
    pub range: (f64, f64),
    /// It is accepted, whatever its parts are.
    pub always_accept: bool,
    /// It is accepted if one part is.
    pub accept_if_any: bool,
    /// Its verdict is that of the first failure, not the worst.
    pub first_error: bool,
    /// Its samples do not count.
    pub ignore_sample: bool,
    /// Groups that must be accepted before it counts.
    pub require_pass: Vec<String>,
}

/// How the points of a group are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// All of `accept_score` if every part is accepted.
    PassFail,
    /// The sum of the parts'.
    Sum,
    /// The least of the parts'.
    Min,
    /// The most of the parts'.
    Max,
    /// The mean of the parts'.
    Avg,
}

impl TestData {
    /// Reads the tree of `data/`.
    pub fn read(
        files: &Files,
        metadata: &Metadata,
        warnings: &mut Warnings,
    ) -> Result<Self, PackageError> {
        let mut data = Self::default();
        let mut reader = Reader {
            files,
            metadata,
            warnings,
            data: &mut data,
        };
        reader.root()?;
        Ok(data)
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }
}

struct Reader<'a> {
    files: &'a Files,
    metadata: &'a Metadata,
    warnings: &'a mut Warnings,
    data: &'a mut TestData,
}

/// What tests inherit from their folder.
#[derive(Debug, Clone, Default)]
struct Arguments {
    output_validator: Vec<String>,
    input_validator: Vec<String>,
}

impl Reader<'_> {
    fn root(&mut self) -> Result<(), PackageError> {
        let inherited = Arguments {
            output_validator: self.metadata.validator_args.clone(),
            input_validator: Vec::new(),
        };
        let legacy = self.is_legacy();
        let group = Group::default_for(String::new(), None, legacy, self.metadata.scoring);
        self.data.groups.push(group);
        let inherited = self.configure("data/", 0, inherited)?;
        for part in ["sample", "secret"] {
            self.folder(&format!("data/{part}/"), 0, &inherited)?;
        }
        if self.data.tests.is_empty() {
            self.warnings.add("data", "there is no test");
        }
        Ok(())
    }

    /// What stands in `data` decides: packages that call themselves new may still be written as before.
    fn is_legacy(&self) -> bool {
        let new = self
            .files
            .under("data/")
            .any(|name| name.ends_with("/test_group.yaml"));
        let old = self
            .files
            .under("data/")
            .any(|name| name.ends_with("/testdata.yaml"));
        if new || old {
            !new
        } else {
            self.metadata.format != Format::V2025
        }
    }

    fn folder(
        &mut self,
        folder: &str,
        parent: usize,
        inherited: &Arguments,
    ) -> Result<(), PackageError> {
        let legacy = self.is_legacy();
        let name = folder["data/".len()..].trim_end_matches('/').to_owned();
        let top = name == "sample" || name == "secret";
        let has_settings = ["testdata.yaml", "test_group.yaml"]
            .iter()
            .any(|file| self.files.contains(&format!("{folder}{file}")));
        if self.files.under(folder).next().is_none() {
            return Ok(());
        }
        let (group, inherited) = if legacy || top || has_settings {
            let index = self.data.groups.len();
            let is_plain_sample = name == "sample" && !has_settings;
            let group = Group::default_for(name, Some(parent), legacy, self.metadata.scoring);
            let group = if legacy {
                group.inheriting(&self.data.groups[parent])
            } else {
                group
            };
            self.data.groups.push(group);
            if is_plain_sample {
                // Points are for secret tests, where nothing else is said.
                self.data.groups[index].accept_score = 0.0;
            }
            (index, self.configure(folder, index, inherited.clone())?)
        } else {
            (parent, inherited.clone())
        };
        let mut children = crate::program::children(self.files, folder);
        children.sort();
        for child in children {
            if !self.files.contains(&child) {
                if child.rsplit('.').next() == Some("files") {
                    self.warnings.add(
                        child,
                        "files beside the input are not put beside submissions",
                    );
                } else {
                    self.folder(&format!("{child}/"), group, &inherited)?;
                }
            } else if let Some(stem) = child.strip_suffix(".in") {
                self.test(stem, group, &inherited)?;
            } else {
                self.other(&child);
            }
        }
        Ok(())
    }

    fn test(
        &mut self,
        stem: &str,
        group: usize,
        inherited: &Arguments,
    ) -> Result<(), PackageError> {
        let mut arguments = inherited.clone();
        let own = format!("{stem}.yaml");
        if self.files.contains(&own) {
            arguments = settings::of_test(self.files, &own, arguments, self.warnings)?;
        }
        let answer = format!("{stem}.ans");
        let answer = self.files.contains(&answer).then_some(answer);
        let name = stem["data/".len()..].to_owned();
        self.data.tests.push(Test {
            sample: name.starts_with("sample/"),
            name,
            input: format!("{stem}.in"),
            answer,
            group,
            output_validator_args: arguments.output_validator,
            input_validator_args: arguments.input_validator,
        });
        Ok(())
    }

    fn other(&mut self, file: &str) {
        let name = file.rsplit('/').next().unwrap_or_default();
        if name == "testdata.yaml" || name == "test_group.yaml" {
            return;
        }
        let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        let belongs = self.files.contains(&format!("{stem}.in"));
        match ending {
            "ans" | "yaml" if belongs => {}
            "desc" | "hint" | "png" | "jpg" | "jpeg" | "svg" | "interaction" | "statement"
            | "out" => {
                self.warnings
                    .add(file, "what is told about a test is not kept");
            }
            _ => self.warnings.add(file, "this file belongs to no test"),
        }
    }

    fn configure(
        &mut self,
        folder: &str,
        group: usize,
        inherited: Arguments,
    ) -> Result<Arguments, PackageError> {
        settings::of_group(
            self.files,
            folder,
            &mut self.data.groups[group],
            inherited,
            self.warnings,
        )
    }
}

impl Group {
    fn default_for(name: String, parent: Option<usize>, legacy: bool, scoring: bool) -> Self {
        let secret = name == "secret";
        let aggregation = if legacy || secret || name.is_empty() {
            Aggregation::Sum
        } else {
            Aggregation::PassFail
        };
        let most = if !legacy && secret {
            100.0
        } else {
            f64::INFINITY
        };
        Self {
            accept_score: if legacy || !scoring { 1.0 } else { most },
            reject_score: 0.0,
            range: if legacy {
                (f64::NEG_INFINITY, f64::INFINITY)
            } else {
                (0.0, most)
            },
            breaks: legacy && !scoring,
            aggregation,
            always_accept: false,
            accept_if_any: false,
            // Where nothing is said, judges differ: Kattis tells the worst, DOMjudge the first, and few packages depend on it.
            first_error: true,
            // In the newer formats samples have no points.
            ignore_sample: !legacy,
            require_pass: Vec::new(),
            name,
            parent,
        }
    }

    /// Legacy: what a folder does not say is as in the one around it.
    fn inheriting(self, parent: &Self) -> Self {
        Self {
            name: self.name,
            parent: self.parent,
            ignore_sample: false,
            accept_if_any: parent.accept_if_any && parent.parent.is_some(),
            require_pass: Vec::new(),
            ..parent.clone()
        }
    }
}
