//! Programs of a package: one file, or a folder of them.

use contract::Language;

use crate::{Files, Metadata, Warnings};

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its file or folder.
    pub path: String,
    /// Its files, the main one first.
    pub files: Vec<String>,
    /// What it is written in; `None` for what we do not have.
    pub language: Option<Language>,
}

impl Program {
    /// The program at a path: a file, or a folder with files.
    pub(crate) fn at(files: &Files, path: &str) -> Self {
        if files.contains(path) {
            return Self {
                path: path.to_owned(),
                files: vec![path.to_owned()],
                language: language_of(path, files.read(path).ok().as_deref()),
            };
        }
        let prefix = format!("{path}/");
        let mut inside: Vec<String> = files.under(&prefix).map(str::to_owned).collect();
        let language = inside.iter().find_map(|file| {
            let language = language_of(file, files.read(file).ok().as_deref())?;
            // A header of C beside a file of C++ says nothing.
            (file.rsplit('.').next() != Some("h")).then_some(language)
        });
        let main = |file: &String| {
            let stem = file.rsplit('/').next().unwrap_or_default();
            let stem = stem
                .split('.')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let ours = language.is_some() && language_of(file, None) == language;
            let calls_main = ours
                && files
                    .text(file)
                    .is_ok_and(|text| text.contains("main(") || text.contains("__main__"));
            (!ours, stem != "main", !calls_main, file.clone())
        };
        inside.sort_by_cached_key(main);
        Self {
            path: path.to_owned(),
            files: inside,
            language,
        }
    }

    /// Its last step.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The language of a file by its ending; a first line `#!` that names another one decides.
pub fn language_of(path: &str, content: Option<&[u8]>) -> Option<Language> {
    let name = path.rsplit('/').next()?;
    let (_, ending) = name.rsplit_once('.')?;
    let first = content
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .next();
    let first = String::from_utf8_lossy(first.unwrap_or_default());
    if first.starts_with("#!") && first.contains("python2") {
        return None;
    }
    Some(match ending {
        "c" => Language::C,
        "cc" | "cpp" | "cxx" | "c++" | "C" | "h" | "hpp" => Language::Cpp,
        "java" => Language::Java,
        "py" | "py3" if first.starts_with("#!") && first.contains("pypy") => Language::Pypy,
        "py" | "py3" => Language::Python,
        "js" | "mjs" | "cjs" => Language::Javascript,
        "ts" => Language::Typescript,
        "go" => Language::Go,
        "rs" => Language::Rust,
        "kt" => Language::Kotlin,
        _ => return None,
    })
}

/// The direct children of a folder, which ends with `/`, each once: files and folders.
pub(crate) fn children(files: &Files, folder: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in files.under(folder) {
        let rest = &name[folder.len()..];
        let child = rest.split('/').next().unwrap_or(rest);
        let path = format!("{folder}{child}");
        if found.last() != Some(&path) && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// All programs in these folders.
pub(crate) fn all_in(files: &Files, folders: &[&str]) -> Vec<Program> {
    folders
        .iter()
        .flat_map(|folder| children(files, &format!("{folder}/")))
        .map(|path| Program::at(files, &path))
        .collect()
}

/// The program that checks outputs: the newer formats have one folder for it, the legacy one a folder of them.
pub(crate) fn output_validator(
    files: &Files,
    metadata: &Metadata,
    warnings: &mut Warnings,
) -> Option<Program> {
    let mut found = Vec::new();
    let inside = children(files, "output_validator/");
    match inside.as_slice() {
        [] => {}
        // A folder in the folder is the program.
        [one] if !files.contains(one) => found.push(Program::at(files, one)),
        [one] => found.push(Program::at(files, one)),
        _ => found.push(Program::at(files, "output_validator")),
    }
    found.extend(all_in(files, &["output_validators"]));
    if found.len() > 1 {
        warnings.add(
            "output_validators",
            "there are several output validators: only the first one is used",
        );
    }
    let program = found.into_iter().next();
    let wanted = metadata.custom_validation || metadata.interactive || metadata.multi_pass;
    if program.is_none() && wanted {
        warnings.add(
            "problem.yaml: validation",
            "an output validator is asked for, but there is none",
        );
    }
    program
}
