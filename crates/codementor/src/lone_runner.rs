//! A runner for this command alone: no Kafka, no Postgres, no account. It listens on a free port of this machine, takes blobs
//! from files, and is gone with the command.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use clap::Parser;
use contract::{
    manifest::BlobRef,
    runner_api::{BlobSource, BlobToken, JudgeRequest, RunRequest, RunnerConfig, RunnerEvent},
};
use futures::StreamExt;
use serde::Serialize;
use service::{
    Listeners, Shutdown,
    token::{Minter, ServiceKey},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;

/// Preparing compilers and sandboxes takes seconds; a machine under load more.
const READY: Duration = Duration::from_mins(2);

/// A runner, and where its blobs come from.
pub(crate) struct LoneRunner {
    url: String,
    http: reqwest::Client,
    minter: Minter,
    blobs: Blobs,
    shutdown: Shutdown,
    served: JoinHandle<Result<(), runner::RunnerError>>,
    blob_server: JoinHandle<io::Result<()>>,
    _folder: TempDir,
}

/// Files that the runner may ask for, by what they hold.
#[derive(Clone, Default)]
struct Blobs {
    url: String,
    held: Arc<Mutex<HashMap<String, PathBuf>>>,
}

#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    config: runner::Config,
}

impl LoneRunner {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start() -> Result<Self> {
        service::tls::install_once();
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        service::token::make_keys(&folder.path().join("keys"), &["evaluation"])?;
        let key = ServiceKey::load("evaluation", &folder.path().join("keys/evaluation.pem"))?;
        let group = format!("codementor-{}", std::process::id());
        let options = Options::try_parse_from([
            "runner",
            "--trusted-keys",
            &path("keys/trusted.json"),
            "--work-dir",
            &path("work"),
            "--cgroup-name",
            &group,
        ])
        .context("the runner cannot be configured")?;
        std::fs::create_dir_all(folder.path().join("work"))?;
        let listeners = Listeners::ephemeral().await?;
        let addresses = listeners.local_addrs()?;
        let shutdown = Shutdown::manual();
        let served = tokio::spawn(runner::run(options.config, listeners, shutdown.clone()));
        let (blobs, blob_server) = Blobs::serve().await?;
        let mut lone = Self {
            url: format!("http://{}", addresses.api),
            http: reqwest::Client::new(),
            minter: Minter::new(key),
            blobs,
            shutdown,
            served,
            blob_server,
            _folder: folder,
        };
        lone.ready(&format!("http://{}/readyz", addresses.ops))
            .await?;
        Ok(lone)
    }

    async fn ready(&mut self, probe: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            if self.served.is_finished() {
                (&mut self.served).await??;
                bail!("the runner ended at once");
            }
            let answer = self.http.get(probe).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if begun.elapsed() > READY {
                bail!("the runner does not become ready");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it: nothing of it is left then.
    pub(crate) async fn stop(self) -> Result<()> {
        self.shutdown.stop();
        self.blob_server.abort();
        self.served.await??;
        Ok(())
    }

    /// What is in force.
    pub(crate) async fn config(&self) -> Result<RunnerConfig> {
        let request = self.http.get(format!("{}/internal/config", self.url));
        let answer = request
            .bearer_auth(self.minter.service("runner")?)
            .send()
            .await?;
        Ok(answer.json().await?)
    }

    /// Lets the runner have this file.
    pub(crate) fn add(&self, path: PathBuf) -> Result<BlobRef> {
        let mut file = File::open(&path)?;
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            size += count as u64;
        }
        let sha256 = hex::encode(hash.finalize());
        self.blobs.lock().insert(sha256.clone(), path);
        Ok(BlobRef { sha256, size })
    }

    /// Where the runner gets what was added.
    pub(crate) fn source(&self) -> BlobSource {
        BlobSource {
            url: self.blobs.url.clone(),
            tokens: vec![BlobToken {
                first: String::new(),
                token: "none".to_owned(),
            }],
        }
    }

    /// Judges; each event is told as it comes.
    pub(crate) async fn judge(
        &self,
        request: &JudgeRequest,
        told: impl FnMut(&RunnerEvent),
    ) -> Result<Vec<RunnerEvent>> {
        self.ask("judge", request, told).await
    }

    /// Runs once.
    pub(crate) async fn run(&self, request: &RunRequest) -> Result<Vec<RunnerEvent>> {
        self.ask("run", request, |_| {}).await
    }

    async fn ask(
        &self,
        what: &str,
        body: &impl Serialize,
        mut told: impl FnMut(&RunnerEvent),
    ) -> Result<Vec<RunnerEvent>> {
        let answer = self
            .http
            .post(format!("{}/internal/{what}", self.url))
            .bearer_auth(self.minter.service("runner")?)
            .json(body)
            .send()
            .await
            .context("the runner does not answer")?;
        if !answer.status().is_success() {
            let problem: serde_json::Value = answer.json().await.unwrap_or_default();
            let first = &problem["errors"][0];
            let reason = first["message"].as_str().or(problem["detail"].as_str());
            bail!("{}", reason.unwrap_or("the runner refuses it"));
        }
        let (mut events, mut rest) = (Vec::new(), Vec::new());
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            rest.extend_from_slice(&chunk.context("the runner's answer was cut")?);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let event =
                    serde_json::from_slice(&line).context("the runner's answer is not an event")?;
                told(&event);
                events.push(event);
            }
        }
        match events.last() {
            Some(RunnerEvent::Finished(_) | RunnerEvent::Failed(_)) => Ok(events),
            _ => bail!("the runner's answer was cut"),
        }
    }
}

impl Blobs {
    async fn serve() -> Result<(Self, JoinHandle<io::Result<()>>)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let blobs = Self {
            url: format!("http://{}", listener.local_addr()?),
            held: Arc::default(),
        };
        let router = Router::new()
            .route("/internal/blobs/{sha256}", get(blob))
            .with_state(blobs.clone());
        let served = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((blobs, served))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, PathBuf>> {
        // Whole between any two of its own calls.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blob(State(blobs): State<Blobs>, Path(sha256): Path<String>) -> Response {
    let path = blobs.lock().get(&sha256).cloned();
    let Some(path) = path else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::fs::File::open(path).await {
        Ok(file) => Body::from_stream(ReaderStream::new(file)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
