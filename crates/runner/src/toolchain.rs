//! Toolchains as they are on this machine: asked for their version inside the sandbox, and made faster.
//!
//! A toolchain that does not answer from inside the sandbox is absent, for it could judge nothing. Preparations
//! (precompiled headers, class archives) are made in the background by the same isolated runs that learners' programs
//! get, and kept in the work folder for the next start.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use contract::language::InstalledLanguage;
use contract::runner_api::AbsentLanguage;
use sandbox::{
    Artefact, Collect, Content, InputFile, Limits, Profile, Program, Sandbox, SandboxError, Status,
};
use sha2::{Digest, Sha256};

use crate::language::{Found, Hints, Preparation, SPECS, Spec};

/// An installed language.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// Its entry in the table.
    pub(crate) spec: &'static Spec,
    /// Where it is.
    pub(crate) home: PathBuf,
    /// Such as `gcc 12.2.0`.
    pub(crate) version: String,
    prepared: OnceLock<Artefact>,
}

/// For preparations and questions to toolchains, which are ours.
const LIMITS: Limits = Limits {
    cpu: Duration::from_mins(1),
    wall: Duration::from_mins(3),
    memory_bytes: 2 << 30,
    processes: 128,
    output_bytes: 1 << 20,
    stderr_bytes: 16 << 10,
    file_bytes: 1 << 30,
    stack_bytes: None,
    collect_bytes: 512 << 20,
};

/// The environment of every program in the sandbox.
pub(crate) fn environment() -> Vec<(String, String)> {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("HOME", "/tmp"),
        // PyPy would measure the processor's cache by itself, and complain on standard error where it cannot.
        ("PYPY_GC_NURSERY", "4M"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What was found on the machine, before the sandbox exists.
#[derive(Debug)]
pub(crate) struct Search {
    found: Vec<(&'static Spec, Found)>,
    absent: Vec<AbsentLanguage>,
}

impl Search {
    /// Looks for every language of the table.
    pub(crate) fn run(hints: &Hints) -> Self {
        let mut search = Self {
            found: Vec::new(),
            absent: Vec::new(),
        };
        for spec in SPECS {
            match (spec.find)(hints) {
                Ok(found) => search.found.push((spec, found)),
                Err(reason) => search.absent.push(AbsentLanguage {
                    id: spec.id,
                    reason,
                }),
            }
        }
        search
    }

    /// Paths that the sandbox must show beside the usual ones.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &PathBuf> {
        self.found.iter().flat_map(|(_, found)| &found.visible)
    }

    /// Asks each for its version, in the sandbox.
    pub(crate) async fn ask(
        self,
        sandbox: &Sandbox,
    ) -> Result<(Vec<Toolchain>, Vec<AbsentLanguage>), SandboxError> {
        let mut absent = self.absent;
        let mut installed = Vec::new();
        let asked = self.found.into_iter().map(async |(spec, found)| {
            let said = version(sandbox, spec, &found.home).await?;
            Ok((spec, found, said))
        });
        for answer in futures::future::join_all(asked).await {
            match answer? {
                (spec, found, Ok(version)) => installed.push(Toolchain {
                    spec,
                    home: found.home,
                    version,
                    prepared: OnceLock::new(),
                }),
                (spec, _, Err(reason)) => absent.push(AbsentLanguage {
                    id: spec.id,
                    reason,
                }),
            }
        }
        for language in &absent {
            tracing::warn!(language = %language.id, reason = language.reason, "{} is not installed", language.id);
        }
        Ok((installed, absent))
    }
}

async fn version(
    sandbox: &Sandbox,
    spec: &Spec,
    home: &Path,
) -> Result<Result<String, String>, SandboxError> {
    let argv = (spec.version)(home);
    let program = Program {
        env: &environment(),
        ..Program::new(&argv, LIMITS)
    };
    let outcome = match sandbox.acquire().await.run(program).await {
        Err(SandboxError::CannotExecute(error)) => {
            return Ok(Err(format!("{} cannot be executed: {error}", argv[0])));
        }
        other => other?,
    };
    let said = String::from_utf8_lossy(&outcome.stdout);
    Ok(match version_number(&said) {
        Some(number) if outcome.status == Status::Exited(0) => {
            Ok(format!("{} {number}", spec.toolchain))
        }
        _ => Err(format!(
            "{} does not tell its version: {:?}, {said:?} {}",
            argv[0],
            outcome.status,
            String::from_utf8_lossy(&outcome.stderr).trim()
        )),
    })
}

/// The first word that is a number with dots, whatever stands around it.
fn version_number(said: &str) -> Option<&str> {
    said.split_whitespace().find_map(|word| {
        let from = &word[word.find(|c: char| c.is_ascii_digit())?..];
        let end = from.find(|c: char| !c.is_ascii_digit() && c != '.');
        Some(&from[..end.unwrap_or(from.len())])
            .filter(|number| number.contains('.') || from.len() == word.len())
    })
}

impl Toolchain {
    /// As `/internal/languages` tells it.
    pub(crate) fn installed(&self) -> InstalledLanguage {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        InstalledLanguage {
            id: self.spec.id,
            name: self.spec.name.to_owned(),
            version: self.version.clone(),
            extensions: texts(self.spec.extensions),
            compile: self.spec.compile_shown.map(str::to_owned),
            run: self.spec.run_shown.to_owned(),
            template: self.spec.template.to_owned(),
        }
    }

    /// What makes compiling faster, once it is there.
    pub(crate) fn prepared(&self) -> Option<&Artefact> {
        self.prepared.get()
    }

    /// Makes what makes compiling faster, or finds it in `folder`. Compiling works before and without it.
    pub(crate) async fn prepare(
        &self,
        sandbox: &Sandbox,
        folder: &Path,
    ) -> Result<(), PrepareError> {
        let mut made = Vec::new();
        for preparation in self.spec.preparations {
            let path = folder.join(self.file_name(preparation));
            if !path.is_file() {
                let content = self.make(sandbox, preparation).await?;
                write_whole(&path, content).await?;
            }
            made.push((preparation.name, File::open(&path)?));
        }
        if made.is_empty() {
            return Ok(());
        }
        let files: Vec<InputFile<'_>> = made
            .iter()
            .map(|(name, file)| InputFile {
                name,
                mode: 0o444,
                content: Content::File(file),
            })
            .collect();
        let artefact = sandbox.artefact(&files).await?;
        // Preparing twice would only make the same again.
        let _ = self.prepared.set(artefact);
        tracing::info!(language = %self.spec.id, "compiling {} is prepared", self.spec.id);
        Ok(())
    }

    /// Everything that the file depends on is in its name.
    fn file_name(&self, preparation: &Preparation) -> String {
        let mut hash = Sha256::new();
        for part in (preparation.command)(&self.home)
            .iter()
            .map(String::as_str)
            .chain([self.version.as_str()])
            .chain(
                preparation
                    .files
                    .iter()
                    .flat_map(|(name, text)| [*name, *text]),
            )
        {
            hash.update(part);
            hash.update([0]);
        }
        format!("{}-{}", self.spec.id, hex::encode(hash.finalize()))
    }

    async fn make(
        &self,
        sandbox: &Sandbox,
        preparation: &Preparation,
    ) -> Result<Vec<u8>, PrepareError> {
        let files: Vec<InputFile<'_>> = preparation
            .files
            .iter()
            .map(|(name, text)| InputFile {
                name,
                mode: 0o644,
                content: Content::Bytes(text.as_bytes()),
            })
            .collect();
        let argv = (preparation.command)(&self.home);
        let program = Program {
            env: &environment(),
            files: &files,
            profile: Profile::Compile,
            collect: Collect::Named(&[preparation.output]),
            ..Program::new(&argv, LIMITS)
        };
        let outcome = sandbox.acquire().await.run(program).await?;
        match outcome.files.into_iter().next() {
            Some(file) if outcome.status == Status::Exited(0) => Ok(file.content),
            _ => Err(PrepareError::NotMade(
                outcome.status,
                crate::text::shown(&outcome.stderr, 2048),
            )),
        }
    }
}

/// Why a preparation was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    /// The sandbox did not work.
    #[error("the sandbox failed")]
    Sandbox(#[from] SandboxError),
    /// The folder could not be used.
    #[error("the work folder cannot be used")]
    Folder(#[from] io::Error),
    /// The command did not do it.
    #[error("the command ended with {0:?}: {1}")]
    NotMade(Status, String),
}

/// Writes beside, then renames: a file of this name is always whole.
async fn write_whole(path: &Path, content: Vec<u8>) -> io::Result<()> {
    let path = path.to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut beside, &content)?;
        beside.persist(&path)?;
        Ok(())
    });
    written.await.map_err(io::Error::other)?
}

/// Removes prepared files that no installed toolchain would ask for: those of former versions.
pub(crate) fn prune(folder: &Path, toolchains: &[Toolchain]) -> io::Result<()> {
    let wanted: Vec<String> = toolchains
        .iter()
        .flat_map(|toolchain| {
            let names = toolchain.spec.preparations.iter();
            names.map(|preparation| toolchain.file_name(preparation))
        })
        .collect();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !wanted.iter().any(|name| entry.file_name() == name.as_str()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn reads_versions_as_toolchains_tell_them() {
        for (said, expected) in [
            ("12.2.0\n", "12.2.0"),
            ("12\n", "12"),
            (
                "openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian)",
                "17.0.15",
            ),
            ("openjdk 25 2025-09-16", "25"),
            ("Python 3.11.2", "3.11.2"),
            ("v20.20.2", "20.20.2"),
        ] {
            assert_eq!(version_number(said), Some(expected), "{said}");
        }
        assert_eq!(version_number("no such thing"), None);
    }
}
