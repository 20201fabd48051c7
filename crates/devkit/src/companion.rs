//! One of our own services as a process beside its owner: started with it, ended with it, found again after a crash.
//!
//! Unlike the servers it runs as who we are. It gets the variables it is given and nothing else of the environment.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    io,
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    DevkitError,
    config::Config,
    folder::tail,
    process::{self, Process},
};

/// Longer than any service takes to finish its work and hand back the rest.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service in a process of its own, with a folder for its log.
#[derive(Debug)]
pub struct Companion {
    name: &'static str,
    folder: PathBuf,
    process: Process,
}

/// What to start.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The executable.
    pub path: &'a Path,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Its whole environment beside `PATH`, `LANG` and `HOME`.
    pub environment: &'a [(String, String)],
}

impl Companion {
    /// Starts `program` with `data/name` as its folder. What a killed owner left running there is ended first. It is asked to
    /// end when this process ends, however that happens.
    pub async fn start(
        data: &Path,
        name: &'static str,
        program: Program<'_>,
    ) -> Result<Self, DevkitError> {
        let folder = data.join(name);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(DevkitError::io("create", &folder)(error));
            }
            _ => {}
        }
        Self::end_leftover(data, name).await?;
        let log = folder.join("log");
        fs::rename(&log, folder.join("log.before")).ok();
        let file = File::create(&log).map_err(DevkitError::io("create", &log))?;
        let process = Process::spawn(command(&folder, program)?, file).await?;
        let companion = Self {
            name,
            folder,
            process,
        };
        match companion.process.record(&companion.folder.join("pid")) {
            Ok(()) => Ok(companion),
            // It has gone already: why, its log may tell.
            Err(_) => Err(companion.explain()),
        }
    }

    /// Ends what runs in `data/name`, when its owner was killed.
    pub async fn end_leftover(data: &Path, name: &str) -> Result<(), DevkitError> {
        match Process::recorded(&data.join(name).join("pid")) {
            Some(process) => process::end([&process], Signal::TERM, PATIENCE).await,
            None => Ok(()),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns when it has ended, by whatever cause.
    pub async fn ended(&self) -> Result<(), DevkitError> {
        self.process.ended().await
    }

    /// Why it ended, as its log tells.
    pub fn explain(&self) -> DevkitError {
        let log = self.folder.join("log");
        let log = match fs::read(&log) {
            Ok(bytes) => tail(&bytes),
            Err(error) => format!("(cannot read {}: {error})", log.display()),
        };
        DevkitError::Ended {
            server: self.name,
            log,
        }
    }

    /// Kills it, as a crash would, and waits until it has gone.
    pub async fn kill(&self) -> Result<(), DevkitError> {
        self.process.signal(Signal::KILL);
        self.process.ended().await
    }

    /// Asks it to end and waits; kills it when it does not.
    pub async fn stop(self) -> Result<(), DevkitError> {
        process::end([&self.process], Signal::TERM, PATIENCE).await
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.process.signal(Signal::TERM);
    }
}

fn command(folder: &Path, program: Program<'_>) -> Result<Command, DevkitError> {
    let config = Config::from_env()?;
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", "--"])
        .arg(program.path)
        .args(program.arguments)
        .env_clear()
        .env("PATH", &config.path)
        .env("LANG", "C.UTF-8")
        .env("HOME", folder.as_os_str() as &OsStr)
        .envs(
            program
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .current_dir(folder)
        .stdin(Stdio::null())
        // Ctrl-C in the terminal is for the owner, which ends its companions in order.
        .process_group(0);
    Ok(command)
}
