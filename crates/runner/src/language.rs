//! The table of languages: how each is found, compiled and run. A new one is one entry.
//!
//! Entries are plain data and small pure functions; starting programs is the business of [`crate::toolchain`] and
//! [`crate::compile`]. What is not installed stays out of `/internal/languages`, with the reason in the configuration.

mod c;
mod go;
mod java;
mod javascript;
mod kotlin;
mod pypy;
mod python;
mod rust;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};

use contract::Language;
use contract::job::SourceFile;

use crate::lines::{self, LineMap, Origin};
use crate::verdict::Allowance;

/// Every language that can be judged.
pub(crate) static SPECS: [&Spec; 10] = [
    &c::C,
    &c::CPP,
    &java::JAVA,
    &python::PYTHON,
    &pypy::PYPY,
    &javascript::JAVASCRIPT,
    &typescript::TYPESCRIPT,
    &go::GO,
    &rust::RUST,
    &kotlin::KOTLIN,
];

/// One language.
#[derive(Debug)]
pub(crate) struct Spec {
    /// Its id.
    pub(crate) id: Language,
    /// Its name for people.
    pub(crate) name: &'static str,
    /// What stands before the number in its version.
    pub(crate) toolchain: &'static str,
    /// File extensions, the usual one first.
    pub(crate) extensions: &'static [&'static str],
    /// A program to begin from: reads two numbers, writes their sum.
    pub(crate) template: &'static str,
    /// How it is compiled, for people.
    pub(crate) compile_shown: Option<&'static str>,
    /// How it is run, for people.
    pub(crate) run_shown: &'static str,
    /// Looks for the toolchain on this machine; the error says what is missing.
    pub(crate) find: fn(&Hints) -> Result<Found, String>,
    /// A command that prints the version.
    pub(crate) version: fn(&Path) -> Vec<String>,
    /// Names and arranges the files.
    pub(crate) arrange: fn(&Code<'_>) -> Result<Sources, ArrangeError>,
    /// The command that compiles or checks, run in the directory of the sources.
    pub(crate) compile: fn(&Command<'_>) -> Vec<String>,
    /// What of it is run.
    pub(crate) product: Product,
    /// Whether a line of the compiler's messages only tells of our own arrangement.
    pub(crate) is_noise: fn(&str) -> bool,
    /// The command that runs the program, its product lying in `/app`.
    pub(crate) run: fn(&Path, &Sources, &Allowance) -> Vec<String>,
    /// Processes and threads of a run: what the language's machine needs and some for the learner.
    pub(crate) processes: u32,
    /// Memory that the language's own machine needs, given beside the question's limit.
    pub(crate) own_memory_kib: u32,
    /// Kibibytes that the language's own machine takes for later and hardly ever touches; counts only where there are no cgroups.
    pub(crate) reserved_kib: fn(&Allowance) -> u64,
    /// Files that make compiling faster, made once a toolchain.
    pub(crate) preparations: &'static [Preparation],
}

/// What the configuration says about places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    /// The JDK to use.
    pub(crate) java_home: Option<PathBuf>,
    /// Where `scripts/toolchains.sh` put what Debian has not, the first that exists.
    pub(crate) toolchains: Vec<PathBuf>,
}

impl Hints {
    /// The folder of a toolchain that the script made, or the reason that it left.
    fn toolchain(&self, name: &str) -> Result<Found, String> {
        for folder in &self.toolchains {
            if let Ok(home) = folder.join(name).canonicalize() {
                let visible = if home.starts_with("/usr") {
                    Vec::new()
                } else {
                    vec![home.clone()]
                };
                return Ok(Found { home, visible });
            }
            if let Ok(reason) = fs::read_to_string(folder.join(format!("{name}.absent"))) {
                return Err(reason.trim().to_owned());
            }
        }
        Err("not installed: scripts/toolchains.sh does it".to_owned())
    }
}

/// Where a toolchain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its main program, or its home directory.
    pub(crate) home: PathBuf,
    /// Paths that programs must see beside the usual ones.
    pub(crate) visible: Vec<PathBuf>,
}

impl Found {
    /// Makes what a link inside the toolchain leads to visible, too.
    fn show_target(&mut self, link: &str) -> Result<(), String> {
        let link = self.home.join(link);
        let target = link
            .canonicalize()
            .map_err(|error| format!("{}: {error}", link.display()))?;
        if !target.starts_with("/usr") && !target.starts_with(&self.home) {
            self.visible.push(target);
        }
        Ok(())
    }
}

/// What was submitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code<'a> {
    /// The learner's files, the main one first.
    pub(crate) files: &'a [SourceFile],
    /// The code around the main one.
    pub(crate) driver: Option<&'a str>,
}

/// What is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Files by their names in the sandbox.
    pub(crate) files: Vec<SourceFile>,
    /// The main file, or the class that is started.
    pub(crate) entry: String,
    /// Whose lines they hold.
    pub(crate) lines: LineMap,
}

impl Sources {
    /// The names of its files of these kinds.
    fn of_kind(&self, extensions: &[&str]) -> impl Iterator<Item = &str> {
        let names = self.files.iter().map(|file| file.name.as_str());
        names.filter(|name| {
            let extension = name.rsplit_once('.').map(|(_, extension)| extension);
            extension.is_some_and(|extension| extensions.contains(&extension))
        })
    }
}

/// Why code cannot be arranged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArrangeError {
    /// A further file has the name that the main one or the driver needs: the learner's mistake.
    #[error("a file cannot be named {0:?} here: the main file has this name")]
    TakenName(String),
    /// The driver has no line `{{code}}`: the teacher's mistake.
    #[error("the question's driver has no line {{{{code}}}}")]
    NoPlaceholder,
}

/// What a compile command is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command<'a> {
    /// Where the toolchain is.
    pub(crate) home: &'a Path,
    /// What is compiled.
    pub(crate) sources: &'a Sources,
    /// Whether the preparations lie in `/app`.
    pub(crate) prepared: bool,
}

/// What of a compiled program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// This file.
    File(&'static str),
    /// All files of this extension below this directory.
    Below {
        /// With `/` at its end.
        directory: &'static str,
        /// With a dot.
        extension: &'static str,
    },
    /// The sources themselves: the command only checked them.
    Sources,
}

/// A file that makes compiling faster.
#[derive(Debug)]
pub(crate) struct Preparation {
    /// Its name in `/app` of compile runs.
    pub(crate) name: &'static str,
    /// Files that it is made of.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// The command that makes it.
    pub(crate) command: fn(&Path) -> Vec<String>,
    /// The file that the command writes.
    pub(crate) output: &'static str,
}

/// Directories where programs are looked for; all of them can be seen from the sandbox.
const PROGRAM_DIRECTORIES: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// Finds a program by its name; `package` of Debian has it. Its own directory is made visible where it lies elsewhere.
fn find_program(name: &str, package: &str) -> Result<Found, String> {
    let home = PROGRAM_DIRECTORIES
        .iter()
        .find_map(|directory| Path::new(directory).join(name).canonicalize().ok())
        .ok_or_else(|| {
            format!(
                "no {name} in {}: install {package}",
                PROGRAM_DIRECTORIES.join(", ")
            )
        })?;
    let visible = outside_usual(&home);
    Ok(Found { home, visible })
}

/// The directory to make visible for a program `…/bin/x` that is not below `/usr`.
fn outside_usual(program: &Path) -> Vec<PathBuf> {
    if program.starts_with("/usr") || program.starts_with("/bin") {
        return Vec::new();
    }
    let root = program.parent().and_then(Path::parent);
    root.filter(|root| root.parent().is_some())
        .map(Path::to_owned)
        .into_iter()
        .collect()
}

/// A command line.
fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// A path as an argument. Toolchains are found below paths that are text.
fn path(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// The main file as `main`, the others under their own names.
fn with_main(code: &Code<'_>, main: SourceFile) -> Result<Vec<SourceFile>, ArrangeError> {
    let mut files = vec![main];
    for file in code.files.iter().skip(1) {
        if files.iter().any(|other| other.name == file.name) {
            return Err(ArrangeError::TakenName(file.name.clone()));
        }
        files.push(file.clone());
    }
    Ok(files)
}

/// The learner's main file.
fn main_text<'a>(code: &Code<'a>) -> &'a str {
    code.files.first().map_or("", |file| file.content.as_str())
}

fn file(name: &str, content: impl Into<String>) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        content: content.into(),
    }
}

/// For languages with modules: the driver holds a line `{{code}}`, or is the main file and imports the learner's one.
fn arrange_script(code: &Code<'_>, main: &str, solution: &str) -> Result<Sources, ArrangeError> {
    let text = main_text(code);
    let (files, origins) = match code.driver {
        None => (
            with_main(code, file(main, text))?,
            vec![(main, Origin::Solution)],
        ),
        Some(driver) => {
            if let Some((filled, origin)) = lines::fill(driver, text) {
                (with_main(code, file(main, filled))?, vec![(main, origin)])
            } else {
                let mut files = with_main(code, file(solution, text))?;
                if files.iter().any(|other| other.name == main) {
                    return Err(ArrangeError::TakenName(main.to_owned()));
                }
                files.push(file(main, driver));
                let origins = vec![(main, Origin::Driver), (solution, Origin::Solution)];
                (files, origins)
            }
        }
    };
    Ok(Sources {
        files,
        entry: main.to_owned(),
        lines: LineMap::new(
            origins
                .into_iter()
                .map(|(name, origin)| (name.to_owned(), origin)),
        ),
    })
}

/// For languages whose files form one program: code that announces things at its head is a file of its own beside the
/// driver, other code stands in the driver.
fn arrange_apart(
    code: &Code<'_>,
    main: &str,
    solution: &str,
    is_head: fn(&str) -> bool,
) -> Result<Sources, ArrangeError> {
    let text = main_text(code);
    let (files, origins) = match code.driver {
        None => (
            with_main(code, file(main, text))?,
            vec![(main, Origin::Solution)],
        ),
        Some(driver) if text.lines().any(is_head) => {
            let (filled, _) = lines::fill(driver, "").ok_or(ArrangeError::NoPlaceholder)?;
            let mut files = with_main(code, file(solution, text))?;
            if files.iter().any(|other| other.name == main) {
                return Err(ArrangeError::TakenName(main.to_owned()));
            }
            files.push(file(main, filled));
            (
                files,
                vec![(main, Origin::Driver), (solution, Origin::Solution)],
            )
        }
        Some(driver) => {
            let (filled, origin) = lines::fill(driver, text).ok_or(ArrangeError::NoPlaceholder)?;
            (with_main(code, file(main, filled))?, vec![(main, origin)])
        }
    };
    let origins = origins.into_iter();
    Ok(Sources {
        files,
        entry: main.to_owned(),
        lines: LineMap::new(origins.map(|(name, origin)| (name.to_owned(), origin))),
    })
}

/// What is taken is used.
fn nothing(_: &Allowance) -> u64 {
    0
}

/// Nothing that a compiler says is left out.
fn never(_: &str) -> bool {
    false
}

/// The entry of a language, if there is one.
#[cfg(test)]
pub(crate) fn spec(id: Language) -> Option<&'static Spec> {
    SPECS.into_iter().find(|spec| spec.id == id)
}

#[cfg(test)]
mod tests;
