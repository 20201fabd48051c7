//! The sandbox attacked once before it takes a learner's program: a cage that does not hold must not open.
//!
//! Uses the probes built into the init, through the same path as every run.

use std::time::Duration;

use crate::error::SandboxError;
use crate::program::{LimitKind, Limits, Outcome, Profile, Program, Status};
use crate::report::Backend;
use crate::sandbox::Sandbox;
use crate::wire::{Probe, Task};

const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(5),
    wall: Duration::from_secs(20),
    memory_bytes: 64 << 20,
    processes: 16,
    output_bytes: 4096,
    stderr_bytes: 4096,
    file_bytes: 1 << 20,
    stack_bytes: None,
    collect_bytes: 0,
};

/// Runs every probe; the first surprise is the error.
pub(crate) async fn run(sandbox: &Sandbox) -> Result<(), SandboxError> {
    for profile in [Profile::Run, Profile::Compile] {
        let outcome = probe(sandbox, Probe::Escape, profile, LIMITS).await?;
        if outcome.status != Status::Exited(0) || !outcome.stdout.is_empty() {
            let said = String::from_utf8_lossy(&outcome.stdout).replace('\n', ", ");
            return Err(SandboxError::SelfTest(format!(
                "in profile {profile:?}: {:?}, possible: {said}",
                outcome.status
            )));
        }
    }
    if sandbox.report().backend == Backend::None {
        return Ok(());
    }
    let hog = probe(
        sandbox,
        Probe::Memory,
        Profile::Run,
        Limits {
            memory_bytes: 16 << 20,
            ..LIMITS
        },
    )
    .await?;
    expect("memory", &hog, Status::LimitHit(LimitKind::Memory))?;
    let spin = probe(
        sandbox,
        Probe::Spin,
        Profile::Run,
        Limits {
            cpu: Duration::from_millis(10),
            ..LIMITS
        },
    )
    .await?;
    expect("processor time", &spin, Status::LimitHit(LimitKind::Cpu))?;
    let bomb = probe(
        sandbox,
        Probe::Fork,
        Profile::Run,
        Limits {
            processes: 8,
            ..LIMITS
        },
    )
    .await?;
    // Eight processes: the first one and seven children.
    if bomb.stdout != b"7" {
        return Err(SandboxError::SelfTest(format!(
            "processes: {:?} with {:?} children",
            bomb.status,
            String::from_utf8_lossy(&bomb.stdout)
        )));
    }
    Ok(())
}

fn expect(what: &str, outcome: &Outcome, status: Status) -> Result<(), SandboxError> {
    if outcome.status == status {
        Ok(())
    } else {
        Err(SandboxError::SelfTest(format!(
            "{what}: {:?}",
            outcome.status
        )))
    }
}

async fn probe(
    sandbox: &Sandbox,
    probe: Probe,
    profile: Profile,
    limits: Limits,
) -> Result<Outcome, SandboxError> {
    let program = Program {
        profile,
        ..Program::new(&[], limits)
    };
    sandbox
        .acquire()
        .await
        .run_task(Task::Probe(probe), &program)
        .await
}
