//! How long a judgement takes: compile and ten tests, for each language, through the HTTP API, on this machine.
//!
//! `cargo run --release -p runner --example figures [rounds]`. Prints medians in milliseconds. "new" is code that was
//! never compiled before, "known" the same code again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use contract::Language;
use contract::job::SourceFile;
use contract::language::InstalledLanguage;
use contract::manifest::{
    BlobRef, Checker, Feedback, Judging, JudgingMode, Limits, QuestionKind, TestRef,
};
use contract::runner_api::{BlobSource, BlobToken, JudgeRequest, RunnerEvent};
use service::token::{Minter, ServiceKey};
use service::{Listeners, Shutdown};
use sha2::{Digest, Sha256};

type Blobs = Arc<HashMap<String, Vec<u8>>>;

/// The options as the binary reads them.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    config: runner::Config,
}

/// Where to ask, and with what.
struct Client {
    http: reqwest::Client,
    url: String,
    minter: Minter,
}

impl Client {
    /// A token that is still young.
    fn token(&self) -> String {
        let token = self.minter.service("runner");
        token.expect("the key signs").to_string()
    }
}

fn main() {
    sandbox::init_if_requested();
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(11);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(rounds));
}

async fn measure(rounds: usize) {
    service::tls::install_once();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let keys = folder.path().join("keys");
    service::token::make_keys(&keys, &["evaluation"]).expect("keys are made");
    let key = ServiceKey::load("evaluation", &keys.join("evaluation.pem")).expect("was made");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let options: Options = clap::Parser::parse_from([
        "figures",
        "--trusted-keys",
        &path("keys/trusted.json"),
        "--work-dir",
        &path("work"),
        "--cgroup-name",
        "codementor-figures",
    ]);
    let shutdown = Shutdown::manual();
    let listeners = Listeners::ephemeral().await.expect("free ports");
    let address = listeners.local_addrs().expect("they are bound").api;
    let runner = tokio::spawn(runner::run(options.config, listeners, shutdown.clone()));
    let client = Client {
        http: reqwest::Client::new(),
        url: format!("http://{address}/internal"),
        minter: Minter::new(key),
    };
    let languages = languages(&client).await;
    let (tests, blobs) = ten_tests().await;
    prepared(&folder.path().join("work/prepared")).await;
    println!(
        "{:<12}{:>10}{:>10}{:>10}",
        "language", "compile", "new", "known"
    );
    for language in &languages {
        let (mut compile, mut new, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let comment = if matches!(language.id, Language::Python | Language::Pypy) {
                "#"
            } else {
                "//"
            };
            let code = format!("{}{comment} {round}\n", language.template);
            let request = request(language.id, code, &tests, &blobs);
            let (time, compiled) = judge(&client, &request).await;
            new.push(time);
            compile.push(Duration::from_millis(compiled));
            known.push(judge(&client, &request).await.0);
        }
        println!(
            "{:<12}{:>10}{:>10.0}{:>10.0}",
            language.id.id(),
            median(&mut compile).as_millis(),
            median(&mut new).as_secs_f64() * 1000.0,
            median(&mut known).as_secs_f64() * 1000.0,
        );
    }
    shutdown.stop();
    runner.await.expect("no panic").expect("ends well");
}

/// Waits until headers and archives are prepared: three files, the last of which is loaded at once.
async fn prepared(folder: &std::path::Path) {
    let deadline = Instant::now() + Duration::from_mins(2);
    let whole = || {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .filter(|file| !file.file_name().to_string_lossy().starts_with('.'))
            .count()
    };
    while whole() < 3 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn languages(client: &Client) -> Vec<InstalledLanguage> {
    loop {
        let request = client.http.get(format!("{}/languages", client.url));
        if let Ok(answer) = request.bearer_auth(client.token()).send().await
            && answer.status().is_success()
        {
            return answer.json().await.expect("is a list");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Ten sums, and a server that has them.
async fn ten_tests() -> (Vec<TestRef>, BlobSource) {
    let mut blobs = HashMap::new();
    let mut add = |text: String| {
        let (sha256, size) = (hex::encode(Sha256::digest(&text)), text.len() as u64);
        blobs.insert(sha256.clone(), text.into_bytes());
        BlobRef { sha256, size }
    };
    let tests = (1..=10)
        .map(|n| TestRef {
            name: format!("t{n}"),
            sample: false,
            group: None,
            points: None,
            args: Vec::new(),
            checker_args: Vec::new(),
            input: add(format!("{n} 1000\n")),
            output: add(format!("{}\n", n + 1000)),
        })
        .collect();
    let router = axum::Router::new()
        .route("/internal/blobs/{sha256}", get(blob))
        .with_state(Arc::new(blobs));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let tokens = vec![BlobToken {
        first: String::new(),
        token: "any".to_owned(),
    }];
    (tests, BlobSource { url, tokens })
}

async fn blob(
    State(blobs): State<Blobs>,
    Path(sha256): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    blobs.get(&sha256).cloned().ok_or(StatusCode::NOT_FOUND)
}

fn request(
    language: Language,
    content: String,
    tests: &[TestRef],
    blobs: &BlobSource,
) -> JudgeRequest {
    JudgeRequest {
        language,
        files: vec![SourceFile {
            name: "main".to_owned(),
            content,
        }],
        judging: Judging {
            kind: QuestionKind::Stdio,
            limits: Limits::default(),
            time_factor: language.default_time_factor(),
            checker: Checker::default(),
            mode: JudgingMode::Full,
            feedback: Feedback::Full,
            driver: None,
            tests: tests.to_vec(),
            groups: Vec::new(),
        },
        show_output: false,
        blobs: Some(blobs.clone()),
    }
}

/// The time until the verdict, and the compiler's in milliseconds.
async fn judge(client: &Client, request: &JudgeRequest) -> (Duration, u64) {
    let started = Instant::now();
    let post = client.http.post(format!("{}/judge", client.url));
    let answer = post.bearer_auth(client.token()).json(request).send().await;
    let text = answer.expect("answers").text().await.expect("is whole");
    let time = started.elapsed();
    let events: Vec<RunnerEvent> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is an event"))
        .collect();
    match (&events[0], events.last()) {
        (RunnerEvent::Compiled(compiled), Some(RunnerEvent::Finished(end))) if end.passed == 10 => {
            (time, compiled.time_ms)
        }
        _ => panic!("not accepted: {text}"),
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
