//! One runner for all tests of this binary, a blob server beside it, and short ways to ask for a judgement.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use contract::Language;
use contract::event::{Compiled, FinalVerdict, RunOutput, TestResult};
use contract::job::SourceFile;
use contract::manifest::{
    BlobRef, Checker, Feedback, Judging, JudgingMode, Limits, QuestionKind, TestRef,
};
use contract::runner_api::{BlobSource, JudgeRequest, RunRequest, RunnerEvent, RunnerFailure};
use contract::verdict::Verdict;
use service::token::{Minter, ServiceKey};
use service::{Listeners, Shutdown};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// What opens the blob server.
const BLOB_TOKEN: &str = "blob-token";

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

/// The world of the tests that run now: the last one to finish takes it down, so that nothing is left behind.
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
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
        let deadline = Instant::now() + Duration::from_secs(60);
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

impl Drop for World {
    fn drop(&mut self) {
        let stopped = self.stop();
        if !std::thread::panicking() {
            stopped.expect("the runner ends well");
        }
    }
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

/// A server of blobs that counts what it is asked for.
#[derive(Clone)]
pub(crate) struct BlobServer {
    pub(crate) url: String,
    held: Arc<Mutex<HashMap<String, Blob>>>,
}

#[derive(Default)]
struct Blob {
    bytes: Vec<u8>,
    asked: usize,
}

impl BlobServer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = Self {
            url,
            held: Arc::default(),
        };
        let router = axum::Router::new()
            .route("/internal/blobs/{sha256}", get(blob))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// Keeps these bytes and names them.
    pub(crate) fn add(&self, bytes: &[u8]) -> BlobRef {
        let sha256 = hex::encode(Sha256::digest(bytes));
        lock(&self.held).entry(sha256.clone()).or_default().bytes = bytes.to_vec();
        BlobRef {
            sha256,
            size: bytes.len() as u64,
        }
    }

    /// Answers with these bytes for that name from now on.
    pub(crate) fn corrupt(&self, blob: &BlobRef, bytes: &[u8]) {
        lock(&self.held)
            .entry(blob.sha256.clone())
            .or_default()
            .bytes = bytes.to_vec();
    }

    /// How often a blob was asked for.
    pub(crate) fn asked(&self, blob: &BlobRef) -> usize {
        lock(&self.held)
            .get(&blob.sha256)
            .map_or(0, |held| held.asked)
    }

    /// As evaluation names it.
    pub(crate) fn source(&self) -> BlobSource {
        BlobSource {
            url: self.url.clone(),
            token: BLOB_TOKEN.to_owned(),
        }
    }
}

async fn blob(
    State(server): State<BlobServer>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Result<Vec<u8>, StatusCode> {
    let expected = format!("Bearer {BLOB_TOKEN}");
    if headers
        .get("authorization")
        .is_none_or(|given| given != expected.as_str())
    {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut held = lock(&server.held);
    let found = held.get_mut(&sha256).ok_or(StatusCode::NOT_FOUND)?;
    found.asked += 1;
    Ok(found.bytes.clone())
}

/// A judgement that is being put together.
pub(crate) struct Ask {
    pub(crate) world: Arc<World>,
    pub(crate) request: JudgeRequest,
}

/// Code in a language, no tests yet, generous limits.
pub(crate) fn ask(language: Language, code: &str) -> Ask {
    let world = world();
    let request = JudgeRequest {
        language,
        files: vec![SourceFile {
            name: "main".to_owned(),
            content: code.to_owned(),
        }],
        judging: Judging {
            kind: QuestionKind::Stdio,
            limits: Limits {
                time_ms: 5_000,
                ..Limits::default()
            },
            time_factor: 1.0,
            checker: Checker::default(),
            mode: JudgingMode::Full,
            feedback: Feedback::Full,
            driver: None,
            tests: Vec::new(),
        },
        show_output: false,
        blobs: Some(world.blobs.source()),
    };
    Ask { world, request }
}

impl Ask {
    /// A sample.
    pub(crate) fn sample(self, input: &str, output: &str) -> Self {
        self.test(input, output, |test| test.sample = true)
    }

    /// A hidden test.
    pub(crate) fn hidden(self, input: &str, output: &str) -> Self {
        self.test(input, output, |_| {})
    }

    /// A test.
    pub(crate) fn test(
        mut self,
        input: &str,
        output: &str,
        change: impl FnOnce(&mut TestRef),
    ) -> Self {
        let mut test = TestRef {
            name: format!("t{}", self.request.judging.tests.len() + 1),
            sample: false,
            group: None,
            points: None,
            input: self.world.blobs.add(input.as_bytes()),
            output: self.world.blobs.add(output.as_bytes()),
        };
        change(&mut test);
        self.request.judging.tests.push(test);
        self
    }

    pub(crate) fn judging(mut self, change: impl FnOnce(&mut Judging)) -> Self {
        change(&mut self.request.judging);
        self
    }

    pub(crate) fn driver(self, driver: &str) -> Self {
        self.judging(|judging| judging.driver = Some(driver.to_owned()))
    }

    pub(crate) fn file(mut self, name: &str, content: &str) -> Self {
        self.request.files.push(SourceFile {
            name: name.to_owned(),
            content: content.to_owned(),
        });
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut JudgeRequest)) -> Self {
        change(&mut self.request);
        self
    }

    /// Judges it and waits for the end.
    pub(crate) fn judge(&self) -> Answer {
        self.world.block_on(self.judged())
    }

    /// The same for tests that do several things at once.
    pub(crate) async fn judged(&self) -> Answer {
        Answer::read(self.world.post("/internal/judge", &self.request).await).await
    }

    /// Runs it on this input.
    pub(crate) fn run(&self, stdin: &str) -> Answer {
        let request = RunRequest {
            language: self.request.language,
            files: self.request.files.clone(),
            judging: self.request.judging.clone(),
            stdin: stdin.to_owned(),
        };
        let post = async { Answer::read(self.world.post("/internal/run", &request).await).await };
        self.world.block_on(post)
    }

    /// The answer to a request that is refused.
    pub(crate) fn refused(&self) -> (u16, serde_json::Value) {
        self.world.block_on(async {
            let answer = self.world.post("/internal/judge", &self.request).await;
            let status = answer.status().as_u16();
            (status, answer.json().await.expect("a problem is JSON"))
        })
    }
}

/// What a runner streamed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) events: Vec<RunnerEvent>,
    /// The same, as it came.
    pub(crate) text: String,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status();
        let kind = response.headers().get("content-type").cloned();
        let text = response.text().await.expect("the stream is whole");
        assert!(status.is_success(), "{status}: {text}");
        assert_eq!(
            kind.as_ref().and_then(|kind| kind.to_str().ok()),
            Some("application/x-ndjson")
        );
        let parse = |line| serde_json::from_str(line).expect("each line is an event");
        let events = text.lines().map(parse).collect();
        Self { events, text }
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        match self.events.first() {
            Some(RunnerEvent::Compiled(compiled)) => compiled,
            other => panic!("the first event is {other:?}"),
        }
    }

    /// The last event, which must be a verdict.
    pub(crate) fn verdict(&self) -> &FinalVerdict {
        match self.events.last() {
            Some(RunnerEvent::Finished(verdict)) => verdict,
            other => panic!("the last event is {other:?}"),
        }
    }

    /// The last event, which must be a failure.
    pub(crate) fn failure(&self) -> &RunnerFailure {
        match self.events.last() {
            Some(RunnerEvent::Failed(failure)) => failure,
            other => panic!("the last event is {other:?}"),
        }
    }

    pub(crate) fn tests(&self) -> Vec<&TestResult> {
        let test = |event| match event {
            &RunnerEvent::Test(ref test) => Some(test),
            _ => None,
        };
        self.events.iter().filter_map(test).collect()
    }

    pub(crate) fn outputs(&self) -> Vec<&RunOutput> {
        let output = |event| match event {
            &RunnerEvent::Output(ref output) => Some(output),
            _ => None,
        };
        self.events.iter().filter_map(output).collect()
    }

    /// Verdicts of the tests.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.tests().iter().map(|test| test.verdict).collect()
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
