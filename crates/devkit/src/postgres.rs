//! A private Postgres cluster made with the installed server's programs.
//!
//! Listens on the loopback address only, on no Unix socket, and asks for a password that is made once and kept in its folder.
//! Every safety of Postgres stays on.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tokio::time;
use uuid::Uuid;

use crate::{
    DevkitError,
    config::Config,
    folder::Folder,
    port,
    process::{self, HOME, Launch, Lifetime, Process},
    ready::{taken_port, wait_until_ready},
};

pub(crate) mod store;

const SERVER: &str = "Postgres";
const ROLE: &str = "codementor";
/// Crash recovery after a kill under load is part of a start.
const START_LIMIT: Duration = Duration::from_mins(10);
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// A running private Postgres; dropping it without [`stop`](Self::stop) asks it to end, without waiting.
#[derive(Debug)]
pub struct Postgres {
    installation: Installation,
    port: u16,
    process: Process,
    lifetime: Lifetime,
    _lock: Option<File>,
}

/// A cluster on disk with the programs that can run it.
#[derive(Debug)]
struct Installation {
    folder: Folder,
    data: PathBuf,
    programs: PathBuf,
    path: String,
    password: String,
}

impl Postgres {
    /// Starts the cluster in `dir/postgres`, making it first when there is none, and returns when it answers.
    ///
    /// It ends with this process at the latest. What a killed predecessor left running in that folder is ended first.
    pub async fn start(dir: &Path) -> Result<Self, DevkitError> {
        let folder = open_folder(dir)?;
        let lock = folder.lock()?;
        Self::launch(folder, Lifetime::Owner, Some(lock)).await
    }

    /// Like [`start`](Self::start), but outlives this process. The caller makes sure that only one does this at a time.
    pub(crate) async fn start_detached(dir: &Path) -> Result<Self, DevkitError> {
        Self::launch(open_folder(dir)?, Lifetime::Detached, None).await
    }

    /// The server that an earlier [`start_detached`](Self::start_detached) started, when it is there and answers.
    pub(crate) async fn attach(dir: &Path) -> Result<Option<Self>, DevkitError> {
        if !dir.join("postgres/data").is_dir() {
            return Ok(None);
        }
        let installation = Installation::open(open_folder(dir)?)?;
        let Some(port) = port::read(&installation.folder.path.join("port")) else {
            return Ok(None);
        };
        let Some(process) = postmaster(&installation.data)? else {
            return Ok(None);
        };
        let postgres = Self {
            installation,
            port,
            process,
            lifetime: Lifetime::Detached,
            _lock: None,
        };
        let answers = time::timeout(
            Duration::from_secs(5),
            store::ping(&postgres.url("postgres")),
        )
        .await;
        Ok(matches!(answers, Ok(Ok(()))).then_some(postgres))
    }

    /// Ends whatever runs in `dir/postgres`.
    pub async fn end_leftovers(dir: &Path) -> Result<(), DevkitError> {
        if !dir.join("postgres").is_dir() {
            return Ok(());
        }
        end_leftovers(&open_folder(dir)?.path).await
    }

    async fn launch(
        folder: Folder,
        lifetime: Lifetime,
        lock: Option<File>,
    ) -> Result<Self, DevkitError> {
        let installation = Installation::open(folder)?;
        end_leftovers(&installation.folder.path).await?;
        installation.initialise().await?;
        let file = installation.folder.path.join("port");
        let mut tries = 3;
        loop {
            tries -= 1;
            let port = port::remembered(&file)?;
            match installation.run(port, lifetime).await {
                Ok(process) => {
                    return Ok(Self {
                        installation,
                        port,
                        process,
                        lifetime,
                        _lock: lock,
                    });
                }
                // Somebody took the port between our look and its use.
                Err(DevkitError::Ended { .. }) if tries > 0 && !port::is_free(port) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The address of `database`, with the password in it: not for logs.
    pub fn url(&self, database: &str) -> String {
        self.installation.url(self.port, database)
    }

    /// Makes an empty database, unless there is one of that name.
    pub async fn create_database(&self, name: &str) -> Result<(), DevkitError> {
        let url = self.url("postgres");
        if !store::has_database(&url, name).await? {
            store::create_database(&url, name).await?;
        }
        Ok(())
    }

    /// The port that it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The main server process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns when the server has ended, by whatever cause.
    pub async fn ended(&self) -> Result<(), DevkitError> {
        self.process.ended().await
    }

    /// Halts all its processes where they are: connections stay open and nothing answers.
    pub fn freeze(&self) -> Result<(), DevkitError> {
        self.signal_all(Signal::STOP)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<(), DevkitError> {
        self.signal_all(Signal::CONT)
    }

    /// Kills all its processes at once, as a crash would, and waits until they have gone.
    pub async fn kill(&self) -> Result<(), DevkitError> {
        let all = processes(&self.installation.data)?;
        process::end(&all, Signal::KILL, STOP_PATIENCE).await?;
        self.process.ended().await
    }

    /// Starts it again on the same port after [`kill`](Self::kill).
    pub async fn restart(&mut self) -> Result<(), DevkitError> {
        end_leftovers(&self.installation.folder.path).await?;
        self.process = self
            .installation
            .run(self.port, self.lifetime)
            .await
            .map_err(|error| taken_port(error, SERVER, self.port))?;
        Ok(())
    }

    /// Ends it: sessions are broken off, everything committed is on disk, no process is left.
    pub async fn stop(self) -> Result<(), DevkitError> {
        self.thaw()?;
        process::end([&self.process], Signal::INT, STOP_PATIENCE).await?;
        end_leftovers(&self.installation.folder.path).await
    }

    fn signal_all(&self, signal: Signal) -> Result<(), DevkitError> {
        for process in processes(&self.installation.data)? {
            process.signal(signal);
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Owner {
            self.process.signal(Signal::INT);
        }
    }
}

impl Installation {
    fn open(folder: Folder) -> Result<Self, DevkitError> {
        let config = Config::from_env()?;
        let data = folder.path.join("data");
        let programs = programs(&config, &data)?;
        let file = folder.path.join("password");
        let password = match fs::read_to_string(&file) {
            Ok(password) if data.is_dir() => password,
            _ => {
                let password = Uuid::new_v4().simple().to_string();
                folder.write("password", &password)?;
                password
            }
        };
        Ok(Self {
            folder,
            data,
            programs,
            path: config.path,
            password,
        })
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!(
            "postgres://{ROLE}:{}@127.0.0.1:{port}/{database}",
            self.password
        )
    }

    /// Makes the cluster beside its place and moves it there whole: half a cluster is never taken for one.
    async fn initialise(&self) -> Result<(), DevkitError> {
        if self.data.is_dir() {
            return Ok(());
        }
        let new = self.folder.make_empty("data.new")?;
        let mut command = Launch {
            folder: &self.folder,
            home: &self.folder.path,
            library: None,
            path: &self.path,
        }
        .command(Some("KILL"));
        command
            .arg(self.programs.join("initdb"))
            .args(["--pgdata", &format!("{HOME}/data.new"), "--username", ROLE])
            .args([
                "--auth",
                "scram-sha-256",
                "--pwfile",
                &format!("{HOME}/password"),
            ])
            .args([
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-instructions",
            ])
            .current_dir("/");
        process::run("making the database cluster", command).await?;
        fs::rename(&new, &self.data).map_err(DevkitError::io("move", new))
    }

    async fn run(&self, port: u16, lifetime: Lifetime) -> Result<Process, DevkitError> {
        let farewell = (lifetime == Lifetime::Owner).then_some("INT");
        let mut command = Launch {
            folder: &self.folder,
            home: &self.data,
            library: None,
            path: &self.path,
        }
        .command(farewell);
        command
            .arg(self.programs.join("postgres"))
            .args(["-D", HOME])
            .current_dir("/");
        for setting in [
            &format!("port={port}"),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            // Five services and many tests at once, each with a pool.
            "max_connections=400",
            "fsync=on",
            "synchronous_commit=on",
            "timezone=UTC",
            "log_timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        let process = Process::spawn(command, self.folder.new_log()?).await?;
        process.record(&self.folder.path.join("pid"))?;
        let url = self.url(port, "postgres");
        let result = wait_until_ready(SERVER, &process, &self.folder, START_LIMIT, || {
            store::ping(&url)
        })
        .await;
        match result {
            Ok(()) => Ok(process),
            Err(error) => {
                process::end([&process], Signal::QUIT, Duration::from_secs(2)).await?;
                Err(error)
            }
        }
    }
}

fn processes(data: &Path) -> Result<Vec<Process>, DevkitError> {
    Process::find(data, "postgres")
}

/// The main process, as the cluster's own pid file names it.
fn postmaster(data: &Path) -> Result<Option<Process>, DevkitError> {
    let Ok(content) = fs::read_to_string(data.join("postmaster.pid")) else {
        return Ok(None);
    };
    let pid = content
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    Ok(processes(data)?
        .into_iter()
        .find(|process| Some(process.pid()) == pid))
}

async fn end_leftovers(folder: &Path) -> Result<(), DevkitError> {
    let data = &folder.join("data");
    for process in processes(data)? {
        process.signal(Signal::CONT);
    }
    // The main process ends the others; without it they have seen its death already, or are frozen.
    let main = [Process::recorded(&folder.join("pid")), postmaster(data)?];
    process::end(main.iter().flatten(), Signal::INT, STOP_PATIENCE).await?;
    process::end(&processes(data)?, Signal::QUIT, Duration::from_secs(2)).await?;
    // Postgres would take a zombie, or a stranger with a reused pid, for its predecessor. None is left now, so the file is stale.
    let file = data.join("postmaster.pid");
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DevkitError::io("remove", file)(error))
        }
        _ => Ok(()),
    }
}

fn open_folder(dir: &Path) -> Result<Folder, DevkitError> {
    Folder::open(dir, "postgres", &["postgres", "daemon", "nobody"])
}

/// The folder with `initdb` and `postgres`: of the version that made the cluster, else the newest.
fn programs(config: &Config, data: &Path) -> Result<PathBuf, DevkitError> {
    const MISSING: DevkitError = DevkitError::Missing {
        program: "Postgres 15",
        package: "postgresql-15",
    };
    let complete =
        |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
    let installed = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let mut versions: Vec<u32> = installed
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let mut folders = versions
        .iter()
        .filter(|version| {
            made_by.as_ref().map_or(**version >= 15, |made_by| {
                made_by.trim() == version.to_string()
            })
        })
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    folders
        .find(complete)
        .or_else(|| Some(config.find_program("initdb")?.parent()?.to_owned()).filter(complete))
        .ok_or(MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_version_that_made_the_cluster() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let config = Config::from_env().expect("the environment is readable");
        let newest = programs(&config, data.path()).expect("Postgres is installed");
        assert!(newest.join("initdb").is_file(), "{}", newest.display());
        fs::write(data.path().join("PG_VERSION"), "15\n").expect("the file is writable");
        let matching = programs(&config, data.path()).expect("Postgres 15 is installed");
        assert_eq!(matching, PathBuf::from("/usr/lib/postgresql/15/bin"));
    }
}
