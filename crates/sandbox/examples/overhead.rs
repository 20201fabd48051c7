//! What a run in a slot costs above plain start and wait of the same program, and how exact its limits are, on this machine.
//!
//! `cargo run --release -p sandbox --example overhead [rounds]`. Bare and sandboxed runs alternate, so that both see the same
//! machine; every bare program is a `vfork` and `execve` with its output to /dev/null.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use sandbox::{
    Artefact, Config, Content, InputFile, Limits, Outcome, Program, Sandbox, Slot, Status, Stdin,
};

const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(5),
    wall: Duration::from_secs(10),
    memory_bytes: 256 << 20,
    processes: 32,
    output_bytes: 1 << 20,
    stderr_bytes: 1 << 16,
    file_bytes: 1 << 20,
    stack_bytes: None,
    collect_bytes: 0,
};
/// Processor time after which a busy loop is stopped.
const BUSY: Duration = Duration::from_millis(100);
const SLOTS: usize = 2;

/// Programs in C, compiled once: none of them needs a library.
const TRUE: &str = "int main(void) { return 0; }";
const LOOP: &str = "int main(void) { volatile long i; for (i = 0; i < 20000000; i++); return 0; }";
const ENDLESS: &str = "int main(void) { for (;;); }";

fn main() {
    sandbox::init_if_requested();
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(rounds));
}

async fn measure(rounds: usize) {
    let place = std::env::temp_dir().join("codementor-sandbox-overhead");
    let config = Config {
        init_exe: Some(PathBuf::from("/proc/self/exe")),
        ..Config::new(place.join("work"), SLOTS)
    };
    let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
    let report = serde_json::to_string(sandbox.report()).expect("a report is plain data");
    println!("{report}");
    let sources = [("true", TRUE), ("loop", LOOP), ("endless", ENDLESS)];
    let contents = sources.map(|(name, code)| compile(&place, name, code));
    let files = [0, 1, 2].map(|index| InputFile {
        name: sources[index].0,
        mode: 0o755,
        content: Content::Bytes(&contents[index]),
    });
    let programs = sandbox.artefact(&files).await.expect("room for programs");
    let at = |name: &str| Twin {
        bare: vec![place.join(name).display().to_string()],
        inside: vec![format!("/app/{name}")],
        programs: &programs,
    };
    let script = ["/usr/bin/python3", "-I", "-S", "-B", "-c", "print(input())"];
    let script: Vec<String> = script.map(str::to_owned).into();
    let python = Twin {
        bare: script.clone(),
        inside: script,
        programs: &programs,
    };
    cost(&sandbox, "static true", &at("true"), rounds).await;
    cost(&sandbox, "python3", &python, rounds).await;
    rate(&sandbox, &at("true"), Duration::from_secs(5)).await;
    spread(&sandbox, &at("loop"), rounds).await;
    overshoot(&sandbox, &at("endless"), rounds / 2).await;
    sandbox.shutdown().await;
    std::fs::remove_dir_all(place).expect("the folder is ours");
}

/// Compiles a program into the folder, and gives its bytes.
fn compile(folder: &Path, name: &str, code: &str) -> Vec<u8> {
    let (source, program) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&source, code).expect("room for a program");
    let made = Command::new("gcc")
        .args(["-O1", "-static", "-o"])
        .args([&program, &source])
        .status()
        .expect("gcc is installed");
    assert!(made.success(), "gcc refused {name}");
    std::fs::read(program).expect("gcc has written it")
}

/// A program outside and inside.
struct Twin<'a> {
    bare: Vec<String>,
    inside: Vec<String>,
    programs: &'a Artefact,
}

impl Twin<'_> {
    /// Starts the bare one; what it writes goes nowhere.
    fn bare(&self) -> Child {
        Command::new(&self.bare[0])
            .args(&self.bare[1..])
            .env_clear()
            .stdin(sandbox::sealed_file(b"7\n").expect("memory for a line"))
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    async fn inside(&self, slot: &mut Slot, limits: Limits) -> Outcome {
        let program = Program {
            artefact: Some(self.programs),
            stdin: Stdin::Bytes(b"7\n"),
            ..Program::new(&self.inside, limits)
        };
        slot.run(program).await.expect("the sandbox works")
    }
}

/// Start to end, from outside.
async fn cost(sandbox: &Sandbox, name: &str, twin: &Twin<'_>, rounds: usize) {
    let mut slot = sandbox.acquire().await;
    let (mut bare, mut inside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let ended = twin.bare().wait().expect("it is waited for");
        bare.push(started.elapsed());
        assert!(ended.success(), "the bare program failed");
        let started = Instant::now();
        let outcome = twin.inside(&mut slot, LIMITS).await;
        inside.push(started.elapsed());
        assert_eq!(outcome.status, Status::Exited(0));
    }
    let (bare, inside) = (at(&mut bare, 50), at(&mut inside, 50));
    println!(
        "{name:<14} bare {bare:7.3} ms, in a slot {inside:7.3} ms: {:.2} times, {:.3} ms more",
        inside / bare,
        inside - bare
    );
}

/// Runs a second with all slots busy.
async fn rate(sandbox: &Sandbox, twin: &Twin<'_>, time: Duration) {
    let started = Instant::now();
    let busy = async || {
        let (mut slot, mut runs) = (sandbox.acquire().await, 0_u32);
        while started.elapsed() < time {
            twin.inside(&mut slot, LIMITS).await;
            runs += 1;
        }
        runs
    };
    let (left, right) = tokio::join!(busy(), busy());
    let rate = f64::from(left + right) / started.elapsed().as_secs_f64();
    println!("two slots      {rate:.0} runs a second");
}

/// How far apart the measured times of the same work lie.
async fn spread(sandbox: &Sandbox, twin: &Twin<'_>, rounds: usize) {
    let mut slot = sandbox.acquire().await;
    let (mut bare, mut inside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(bare_cpu(twin.bare()));
        inside.push(twin.inside(&mut slot, LIMITS).await.cpu);
    }
    let width = |times: &mut Vec<Duration>| at(times, 95) - at(times, 5);
    let (middle, bare, inside) = (at(&mut inside, 50), width(&mut bare), width(&mut inside));
    println!(
        "fixed loop     {middle:.1} ms; p95 - p5 bare {bare:.2} ms, in a slot {inside:.2} ms: {:.2} times",
        inside / bare
    );
}

/// How long after its limit a busy loop has ended; the bare twin is killed by a sleeping thread.
async fn overshoot(sandbox: &Sandbox, twin: &Twin<'_>, rounds: usize) {
    let mut slot = sandbox.acquire().await;
    let limits = Limits {
        cpu: BUSY,
        ..LIMITS
    };
    let (mut bare, mut inside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut child = twin.bare();
        std::thread::sleep(BUSY);
        child.kill().expect("it runs");
        bare.push(bare_cpu(child).saturating_sub(BUSY));
        let outcome = twin.inside(&mut slot, limits).await;
        assert!(matches!(outcome.status, Status::LimitHit(_)), "{outcome:?}");
        inside.push(outcome.cpu.saturating_sub(BUSY));
    }
    let (bare, inside) = (at(&mut bare, 99), at(&mut inside, 99));
    println!(
        "busy loop      p99 of processor time over the limit: bare {bare:.2} ms, in a slot {inside:.2} ms"
    );
}

/// Waits, and gives the processor time that the kernel accounted for it.
fn bare_cpu(mut child: Child) -> Duration {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel accounts");
        let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap_or(0);
        Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
    };
    let before = used();
    child.wait().expect("it is waited for");
    used().saturating_sub(before)
}

/// The time below which so many in a hundred lie, in milliseconds.
fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}
