//! Statements in Markdown or TeX, by language code.

use crate::{Files, Metadata, PackageError, Warnings};

/// What a statement is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Markdown, with maths between dollars.
    Markdown,
    /// LaTeX, in the field's own dialect.
    Tex,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its file.
    pub file: String,
    /// An ISO 639 code.
    pub language: String,
    /// What it is written in.
    pub markup: Markup,
    /// As it stands there.
    pub text: String,
}

const FOLDERS: [&str; 2] = ["statement/", "problem_statement/"];

/// All of them; one in Markdown goes before one in TeX of the same language.
pub(crate) fn read(
    files: &Files,
    metadata: &Metadata,
    warnings: &mut Warnings,
) -> Result<Vec<Statement>, PackageError> {
    let mut found: Vec<Statement> = Vec::new();
    for folder in FOLDERS {
        for file in files.under(folder) {
            let Some((language, markup)) = parse_name(&file[folder.len()..]) else {
                if file.rsplit('.').next() != Some("pdf") {
                    warnings.add(file, "pictures and other files of a statement are not kept");
                    continue;
                }
                warnings.add(file, "a statement as PDF is not read: Markdown and TeX are");
                continue;
            };
            let statement = Statement {
                file: file.to_owned(),
                language: language.to_owned(),
                markup,
                text: files.text(file)?,
            };
            match found.iter_mut().find(|other| other.language == language) {
                None => found.push(statement),
                Some(other) if other.markup == Markup::Tex && markup == Markup::Markdown => {
                    warnings.add(
                        other.file.clone(),
                        "there is one in Markdown, which is used",
                    );
                    *other = statement;
                }
                Some(_) => {
                    warnings.add(file, "there is another one of this language, which is used");
                }
            }
        }
    }
    if found.is_empty() {
        warnings.add("statement", "there is no statement in Markdown or TeX");
    }
    for statement in &found {
        if !metadata.names.contains_key(&statement.language) && metadata.names.len() > 1 {
            warnings.add(
                "problem.yaml: name",
                format!("there is none in {:?}", statement.language),
            );
        }
    }
    Ok(found)
}

/// `problem.en.tex`, `problem.md`: the language, English where none is named, and the markup.
fn parse_name(name: &str) -> Option<(&str, Markup)> {
    let (rest, markup) = match name.rsplit_once('.')? {
        (rest, "md") => (rest, Markup::Markdown),
        (rest, "tex") => (rest, Markup::Tex),
        _ => return None,
    };
    match rest.split_once('.') {
        None if rest == "problem" => Some(("en", markup)),
        Some(("problem", language)) if !language.contains(['.', '/']) => Some((language, markup)),
        _ => None,
    }
}
