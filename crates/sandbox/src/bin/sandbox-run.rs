//! Runs one program in a sandbox of its own: `sandbox-run WORK_DIR CGROUP_NAME [--degraded] -- PROGRAM [ARGUMENT…]`.
//!
//! For looking at a machine and for tests that need a sandbox in another process. Prints the report, then the outcome;
//! standard input is handed on. Never used by the service.

use std::io::Read;
use std::time::Duration;

use sandbox::{Config, Limits, Outcome, Program, Sandbox, SandboxError, Stdin};

const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(10),
    wall: Duration::from_mins(2),
    memory_bytes: 256 << 20,
    processes: 64,
    output_bytes: 1 << 20,
    stderr_bytes: 1 << 20,
    file_bytes: 64 << 20,
    stack_bytes: None,
    collect_bytes: 0,
};

fn main() {
    sandbox::init_if_requested();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(split) = arguments
        .iter()
        .position(|argument| argument == "--")
        .filter(|split| *split >= 2)
    else {
        eprintln!("usage: sandbox-run WORK_DIR CGROUP_NAME [--degraded] -- PROGRAM [ARGUMENT…]");
        std::process::exit(2);
    };
    let (options, argv) = (&arguments[..split], &arguments[split + 1..]);
    let config = Config {
        cgroup_name: options[1].clone(),
        allow_degraded: options[2..].iter().any(|option| option == "--degraded"),
        ..Config::new(&options[0], 1)
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            std::process::exit(1);
        }
    };
    match runtime.block_on(run(config, argv)) {
        Ok(outcome) => {
            println!(
                "{:?} cpu {:?} wall {:?} memory {}",
                outcome.status, outcome.cpu, outcome.wall, outcome.memory_bytes
            );
            print!("{}", String::from_utf8_lossy(&outcome.stdout));
            eprint!("{}", String::from_utf8_lossy(&outcome.stderr));
        }
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                eprintln!("{error}");
                cause = error.source();
            }
            std::process::exit(1);
        }
    }
}

async fn run(config: Config, argv: &[String]) -> Result<Outcome, SandboxError> {
    let sandbox = Sandbox::start(config).await?;
    println!(
        "{}",
        serde_json::to_string(sandbox.report()).unwrap_or_default()
    );
    let mut input = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut input) {
        eprintln!("standard input is cut: {error}");
    }
    let program = Program {
        stdin: Stdin::Bytes(&input),
        ..Program::new(argv, LIMITS)
    };
    let outcome = sandbox.acquire().await.run(program).await;
    sandbox.shutdown().await;
    outcome
}
