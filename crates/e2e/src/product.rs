//! The product as users have it: `codementor up` in a folder of its own, started, killed and ended like any program.

use std::{
    fs,
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::Person;

/// A start on a busy machine takes its time; far beyond that something hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the folder of the shared product begins with; the process that owns it follows.
const SHARED_PREFIX: &str = "codementor-e2e-shared-";

/// How to start it.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Arguments after `up`.
    pub arguments: Vec<String>,
    /// Variables beside those of this process.
    pub environment: Vec<(String, String)>,
    /// Whether nobody waits for its end: it is asked to end when this process does.
    pub ends_with_us: bool,
}

/// A running `codementor up`.
#[derive(Debug)]
pub struct Product {
    child: Child,
    folder: Arc<TempDir>,
    start: Start,
    /// What `up.json` says.
    pub summary: Value,
}

impl Product {
    /// Starts it in a new folder and waits until it is ready.
    pub async fn start(start: Start) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("codementor-e2e-")
            .tempdir()
            .expect("a temporary folder");
        Self::start_in(Arc::new(folder), start).await
    }

    /// The one that tests share which only look at it: started by the first that asks, ended with this process.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Product> = OnceCell::const_new();
        SHARED.get_or_init(Self::start_shared).await
    }

    async fn start_shared() -> Self {
        let generous = [
            ("CODEMENTOR_SUBMISSIONS_PER_MINUTE", "100000"),
            ("CODEMENTOR_REQUESTS_PER_MINUTE", "1000000"),
            ("CODEMENTOR_STREAMS_PER_ACCOUNT", "1000"),
            ("CODEMENTOR_WAITING_PER_ACCOUNT", "0"),
            ("CODEMENTOR_SIGN_INS_PER_MINUTE", "100000"),
        ];
        let start = Start {
            arguments: vec!["--split".to_owned()],
            environment: generous
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            ends_with_us: true,
        };
        remove_abandoned();
        let folder = tempfile::Builder::new()
            .prefix(&format!("{SHARED_PREFIX}{}-", std::process::id()))
            .tempdir()
            .expect("a temporary folder");
        Self::start_in(Arc::new(folder), start).await
    }

    /// Starts it on what already lies below `data` in that folder, and waits until it is ready.
    pub async fn start_in(folder: Arc<TempDir>, start: Start) -> Self {
        let log = fs::File::create(folder.path().join("up.log")).expect("the folder is writable");
        crate::person::prepare_tls();
        let mut command = command(folder.path(), &start);
        command
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log);
        let child = spawn(command, start.ends_with_us);
        let mut product = Self {
            child,
            folder,
            start,
            summary: Value::Null,
        };
        product.summary = product.wait_for_summary().await;
        product
    }

    async fn wait_for_summary(&mut self) -> Value {
        let path = self.data().join("up.json");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(bytes) = fs::read(&path) {
                return serde_json::from_slice(&bytes).expect("up.json is JSON");
            }
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "up ended: {}", self.log());
            assert!(Instant::now() < deadline, "up is not ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("up.log")).unwrap_or_default()
    }

    /// The public address.
    pub fn url(&self) -> &str {
        self.summary["url"].as_str().expect("up.json has a url")
    }

    /// A service's private address.
    pub fn service_url(&self, name: &str) -> &str {
        let url = self.summary["services"][name]["url"].as_str();
        url.unwrap_or_else(|| panic!("up.json has no address of {name}"))
    }

    /// Where a service's probes and metrics are.
    pub fn ops_url(&self, name: &str) -> &str {
        let url = self.summary["services"][name]["ops_url"].as_str();
        url.unwrap_or_else(|| panic!("up.json has no ops address of {name}"))
    }

    /// A service's process.
    pub fn pid(&self, name: &str) -> Pid {
        let pid = self.summary["services"][name]["pid"].as_i64();
        let pid = pid.unwrap_or_else(|| panic!("{name} has no process of its own"));
        Pid::from_raw(i32::try_from(pid).expect("a pid"))
    }

    /// Somebody signed in with the demo account of that role.
    pub async fn demo(&self, role: &str) -> Person {
        let account = self.summary["accounts"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|account| account["role"] == role)
            .unwrap_or_else(|| panic!("no demo account for {role}"));
        let text = |field: &str| account[field].as_str().expect("a text").to_owned();
        Person::sign_in(self.url(), &text("email"), &text("password")).await
    }

    /// Somebody new, registered as a learner.
    pub async fn newcomer(&self, name: &str) -> Person {
        Person::register(self.url(), name).await
    }

    /// Runs the program beside it, such as `codementor token`.
    pub fn tool(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(program())
            .args(arguments)
            .env("CODEMENTOR_DATA", self.data())
            .output()
            .expect("codementor runs")
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    pub async fn end(&mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGINT).expect("it is our child");
        self.wait().await
    }

    /// Kills it and every process that it started, as a power cut would.
    pub async fn kill_everything(&mut self) {
        let below = descendants(self.child.id());
        for pid in below.into_iter().chain([self.child.id()]) {
            kill(
                Pid::from_raw(i32::try_from(pid).expect("a pid")),
                Signal::SIGKILL,
            )
            .ok();
        }
        self.wait().await;
    }

    /// Starts it again on the same folder after it has ended.
    pub async fn start_again(&mut self) {
        // What a killed one wrote last is not what the next one will write.
        fs::remove_file(self.data().join("up.json")).ok();
        let again = Self::start_in(Arc::clone(&self.folder), self.start.clone()).await;
        *self = again;
    }

    /// Waits until it has ended by itself, as it does when a part of it dies.
    pub async fn wait_until_ended(&mut self) -> ExitStatus {
        self.wait().await
    }

    async fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < deadline, "up does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process of `up` itself.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let pid = i32::try_from(self.child.id()).expect("a pid");
            kill(Pid::from_raw(pid), Signal::SIGINT).ok();
            self.child.wait().ok();
        }
    }
}

/// Where cargo put the program: beside this test's own folder.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("target/debug/deps/it");
    folder.join("codementor")
}

fn command(folder: &Path, start: &Start) -> Command {
    let listens = start
        .arguments
        .iter()
        .any(|argument| argument == "--listen");
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let mut command = if start.ends_with_us {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT", "--"]).arg(program());
        command
    } else {
        Command::new(program())
    };
    command
        .arg("up")
        .arg("--data")
        .arg(folder.join("data"))
        .args(&start.arguments)
        .env_remove("DATABASE_URL")
        .env_remove("KAFKA_BROKERS")
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .process_group(0);
    if !listens {
        command.arg("--listen").arg(any.to_string());
    }
    command
}

/// Linux tells a child of its parent thread's death; tests' threads end all the time, so the shared one has a thread of its own.
fn spawn(mut command: Command, ends_with_us: bool) -> Child {
    let mut start = move || {
        command
            .spawn()
            .expect("codementor was built: `cargo build -p codementor`")
    };
    if !ends_with_us {
        return start();
    }
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tell.send(start()).expect("somebody waits for it");
        loop {
            std::thread::park();
        }
    });
    told.recv().expect("it starts")
}

/// Folders of shared products whose test process has gone: nobody was left to remove them.
fn remove_abandoned() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let owner = name
            .strip_prefix(SHARED_PREFIX)
            .and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Every process below this one, in no order.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
    }
    found.split_off(1)
}
