//! The runner: compiles a learner's code, runs it in the sandbox on every test, compares, and tells what happened.
//!
//! ```text
//!  evaluation ── POST /internal/judge ──▶ routes ─ validate ─ runner (admission) ─▶ judge ─▶ NDJSON events
//!                                                                  │    │      │
//!                                 blobs (tests by hash, on disk) ◀─┘    │      └─▶ checker ─ score ─ report
//!                                 compile (cache) ◀ language, toolchain ┘
//!                                        └──────────── sandbox ──────────┘
//! ```
//! In reading order: [`Config`] and [`run`]; `routes`, `validate`, `runner`; `judge` with `verdict`, `checker`, `jury`, `score`
//! and `report`; `language` (the table), `toolchain`, `compile`, `lines`; `blobs`.
//!
//! What it never does: run anything outside the sandbox, keep anything that matters, hold a secret, tell of a hidden
//! test more than its verdict, or let an expected output into a run of the learner's program.

mod blobs;
mod checker;
mod compile;
mod config;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod judge;
mod jury;
mod language;
mod lines;
mod lru;
mod report;
mod routes;
mod runner;
mod score;
mod signal;
mod text;
mod toolchain;
mod validate;
mod verdict;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sandbox::Sandbox;
use service::token::{TrustedKeys, Verifier};
use service::{Listeners, Ops, Part, Shutdown, Start};

use blobs::Blobs;
use compile::Compiler;
use judge::Judge;
use language::Hints;
use runner::Runner;
use toolchain::Search;

pub use config::Config;
pub use error::RunnerError;
pub use routes::{AppState, router};

/// Pause between two looks at the sandbox.
const LOOK: Duration = Duration::from_secs(1);

/// Its name to the others.
const NAME: &str = "runner";

/// Runs a runner until the shutdown, finishing what it has begun. When this returns, none of its programs, cgroups and
/// directories of prepared programs is left.
pub async fn run(
    config: Config,
    listeners: Listeners,
    shutdown: Shutdown,
) -> Result<(), RunnerError> {
    service::metrics::install_once();
    let ops = Ops::new(NAME);
    let sandbox_part = ops.part("sandbox");
    let start = Start::begin(&ops, &listeners, &shutdown)?;
    let trusted = start.keys(|| config.trusted.load()).await?;
    let hints = Hints {
        java_home: config.java_home.clone(),
        toolchains: config.toolchains(),
    };
    let search = Search::run(&hints);
    let sandbox = start_sandbox(&config, &search).await?;
    sandbox_part.ok();
    watch(&sandbox, sandbox_part, &shutdown);
    start.done().await;
    let served = serve(
        &config, &sandbox, search, trusted, ops, listeners, &shutdown,
    )
    .await;
    if served.is_ok() {
        shutdown.finished().await;
    }
    sandbox.shutdown().await;
    served
}

async fn start_sandbox(config: &Config, search: &Search) -> Result<Sandbox, RunnerError> {
    let mut wanted = sandbox::Config::new(config.work_dir.join("sandbox"), config.slots());
    wanted.cgroup_name.clone_from(&config.cgroup_name);
    wanted.allow_degraded = config.allow_degraded;
    wanted.init_exe.clone_from(&config.init_exe);
    wanted.read_only_paths.extend(search.visible().cloned());
    Ok(Sandbox::start(wanted).await?)
}

async fn serve(
    config: &Config,
    sandbox: &Sandbox,
    search: Search,
    trusted: TrustedKeys,
    ops: Ops,
    listeners: Listeners,
    shutdown: &Shutdown,
) -> Result<(), RunnerError> {
    let prepared = config.work_dir.join("prepared");
    make_folder(&prepared)?;
    let blobs = Blobs::open(blobs::folder(&config.work_dir), config.blob_cache_mib << 20)?;
    let (toolchains, absent) = search.ask(sandbox).await?;
    toolchain::prune(&prepared, &toolchains).map_err(RunnerError::Folder)?;
    let compiler = Compiler::new(
        sandbox.clone(),
        config.compile_cache,
        config.compile_cache_mib << 20,
    );
    let judge = Judge {
        sandbox: sandbox.clone(),
        compiler,
        toolchains,
        blobs,
        strict: config.strict,
    };
    let runner = Arc::new(Runner::new(judge, absent, config.jobs(), shutdown.clone()));
    describe(&runner);
    prepare(&runner, &prepared, shutdown);
    let state = AppState {
        runner,
        verifier: Verifier::new(NAME, trusted),
    };
    Ok(service::serve(listeners, router(state), ops, shutdown.clone()).await?)
}

fn make_folder(path: &Path) -> Result<(), RunnerError> {
    fs::create_dir_all(path).map_err(RunnerError::Folder)
}

/// Tells metrics what does not change.
fn describe(runner: &Runner) {
    let config = runner.config();
    let slots = f64::from(u32::try_from(config.slots).unwrap_or(u32::MAX));
    metrics::gauge!("codementor_judge_slots", "state" => "all").set(slots);
    metrics::gauge!("codementor_judge_slots", "state" => "busy").set(0.0);
    metrics::gauge!("codementor_sandbox_mode", "mode" => config.backend).set(1.0);
}

/// Not ready, so that others get the work, for as long as the sandbox is in trouble.
fn watch(sandbox: &Sandbox, part: Part, shutdown: &Shutdown) {
    let (sandbox, soft) = (sandbox.clone(), shutdown.soft().clone());
    shutdown.tracker().spawn(async move {
        let mut ticks = tokio::time::interval(LOOK);
        while soft.run_until_cancelled(ticks.tick()).await.is_some() {
            part.tell(sandbox.health());
        }
    });
}

/// Prepares compilers while the first requests already come in.
fn prepare(runner: &Arc<Runner>, folder: &Path, shutdown: &Shutdown) {
    let (runner, folder) = (Arc::clone(runner), folder.to_owned());
    let soft = shutdown.soft().clone();
    shutdown.tracker().spawn(async move {
        let judge = runner.judge();
        for toolchain in &judge.toolchains {
            let done = tokio::select! {
                () = soft.cancelled() => return,
                done = toolchain.prepare(&judge.sandbox, &folder) => done,
            };
            if let Err(error) = done {
                let language = toolchain.spec.id;
                tracing::warn!(%language, %error, "compiling {language} stays slow: it could not be prepared");
            }
        }
    });
}
