//! The real Apache Kafka as one private node that is broker and controller.
//!
//! Listens on the loopback address only. Topics are made by those who need them, never by accident.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
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

mod jars;
mod wire;

pub use jars::resolve_jars;

const SERVER: &str = "Kafka";
/// A broker that was killed is refused by its controller until its former session has run out.
const START_LIMIT: Duration = Duration::from_secs(90);
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// A running private Kafka; dropping it without [`stop`](Self::stop) asks it to end, without waiting.
#[derive(Debug)]
pub struct Kafka {
    installation: Installation,
    port: u16,
    brokers: String,
    process: Process,
    lifetime: Lifetime,
    _lock: Option<File>,
}

/// A node on disk with the programs that can run it.
#[derive(Debug)]
struct Installation {
    folder: Folder,
    jars: PathBuf,
    class_path: String,
    java: PathBuf,
    archive: PathBuf,
    path: String,
}

impl Kafka {
    /// Starts the node in `dir/kafka`, making it first when there is none, and returns when it serves clients.
    ///
    /// `jars` is what [`resolve_jars`] returned. It ends with this process at the latest. What a killed predecessor left running
    /// in that folder is ended first.
    pub async fn start(dir: &Path, jars: &Path) -> Result<Self, DevkitError> {
        let folder = open_folder(dir)?;
        let lock = folder.lock()?;
        Self::launch(
            Installation::open(folder, jars)?,
            Lifetime::Owner,
            Some(lock),
            None,
        )
        .await
    }

    /// Like [`start`](Self::start), but outlives this process. The caller makes sure that only one does this at a time.
    pub(crate) async fn start_detached(dir: &Path, jars: &Path) -> Result<Self, DevkitError> {
        Self::launch(
            Installation::open(open_folder(dir)?, jars)?,
            Lifetime::Detached,
            None,
            None,
        )
        .await
    }

    /// The address of the broker that an earlier [`start_detached`](Self::start_detached) started, when it is there and answers.
    pub(crate) async fn attach(dir: &Path) -> Result<Option<(u32, String)>, DevkitError> {
        if !dir.join("kafka/logs").is_dir() {
            return Ok(None);
        }
        let folder = open_folder(dir)?;
        let Some(port) = port::read(&folder.path.join("port")) else {
            return Ok(None);
        };
        let Some(process) = Process::find(&folder.path, "java")?.pop() else {
            return Ok(None);
        };
        let brokers = address(port);
        let serving = time::timeout(Duration::from_secs(5), wire::serving_brokers(&brokers)).await;
        Ok(matches!(serving, Ok(Ok(1..))).then(|| (process.pid(), brokers)))
    }

    /// Ends whatever runs in `dir/kafka`.
    pub async fn end_leftovers(dir: &Path) -> Result<(), DevkitError> {
        if !dir.join("kafka").is_dir() {
            return Ok(());
        }
        end_leftovers(&open_folder(dir)?).await
    }

    /// Runs a node once in a passing folder, to learn which classes a start needs.
    pub(super) async fn archive_classes(
        cache: &Path,
        jars: &Path,
        archive: &Path,
    ) -> Result<(), DevkitError> {
        let work = tempfile::tempdir_in(cache).map_err(DevkitError::io("create", cache))?;
        let installation = Installation::open(open_folder(work.path())?, jars)?;
        let option = format!("-XX:ArchiveClassesAtExit={HOME}/classes.jsa");
        let written = installation.folder.path.join("classes.jsa");
        Self::launch(installation, Lifetime::Owner, None, Some(&option))
            .await?
            .stop()
            .await?;
        // Copied beside its place and moved there whole: a server may be starting from it.
        let copy = archive.with_extension("new");
        fs::copy(&written, &copy).map_err(DevkitError::io("copy", written))?;
        fs::set_permissions(&copy, Permissions::from_mode(0o644))
            .map_err(DevkitError::io("open up", &copy))?;
        fs::rename(&copy, archive).map_err(DevkitError::io("move", copy))
    }

    async fn launch(
        installation: Installation,
        lifetime: Lifetime,
        lock: Option<File>,
        option: Option<&str>,
    ) -> Result<Self, DevkitError> {
        end_leftovers(&installation.folder).await?;
        installation.format().await?;
        let file = installation.folder.path.join("port");
        let mut tries = 3;
        loop {
            tries -= 1;
            let port = port::remembered(&file)?;
            match installation.run(port, lifetime, option).await {
                Ok(process) => {
                    let brokers = address(port);
                    return Ok(Self {
                        installation,
                        port,
                        brokers,
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

    /// What clients connect to.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// The server process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Returns when the server has ended, by whatever cause.
    pub async fn ended(&self) -> Result<(), DevkitError> {
        self.process.ended().await
    }

    /// Halts it where it is: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.signal(Signal::CONT);
    }

    /// Kills it, as a crash would, and waits until it has gone.
    pub async fn kill(&self) -> Result<(), DevkitError> {
        self.process.signal(Signal::KILL);
        self.process.ended().await
    }

    /// Starts it again on the same port after [`kill`](Self::kill).
    pub async fn restart(&mut self) -> Result<(), DevkitError> {
        end_leftovers(&self.installation.folder).await?;
        self.process = self
            .installation
            .run(self.port, self.lifetime, None)
            .await
            .map_err(|error| taken_port(error, SERVER, self.port))?;
        Ok(())
    }

    /// Ends it in order; no process is left.
    pub async fn stop(self) -> Result<(), DevkitError> {
        process::end([&self.process], Signal::TERM, STOP_PATIENCE).await?;
        end_leftovers(&self.installation.folder).await
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Owner {
            self.process.signal(Signal::TERM);
        }
    }
}

impl Installation {
    fn open(folder: Folder, jars: &Path) -> Result<Self, DevkitError> {
        let config = Config::from_env()?;
        let java = jars::java(&config)?;
        let archive = jars::archive(jars, &java)?;
        let class_path = jars::class_path(jars)?;
        Ok(Self {
            folder,
            jars: jars.to_owned(),
            class_path,
            java,
            archive,
            path: config.path,
        })
    }

    /// Makes the node's storage beside its place and moves it there whole: half of one is never taken for one.
    async fn format(&self) -> Result<(), DevkitError> {
        let logs = self.folder.path.join("logs");
        if logs.is_dir() {
            return Ok(());
        }
        let new = self.folder.make_empty("logs.new")?;
        self.folder
            .write("log4j2.properties", include_str!("kafka/log4j2.properties"))?;
        // The port only has to be well formed: the storage does not keep it for long.
        self.folder.write(
            "format.properties",
            &properties("logs.new", port::any()?, port::any()?),
        )?;
        let mut command = self.java(Some("KILL"));
        command
            .args(["kafka.tools.StorageTool", "format", "--standalone"])
            .args([
                "--cluster-id",
                &cluster_id(),
                "--config",
                &format!("{HOME}/format.properties"),
            ]);
        process::run("making Kafka's storage", command).await?;
        fs::rename(&new, &logs).map_err(DevkitError::io("move", new))
    }

    async fn run(
        &self,
        port: u16,
        lifetime: Lifetime,
        option: Option<&str>,
    ) -> Result<Process, DevkitError> {
        self.folder.make_empty("tmp")?;
        self.folder
            .write("log4j2.properties", include_str!("kafka/log4j2.properties"))?;
        let controller = port::remembered(&self.folder.path.join("controller.port"))?;
        self.folder
            .write("server.properties", &properties("logs", port, controller))?;
        let mut command = self.java((lifetime == Lifetime::Owner).then_some("TERM"));
        if let Some(option) = option {
            command.arg(option);
        } else if let Some(name) = self.archive.file_name().filter(|_| self.archive.is_file()) {
            command.arg(format!(
                "-XX:SharedArchiveFile={}/{}",
                process::LIBRARY,
                name.display()
            ));
        }
        command.args(["kafka.Kafka", &format!("{HOME}/server.properties")]);
        let process = Process::spawn(command, self.folder.new_log()?).await?;
        process.record(&self.folder.path.join("pid"))?;
        let address = address(port);
        let serving = async || match wire::serving_brokers(&address).await {
            Ok(0) => Err(std::io::Error::other("not yet admitted by its controller")),
            answer => answer,
        };
        match wait_until_ready(SERVER, &process, &self.folder, START_LIMIT, serving).await {
            Ok(_) => Ok(process),
            Err(error) => {
                process::end([&process], Signal::KILL, STOP_PATIENCE).await?;
                Err(error)
            }
        }
    }

    /// Java with all that every start shares; options and the class to run follow.
    fn java(&self, farewell: Option<&str>) -> Command {
        let mut command = Launch {
            folder: &self.folder,
            home: &self.folder.path,
            library: Some(&self.jars),
            path: &self.path,
        }
        .command(farewell);
        command
            .arg(&self.java)
            // Small, and quick to start: a private node never gets the load that more would pay for.
            .args([
                "-Xms64m",
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            // Nothing of it lies in the machine's temporary folder.
            .args(["-XX:-UsePerfData", &format!("-Djava.io.tmpdir={HOME}/tmp")])
            .arg(format!(
                "-Dlog4j2.configurationFile={HOME}/log4j2.properties"
            ))
            .args(["-cp", &self.class_path])
            // By this it is recognised: see `Process::find`.
            .current_dir(&self.folder.path);
        command
    }
}

async fn end_leftovers(folder: &Folder) -> Result<(), DevkitError> {
    let mut leftovers = Process::find(&folder.path, "java")?;
    leftovers.extend(Process::recorded(&folder.path.join("pid")));
    process::end(&leftovers, Signal::TERM, STOP_PATIENCE).await
}

fn open_folder(dir: &Path) -> Result<Folder, DevkitError> {
    // Another user than Postgres has: neither can read what the other one keeps.
    Folder::open(dir, "kafka", &["kafka", "daemon", "nobody"])
}

/// Not `localhost`, which clients may take for `::1`.
fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Kafka's form of a UUID. One that begins with a dash would be taken for an option.
fn cluster_id() -> String {
    std::iter::repeat_with(|| BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4()))
        .find(|id| !id.starts_with('-'))
        .unwrap_or_default()
}

fn properties(logs: &str, port: u16, controller: u16) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={HOME}/{logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# Nobody else will join: a group need not wait for more members.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After a kill the node is admitted again when its former session has ended; the default is 9 s.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# One node, few clients: the defaults are for big machines.
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
# Each partition keeps two index files of this size open and mapped, whatever it holds; the default, 10 MiB, fills a disk with
# the thousands of partitions that tests make.
log.index.size.max.bytes=131072
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_ids_are_no_options() {
        for _ in 0..1000 {
            let id = cluster_id();
            assert_eq!(id.len(), 22);
            assert!(!id.starts_with('-'), "{id}");
        }
    }
}
