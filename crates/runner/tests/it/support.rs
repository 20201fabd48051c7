//! One runner for all tests of this binary, with keys, folders and a blob server around it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use contract::Language;
use contract::language::InstalledLanguage;
use service::token::{Minter, ServiceKey};
use service::{Listeners, Shutdown};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::blob_server::BlobServer;

/// A runner in a folder of its own, with everything around it.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) url: String,
    pub(crate) ops: String,
    pub(crate) http: reqwest::Client,
    pub(crate) blobs: BlobServer,
    pub(crate) folder: TempDir,
    minters: HashMap<&'static str, Minter>,
    shutdown: Shutdown,
    served: Option<JoinHandle<Result<(), runner::RunnerError>>>,
}

/// The world of the tests that run now: the last one to finish takes it down, so that nothing is left behind. A test
/// holds it from its first line to its last.
pub(crate) fn world() -> Arc<World> {
    static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());
    let mut shared = lock(&WORLD);
    shared.upgrade().unwrap_or_else(|| {
        let world = Arc::new(World::start("codementor-runner-test", |_| {}));
        *shared = Arc::downgrade(&world);
        world
    })
}

/// A panic elsewhere does not spoil what these locks protect.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Starts a runner of its own.
    pub(crate) fn start(cgroup: &str, change: impl FnOnce(&mut runner::Config)) -> Self {
        service::tls::install_once();
        let runtime = Runtime::new().expect("a runtime starts");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let keys = folder.path().join("keys");
        let names = ["evaluation", "execute", "gateway"];
        service::token::make_keys(&keys, &names).expect("keys are made");
        let minter = |name: &'static str| {
            let path = keys.join(format!("{name}.pem"));
            let key = ServiceKey::load(name, &path).expect("the key was made");
            (name, Minter::new(key))
        };
        let minters = names.map(minter).into();
        share_prepared(&folder);
        let mut config = config(&folder, cgroup);
        change(&mut config);
        let shutdown = Shutdown::manual();
        let for_runner = shutdown.clone();
        let (addresses, blobs, served) = runtime.block_on(async {
            let listeners = Listeners::ephemeral().await.expect("free ports");
            let addresses = listeners.local_addrs().expect("they are bound");
            let served = tokio::spawn(runner::run(config, listeners, for_runner));
            (addresses, BlobServer::start().await, served)
        });
        let world = Self {
            runtime,
            url: format!("http://{}", addresses.api),
            ops: format!("http://{}", addresses.ops),
            http: reqwest::Client::new(),
            blobs,
            folder,
            minters,
            shutdown,
            served: Some(served),
        };
        world.block_on(world.ready());
        world
    }

    async fn ready(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let address = format!("{}/readyz", self.ops);
        loop {
            let answer = self.http.get(&address).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let ended = self.served.as_ref().is_some_and(JoinHandle::is_finished);
            assert!(!ended, "the runner ended at once");
            assert!(
                Instant::now() < deadline,
                "the runner does not become ready"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What is installed.
    pub(crate) fn installed(&self) -> Vec<InstalledLanguage> {
        self.block_on(async {
            let request = self.http.get(format!("{}/internal/languages", self.url));
            let request = request.bearer_auth(self.token("execute"));
            let answer = request.send().await.expect("answers");
            answer.json().await.expect("is a list")
        })
    }

    /// The languages that this machine has.
    pub(crate) fn languages(&self) -> Vec<Language> {
        self.installed()
            .iter()
            .map(|language| language.id)
            .collect()
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A token of this service for the runner.
    pub(crate) fn token(&self, service: &str) -> String {
        self.minters[service]
            .service("runner")
            .expect("the key signs")
            .to_string()
    }

    /// Posts as evaluation does.
    pub(crate) async fn post(&self, path: &str, body: &impl serde::Serialize) -> reqwest::Response {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.token("evaluation"))
            .json(body)
            .send()
            .await
            .expect("the runner answers")
    }

    /// Ends the runner and tells how it ended; everything of it must be gone then.
    pub(crate) fn stop(&mut self) -> Result<(), runner::RunnerError> {
        let Some(served) = self.served.take() else {
            return Ok(());
        };
        self.runtime.block_on(async {
            self.shutdown.stop();
            served.await.expect("the runner does not panic")
        })
    }

    /// The signal to end, without waiting for it.
    pub(crate) fn begin_stop(&self) {
        self.block_on(async { self.shutdown.stop() });
    }
}

impl World {
    /// The hard end, without a grace.
    pub(crate) fn end_at_once(&self) {
        self.block_on(async { self.shutdown.stop_now() });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let stopped = self.stop();
        if !std::thread::panicking() {
            stopped.expect("the runner ends well");
        }
    }
}

/// Precompiled headers take seconds to make and are the same for all: they are kept between runners.
fn share_prepared(folder: &TempDir) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runner-prepared");
    std::fs::create_dir_all(&kept).expect("the target folder is ours");
    let work = folder.path().join("work");
    std::fs::create_dir(&work).expect("the folder is new");
    std::os::unix::fs::symlink(kept, work.join("prepared")).expect("the folder is new");
}

fn config(folder: &TempDir, cgroup: &str) -> runner::Config {
    /// The options as the binary reads them.
    #[derive(clap::Parser)]
    struct Options {
        #[command(flatten)]
        config: runner::Config,
    }
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let options: Options = clap::Parser::parse_from([
        "runner",
        "--trusted-keys",
        &path("keys/trusted.json"),
        "--work-dir",
        &path("work"),
        "--cgroup-name",
        cgroup,
        "--slots",
        "2",
        "--jobs",
        "32",
    ]);
    runner::Config {
        init_exe: Some(PathBuf::from(env!("CARGO_BIN_EXE_runner-init"))),
        ..options.config
    }
}

/// Waits until it holds; fails after twenty seconds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
