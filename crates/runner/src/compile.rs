//! From sources to a program, once: compiled in the sandbox, kept under a key of everything it was made of.
//!
//! Compilers are run like learners' programs, for what they read was written by learners. Only regular files that are
//! named in the table come out. Two submissions of the same code share one compilation, also while it is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox::{
    Artefact, Collect, Content, InputFile, LimitKind, Limits, Outcome, Profile, Program, Sandbox,
    SandboxError, Status,
};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::language::{Code, Command, Product, Sources};
use crate::lru::Lru;
use crate::text;
use crate::toolchain::{Toolchain, environment};

/// Compiler messages kept.
const LOG_BYTES: usize = 64 << 10;

/// What a compiler may use.
const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(10),
    wall: Duration::from_mins(1),
    memory_bytes: 1 << 30,
    processes: 128,
    output_bytes: 1 << 20,
    stderr_bytes: LOG_BYTES as u64 + 1,
    file_bytes: 256 << 20,
    stack_bytes: None,
    collect_bytes: 64 << 20,
};

/// What came of compiling.
#[derive(Debug)]
pub(crate) struct Build {
    /// What can be run; `None` when the code is wrong.
    pub(crate) program: Option<Runnable>,
    /// The compiler's messages, in terms of the learner's lines.
    pub(crate) log: String,
    /// Time on the clock.
    pub(crate) time: Duration,
}

impl Build {
    /// Of code that never reached a compiler.
    pub(crate) fn refused(log: String) -> Self {
        Self {
            program: None,
            log,
            time: Duration::ZERO,
        }
    }
}

/// A program that can be run many times.
#[derive(Debug)]
pub(crate) struct Runnable {
    /// Its files, for `/app`.
    pub(crate) artefact: Artefact,
    /// What it was made of.
    pub(crate) sources: Sources,
}

/// By key: a build that is done or under way.
type Builds = Lru<[u8; 32], Arc<OnceCell<Arc<Build>>>>;

/// Compiles, and remembers.
#[derive(Debug)]
pub(crate) struct Compiler {
    sandbox: Sandbox,
    builds: Mutex<Builds>,
}

impl Compiler {
    /// With an empty memory of at most so many programs and bytes.
    pub(crate) fn new(sandbox: Sandbox, max_count: usize, max_bytes: u64) -> Self {
        Self {
            sandbox,
            builds: Mutex::new(Lru::new(max_count, max_bytes)),
        }
    }

    /// Compiles, or takes what was compiled before; the flag tells which.
    pub(crate) async fn compile(
        &self,
        toolchain: &Toolchain,
        code: &Code<'_>,
        sources: Sources,
    ) -> Result<(Arc<Build>, bool), SandboxError> {
        let key = key(toolchain, code);
        let cell = self.lock().touch(&key);
        let mut made_now = false;
        let outcome = cell
            .get_or_try_init(async || {
                made_now = true;
                self.build(toolchain, sources).await
            })
            .await;
        let build = match outcome {
            Ok(build) => Arc::clone(build),
            Err(NotKept::Stopped(build)) => {
                self.lock().remove(&key);
                return Ok((build, false));
            }
            Err(NotKept::Sandbox(error)) => {
                self.lock().remove(&key);
                return Err(error);
            }
        };
        if made_now {
            let bytes = build.program.as_ref().map_or(0, |it| it.artefact.bytes());
            self.lock().weigh(&key, bytes + build.log.len() as u64);
        }
        Ok((build, !made_now))
    }

    fn lock(&self) -> MutexGuard<'_, Builds> {
        // The map is whole between any two of its own calls.
        self.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn build(&self, toolchain: &Toolchain, sources: Sources) -> Result<Arc<Build>, NotKept> {
        let files: Vec<InputFile<'_>> = sources.files.iter().map(input_file).collect();
        let argv = (toolchain.spec.compile)(&Command {
            home: &toolchain.home,
            sources: &sources,
            prepared: toolchain.prepared().is_some(),
        });
        let wanted;
        let collect = match toolchain.spec.product {
            Product::File(name) => {
                wanted = [name];
                Collect::Named(&wanted)
            }
            Product::Below { .. } => Collect::All,
            Product::Sources => Collect::Nothing,
        };
        let program = Program {
            env: &environment(),
            files: &files,
            artefact: toolchain.prepared(),
            profile: Profile::Compile,
            collect,
            ..Program::new(&argv, LIMITS)
        };
        let mut slot = self.sandbox.acquire().await;
        let started = Instant::now();
        let outcome = slot.run(program).await?;
        drop(slot);
        let time = started.elapsed();
        metrics::histogram!("codementor_compile_seconds", "language" => toolchain.spec.id.id())
            .record(time.as_secs_f64());
        let mut log = messages(&outcome, toolchain, &sources);
        let product = match outcome.status {
            Status::Exited(0) => product(&outcome, toolchain.spec.product, &files),
            _ => None,
        };
        if product.is_none() && log.is_empty() {
            log = nothing_said(&outcome);
        }
        let program = match &product {
            Some(product) => Some(self.sandbox.artefact(product).await?),
            None => None,
        };
        let stopped = matches!(outcome.status, Status::LimitHit(kind) if kind != LimitKind::Memory);
        drop((product, files));
        let build = Arc::new(Build {
            program: program.map(|artefact| Runnable { artefact, sources }),
            log,
            time,
        });
        // On a less busy machine it may succeed: not a thing to remember.
        if stopped {
            return Err(NotKept::Stopped(build));
        }
        Ok(build)
    }
}

/// What is not remembered.
enum NotKept {
    Stopped(Arc<Build>),
    Sandbox(SandboxError),
}

impl From<SandboxError> for NotKept {
    fn from(error: SandboxError) -> Self {
        Self::Sandbox(error)
    }
}

fn input_file(file: &contract::job::SourceFile) -> InputFile<'_> {
    InputFile {
        name: &file.name,
        mode: 0o644,
        content: Content::Bytes(file.content.as_bytes()),
    }
}

/// The files that are run; `None` when the compiler made none.
fn product<'a>(
    outcome: &'a Outcome,
    product: Product,
    sources: &[InputFile<'a>],
) -> Option<Vec<InputFile<'a>>> {
    let is_wanted = |name: &str| match product {
        Product::File(_) => true,
        Product::Below {
            directory,
            extension,
        } => name.starts_with(directory) && name.ends_with(extension),
        Product::Sources => false,
    };
    if product == Product::Sources {
        return Some(sources.to_vec());
    }
    let files: Vec<InputFile<'_>> = outcome
        .files
        .iter()
        .filter(|file| is_wanted(&file.name))
        .map(|file| InputFile {
            name: &file.name,
            mode: if file.executable { 0o555 } else { 0o444 },
            content: Content::Bytes(&file.content),
        })
        .collect();
    (!files.is_empty()).then_some(files)
}

/// The compiler's messages for the learner, with the limit that stopped it as the first line.
fn messages(outcome: &Outcome, toolchain: &Toolchain, sources: &Sources) -> String {
    let said = [&outcome.stderr[..], &outcome.stdout[..]].concat();
    let mut text = String::new();
    if let Status::LimitHit(kind) = outcome.status {
        text.push_str(stopped_by(kind));
    }
    for line in text::clean(&said).lines() {
        if !(toolchain.spec.is_noise)(line) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let text = sources.lines.rewrite(text.trim_matches('\n'));
    text::shown(text.as_bytes(), LOG_BYTES)
}

fn stopped_by(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Cpu | LimitKind::Wall => {
            "the compiler was stopped: it took more than 10 s of processor time or 60 s on the clock\n"
        }
        LimitKind::Memory => "the compiler was stopped: it needed more than 1 GiB of memory\n",
        LimitKind::Output | LimitKind::FileSize => "the compiler was stopped: it wrote too much\n",
        LimitKind::Processes => "the compiler was stopped: it started too many processes\n",
    }
}

fn nothing_said(outcome: &Outcome) -> String {
    match outcome.status {
        Status::Exited(0) => "the compiler made no program of this".to_owned(),
        Status::Exited(code) => format!("the compiler ended with {code} and said nothing"),
        Status::Signaled(number) => {
            format!("the compiler crashed: {}", crate::signal::name(number))
        }
        Status::LimitHit(_) => String::new(),
    }
}

/// Everything that decides what comes out.
fn key(toolchain: &Toolchain, code: &Code<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(toolchain.spec.id.id().as_bytes());
    add(toolchain.version.as_bytes());
    add(toolchain.home.as_os_str().as_encoded_bytes());
    match code.driver {
        Some(driver) => {
            add(b"driver");
            add(driver.as_bytes());
        }
        None => add(b"none"),
    }
    for file in code.files {
        add(file.name.as_bytes());
        add(file.content.as_bytes());
    }
    // Flags: the command for these sources without the preparations, which change nothing but the time.
    let sources = Sources {
        files: Vec::new(),
        entry: String::new(),
        lines: crate::lines::LineMap::default(),
    };
    let command = Command {
        home: &toolchain.home,
        sources: &sources,
        prepared: false,
    };
    for word in (toolchain.spec.compile)(&command) {
        add(word.as_bytes());
    }
    hash.finalize().into()
}
