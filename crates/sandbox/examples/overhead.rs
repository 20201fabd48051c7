//! What a run in a slot costs above plain fork and exec of the same program, on this machine.
//!
//! `cargo run -p sandbox --example overhead [runs]`. Prints medians in milliseconds; bare and sandboxed runs alternate,
//! so that both see the same machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Config, Content, InputFile, Limits, Program, Sandbox, Stdin};

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

fn main() {
    sandbox::init_if_requested();
    let runs = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(measure(runs));
}

async fn measure(runs: usize) {
    let place = std::env::temp_dir().join("codementor-sandbox-overhead");
    let config = Config {
        init_exe: Some(PathBuf::from("/proc/self/exe")),
        ..Config::new(place, 2)
    };
    let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
    println!(
        "{}",
        serde_json::to_string(sandbox.report()).expect("a report is plain data")
    );
    let script = [InputFile {
        name: "main.py",
        mode: 0o644,
        content: Content::Bytes(b"print(input())"),
    }];
    let artefact = sandbox
        .artefact(&script)
        .await
        .expect("the artefact is written");
    let env = [("LANG".to_owned(), "C.UTF-8".to_owned())];
    for command in [
        vec!["/bin/true"],
        vec!["/usr/bin/python3", "-I", "-S", "-B", "-c", "print(input())"],
    ] {
        let argv: Vec<String> = command.iter().map(|part| (*part).to_owned()).collect();
        let (mut bare, mut caged, mut inside) = (Vec::new(), Vec::new(), Vec::new());
        let mut slot = sandbox.acquire().await;
        for _ in 0..runs {
            let started = Instant::now();
            let output = Command::new(&argv[0])
                .args(&argv[1..])
                .env_clear()
                .envs(env.clone())
                .stdin(stdin())
                .output()
                .expect("the program starts");
            bare.push(started.elapsed());
            assert!(output.status.success(), "the bare program failed");
            let started = Instant::now();
            let program = Program {
                env: &env,
                artefact: Some(&artefact),
                stdin: Stdin::Bytes(b"7\n"),
                ..Program::new(&argv, LIMITS)
            };
            let outcome = slot.run(program).await.expect("the sandbox works");
            caged.push(started.elapsed());
            inside.push(outcome.wall);
            assert_eq!(outcome.status, sandbox::Status::Exited(0));
        }
        let (bare, caged, inside) = (median(bare), median(caged), median(inside));
        println!(
            "{:<18} bare {bare:7.3} ms   slot {caged:7.3} ms   (program {inside:7.3} ms)   overhead {:7.3} ms",
            argv[0],
            caged - bare
        );
    }
    sandbox.shutdown().await;
}

/// A file that yields one line: what the sandboxed program gets as well.
fn stdin() -> Stdio {
    Stdio::from(sandbox::sealed_file(b"7\n").expect("memory for a line"))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
