//! Runs in process and mount namespaces of their own.

use std::time::Duration;

use sandbox::{LimitKind, Profile, SandboxError, Status};

use crate::support::{Ask, ask, python, text, with_sandbox};

fn strict<'a>(code: &str) -> Ask<'a> {
    python(code).change(|p| p.strict = true)
}

const ALONE: &str =
    "import os; print(os.getpid(), [p for p in os.listdir('/proc') if p.isdigit()])";

#[test]
fn it_is_alone_and_every_time_anew() {
    for _ in 0..3 {
        assert_eq!(text(&strict(ALONE).run()), "2 ['2']\n");
    }
}

#[test]
fn compilers_are_alone_always() {
    let compiler = python(ALONE).change(|p| p.profile = Profile::Compile);
    assert_eq!(text(&compiler.run()), "2 ['2']\n");
}

#[test]
fn ends_are_told_as_they_are() {
    let ends = [
        ("pass", Status::Exited(0)),
        ("raise SystemExit(3)", Status::Exited(3)),
        ("import os; os.abort()", Status::Signaled(libc::SIGABRT)),
        (
            "import os; os.kill(os.getpid(), 9)",
            Status::Signaled(libc::SIGKILL),
        ),
    ];
    for (code, status) in ends {
        assert_eq!(strict(code).run().status, status, "{code}");
    }
}

#[test]
fn limits_hold_and_are_measured() {
    let spin = strict("while True: pass").limits(|l| l.cpu = Duration::from_millis(200));
    let outcome = spin.run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Cpu));
    assert!(outcome.cpu >= Duration::from_millis(200), "{outcome:?}");
    let hog = strict("x = b'x' * (1 << 30)").limits(|l| l.memory_bytes = 64 << 20);
    assert_eq!(hog.run().status, Status::LimitHit(LimitKind::Memory));
    let sleep =
        strict("import time; time.sleep(60)").limits(|l| l.wall = Duration::from_millis(200));
    assert_eq!(sleep.run().status, Status::LimitHit(LimitKind::Wall));
    let forks = strict(
        "import os, signal\ntry:\n    while True:\n        if os.fork() == 0: signal.pause()\nexcept OSError: raise SystemExit(1)",
    )
    .limits(|l| l.processes = 8);
    assert_eq!(forks.run().status, Status::LimitHit(LimitKind::Processes));
}

#[test]
fn its_reaper_cannot_be_harmed() {
    let code = "import os, signal\n\
        for s in (9, 11, 15, 19):\n\
        \x20   try: os.kill(1, s)\n\
        \x20   except OSError: pass\n\
        if os.fork() == 0:\n\
        \x20   os.setsid()\n\
        \x20   while True: signal.pause()\n\
        print('on')";
    assert_eq!(text(&strict(code).run()), "on\n");
}

#[test]
fn what_is_not_there_is_not_executed_and_the_slot_lives() {
    with_sandbox(async |sandbox| {
        let mut slot = sandbox.acquire().await;
        let missing = ask(&["/box/missing"]).change(|p| p.strict = true);
        assert!(matches!(
            slot.run(missing.program()).await,
            Err(SandboxError::CannotExecute(_))
        ));
        let shared = python(
            "import os; print(open('/proc/self/stat').read().split()[0] == str(os.getpid()))",
        );
        let outcome = slot.run(shared.program()).await.expect("runs");
        assert_eq!(text(&outcome), "True\n");
    });
}
