//! Each limit, hit on purpose.

use std::time::Duration;

use sandbox::{Collect, LimitKind, Profile, Status};

use crate::support::{ask, python, with_sandbox};

#[test]
fn an_endless_loop_hits_the_processor_limit_and_hardly_more() {
    let limit = Duration::from_millis(150);
    let outcome = python("while True: pass").limits(|l| l.cpu = limit).run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Cpu));
    assert!(
        outcome.cpu >= limit && outcome.cpu < limit + Duration::from_millis(500),
        "{:?}",
        outcome.cpu
    );
}

#[test]
fn processor_time_of_all_processes_counts() {
    let code = "import os\nfor _ in range(3):\n    if os.fork() == 0: break\nwhile True: pass";
    let outcome = python(code)
        .limits(|l| l.cpu = Duration::from_millis(300))
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Cpu));
}

#[test]
fn processor_time_over_the_limit_counts_even_when_the_program_ends_well() {
    // Over before anyone can look: the limit is shorter than the shortest pause between two looks.
    let outcome = python("pass")
        .limits(|l| l.cpu = Duration::from_micros(1))
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Cpu));
}

/// Whatever its slot had to do before it: a program is cut off for its own time alone.
#[test]
fn the_wall_is_the_programs_own() {
    let limit = Duration::from_millis(5);
    let cut_off = python("pass").limits(|l| l.wall = limit);
    let litter = python("for i in range(2000): open(f'/tmp/{i}', 'w').write('x' * 4096)");
    with_sandbox(async |sandbox| {
        let mut slot = sandbox.acquire().await;
        for _ in 0..20 {
            slot.run(litter.program()).await.expect("runs");
            let outcome = slot.run(cut_off.program()).await.expect("runs");
            assert_eq!(outcome.status, Status::LimitHit(LimitKind::Wall));
            assert!(outcome.wall >= limit, "{:?}", outcome.wall);
        }
    });
}

#[test]
fn memory_that_runs_out_in_the_start_itself_is_named() {
    let argument = "x".repeat(127 << 10);
    let mut argv = vec!["/bin/true"];
    argv.extend([argument.as_str(); 12]);
    let outcome = ask(&argv).limits(|l| l.memory_bytes = 1 << 20).run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Memory));
}

#[test]
fn sleeping_hits_the_wall() {
    let outcome = python("import time; time.sleep(60)")
        .limits(|l| l.wall = Duration::from_millis(200))
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Wall));
    assert!(
        outcome.cpu < Duration::from_millis(200) && outcome.wall < Duration::from_secs(5),
        "{outcome:?}"
    );
}

#[test]
fn stopping_itself_or_its_parent_does_not_stop_the_clock() {
    for target in ["os.getpid()", "os.getppid()"] {
        let code =
            format!("import os, signal, time\nos.kill({target}, signal.SIGSTOP)\ntime.sleep(60)");
        let outcome = python(&code)
            .limits(|l| l.wall = Duration::from_millis(200))
            .run();
        assert!(
            matches!(
                outcome.status,
                Status::LimitHit(LimitKind::Wall) | Status::Exited(1)
            ),
            "{target}: {outcome:?}"
        );
    }
}

#[test]
fn a_memory_hog_hits_the_memory_limit() {
    let outcome = python("x = []\nwhile True: x.append(b'x' * (1 << 20))")
        .limits(|l| l.memory_bytes = 32 << 20)
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Memory));
    assert!(
        (24 << 20..=33 << 20).contains(&outcome.memory_bytes),
        "{}",
        outcome.memory_bytes
    );
}

#[test]
fn memory_of_all_processes_counts() {
    let code = "import os, time\nfor _ in range(8):\n    if os.fork() == 0: break\nx = b'x' * (8 << 20)\ntime.sleep(5)";
    let outcome = python(code).limits(|l| l.memory_bytes = 48 << 20).run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Memory));
}

#[test]
fn files_in_tmp_count_as_memory() {
    let code = "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(b'x' * (1 << 20))";
    let outcome = python(code).limits(|l| l.memory_bytes = 24 << 20).run();
    assert!(
        matches!(
            outcome.status,
            Status::LimitHit(LimitKind::Memory) | Status::Exited(1)
        ),
        "{outcome:?}"
    );
    assert!(outcome.memory_bytes <= 25 << 20);
}

#[test]
fn a_failed_allocation_alone_is_no_memory_verdict() {
    let outcome =
        python("try:\n    x = bytearray(1 << 60)\nexcept MemoryError:\n    raise SystemExit(7)")
            .run();
    assert_eq!(outcome.status, Status::Exited(7));
}

#[test]
fn being_killed_by_its_own_hand_is_no_memory_verdict() {
    let outcome = python("import os; os.kill(os.getpid(), 9)").run();
    assert_eq!(outcome.status, Status::Signaled(9));
}

#[test]
fn endless_output_is_cut_and_ends_the_run() {
    let outcome = ask(&["/usr/bin/yes"])
        .limits(|l| l.output_bytes = 10_000)
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Output));
    assert_eq!(outcome.stdout.len(), 10_000);
}

#[test]
fn output_of_exactly_the_limit_is_fine_and_one_more_is_not() {
    let print = |count: u32| {
        python(&format!("import sys; sys.stdout.write('x' * {count})"))
            .limits(|l| l.output_bytes = 100_000)
            .run()
    };
    assert_eq!(print(100_000).status, Status::Exited(0));
    assert_eq!(print(100_001).status, Status::LimitHit(LimitKind::Output));
}

#[test]
fn endless_results_end_the_run() {
    let outcome = python("import os\nwhile True: os.write(3, b'x' * 1000)")
        .limits(|l| l.output_bytes = 10_000)
        .change(|p| p.results_fd = true)
        .run();
    assert_eq!(
        (outcome.status, outcome.results.len()),
        (Status::LimitHit(LimitKind::Output), 10_000)
    );
}

#[test]
fn long_standard_error_is_cut_but_not_fatal() {
    let outcome = python("import sys; sys.stderr.write('e' * 3_000_000)")
        .limits(|l| l.stderr_bytes = 1000)
        .run();
    assert_eq!(
        (
            outcome.status,
            outcome.stderr.len(),
            outcome.stderr_truncated
        ),
        (Status::Exited(0), 1000, true)
    );
}

#[test]
fn a_fork_bomb_is_bounded_and_gone() {
    let outcome = python("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
        .limits(|l| {
            l.processes = 16;
            l.wall = Duration::from_millis(500);
        })
        .run();
    assert!(
        matches!(
            outcome.status,
            Status::LimitHit(LimitKind::Wall | LimitKind::Cpu)
        ),
        "{outcome:?}"
    );
    assert_eq!(ask(&["/bin/true"]).run().status, Status::Exited(0));
}

#[test]
fn failing_after_a_refused_process_names_the_limit() {
    let outcome =
        python("import os, time\nfor _ in range(100):\n    if os.fork() == 0: time.sleep(30)")
            .limits(|l| l.processes = 4)
            .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Processes));
}

#[test]
fn threads_count_as_processes() {
    let code = "import threading, time\nfor _ in range(50): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()";
    let outcome = python(code).limits(|l| l.processes = 8).run();
    assert_eq!(
        outcome.status,
        Status::LimitHit(LimitKind::Processes),
        "{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
}

#[test]
fn a_file_that_grows_too_large_is_named() {
    let code = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nf = open('/tmp/x', 'wb', 0)\nwhile True: f.write(b'x' * 65536)";
    let outcome = python(code).limits(|l| l.file_bytes = 1 << 20).run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::FileSize));
}

#[test]
fn collected_files_that_are_too_large_are_named() {
    let outcome = python("open('/box/x', 'wb').write(b'x' * 5000)")
        .limits(|l| l.collect_bytes = 4000)
        .change(|p| {
            p.profile = Profile::Compile;
            p.collect = Collect::Named(&["x"]);
        })
        .run();
    assert_eq!(
        (outcome.status, outcome.files.len()),
        (Status::LimitHit(LimitKind::FileSize), 0)
    );
}

#[test]
fn the_stack_limit_is_set() {
    let stack = |bytes| {
        let outcome =
            python("import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0])")
                .limits(|l| l.stack_bytes = bytes)
                .run();
        crate::support::text(&outcome).trim().to_owned()
    };
    assert_eq!(stack(Some(16 << 20)), (16 << 20).to_string());
    assert_eq!(stack(None), "-1");
}

#[test]
fn a_disk_filler_finds_a_small_disk() {
    let code = "import os\ntry:\n    f = open('/tmp/x', 'wb'); os.posix_fallocate(f.fileno(), 0, 10 << 30)\nexcept OSError as e: print(e.errno)";
    let outcome = python(code).limits(|l| l.file_bytes = 1 << 40).run();
    assert_eq!(
        crate::support::text(&outcome).trim(),
        libc::ENOSPC.to_string(),
        "{outcome:?}"
    );
}
