//! One sandbox for all tests of this binary, and short ways to ask it for a run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sandbox::{Config, Content, InputFile, Limits, Outcome, Program, Sandbox, SandboxError};
use tokio::runtime::Runtime;

/// Limits that no well-behaved test program reaches.
pub(crate) const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(10),
    wall: Duration::from_secs(30),
    memory_bytes: 256 << 20,
    processes: 64,
    output_bytes: 1 << 20,
    stderr_bytes: 64 << 10,
    file_bytes: 64 << 20,
    stack_bytes: None,
    collect_bytes: 64 << 20,
};

/// A configuration with a work directory of its own below `place`.
pub(crate) fn config(place: PathBuf, slots: usize) -> Config {
    let mut config = Config::new(place, slots);
    config.init_exe = Some(PathBuf::from(env!("CARGO_BIN_EXE_sandbox-init")));
    config
}

/// The shared sandbox and the runtime that drives every test.
struct World {
    runtime: Runtime,
    sandbox: Sandbox,
}

/// The world of the tests that run now: the last one to finish takes it down, so that nothing is left behind.
fn world() -> Arc<World> {
    static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());
    let mut shared = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let runtime = Runtime::new().expect("a runtime starts");
        let place = std::env::temp_dir().join("codementor-sandbox-tests");
        let sandbox = runtime
            .block_on(Sandbox::start(config(place, 2)))
            .expect("the sandbox starts");
        let world = Arc::new(World { runtime, sandbox });
        *shared = Arc::downgrade(&world);
        world
    })
}

/// Runs an asynchronous test against the shared sandbox.
pub(crate) fn with_sandbox<T>(test: impl AsyncFnOnce(&Sandbox) -> T) -> T {
    let world = world();
    world.runtime.block_on(test(&world.sandbox))
}

/// Everything about a run that a test may want to change.
pub(crate) struct Ask<'a> {
    pub(crate) argv: Vec<String>,
    pub(crate) files: Vec<InputFile<'a>>,
    pub(crate) program: Program<'a>,
}

/// A run of `argv` with nothing else.
pub(crate) fn ask<'a>(argv: &[&str]) -> Ask<'a> {
    Ask {
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
        files: Vec::new(),
        program: Program::new(&[], LIMITS),
    }
}

/// A Python program.
pub(crate) fn python<'a>(code: &str) -> Ask<'a> {
    ask(&["/usr/bin/python3", "-I", "-S", "-B", "-c", code])
}

impl<'a> Ask<'a> {
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.program.limits);
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Program<'a>)) -> Self {
        change(&mut self.program);
        self
    }

    pub(crate) fn file(mut self, name: &'a str, content: &'a [u8]) -> Self {
        self.files.push(InputFile {
            name,
            mode: 0o755,
            content: Content::Bytes(content),
        });
        self
    }

    /// Runs it in a free slot of `sandbox`.
    pub(crate) async fn run_in(&self, sandbox: &Sandbox) -> Result<Outcome, SandboxError> {
        sandbox.acquire().await.run(self.program()).await
    }

    /// What a slot is asked to run.
    pub(crate) fn program(&self) -> Program<'_> {
        Program {
            argv: &self.argv,
            files: &self.files,
            ..self.program
        }
    }

    /// Runs it in the shared sandbox.
    pub(crate) fn run(&self) -> Outcome {
        with_sandbox(async |sandbox| self.run_in(sandbox).await).expect("the sandbox itself works")
    }
}

/// Runs both at the same time, in two slots taken together.
pub(crate) async fn both(
    sandbox: &Sandbox,
    first: &Ask<'_>,
    second: &Ask<'_>,
) -> (Outcome, Outcome) {
    let mut slots = sandbox.acquire_many(2).await.expect("two slots");
    let (left, right) = slots.split_at_mut(1);
    let (first, second) =
        tokio::join!(left[0].run(first.program()), right[0].run(second.program()));
    (
        first.expect("the sandbox itself works"),
        second.expect("the sandbox itself works"),
    )
}

/// Standard output as text.
pub(crate) fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}
