//! Two programs that talk to each other.

use std::time::Duration;

use sandbox::{LimitKind, Status, Stdin, Stdout};

use crate::support::{both, python, text, with_sandbox};

#[test]
fn two_programs_converse_and_see_each_others_end() {
    let guess = python(
        "low, high = 0, 1000\nwhile True:\n    middle = (low + high) // 2\n    print(middle, flush=True)\n    answer = input()\n    if answer == 'found': break\n    if answer == 'higher': low = middle + 1\n    else: high = middle - 1",
    );
    let judge = python(
        "import sys\ncount = 0\nfor line in sys.stdin:\n    count += 1\n    guess = int(line)\n    print('found' if guess == 777 else 'higher' if guess < 777 else 'lower', flush=True)\nsys.stderr.write(f'end after {count}')",
    );
    with_sandbox(async |sandbox| {
        let (to_judge_read, to_judge_write) = sandbox::pipe().expect("a pipe");
        let (to_guess_read, to_guess_write) = sandbox::pipe().expect("a pipe");
        let guess = guess.change(|p| {
            (p.stdin, p.stdout) = (Stdin::Pipe(&to_guess_read), Stdout::Pipe(&to_judge_write));
        });
        let judge = judge.change(|p| {
            (p.stdin, p.stdout) = (Stdin::Pipe(&to_judge_read), Stdout::Pipe(&to_guess_write));
        });
        let (guess, judge) = both(sandbox, &guess, &judge).await;
        assert_eq!(
            (guess.status, judge.status),
            (Status::Exited(0), Status::Exited(0)),
            "{guess:?} {judge:?}"
        );
        let end = String::from_utf8_lossy(&judge.stderr).into_owned();
        assert!(
            end.starts_with("end after ") && text(&guess).is_empty(),
            "{end}"
        );
    });
}

#[test]
fn one_clock_tells_who_ended_first() {
    let first = python("pass");
    let second = python("import sys\nsys.stdin.read()\nsum(range(10_000_000))");
    with_sandbox(async |sandbox| {
        let (read, write) = sandbox::pipe().expect("a pipe");
        let first = first.change(|p| p.stdout = Stdout::Pipe(&write));
        let second = second.change(|p| p.stdin = Stdin::Pipe(&read));
        let (first, second) = both(sandbox, &first, &second).await;
        let later = second.ended_at.checked_sub(first.ended_at);
        assert!(
            later.is_some_and(|later| !later.is_zero() && later < second.wall),
            "{first:?} {second:?}"
        );
    });
}

/// A partner that learns of it by the closed pipe may be gone sooner than the killed program has been collected.
#[test]
fn a_program_that_is_killed_for_a_limit_ended_before_its_partner() {
    with_sandbox(async |sandbox| {
        for _ in 0..8 {
            let (read, write) = sandbox::pipe().expect("a pipe");
            // It takes a while to be collected: a process more, and much memory.
            let killed =
                python("import os, time\nos.fork()\nblock = bytearray(64 << 20)\ntime.sleep(60)")
                    .limits(|l| l.wall = Duration::from_millis(150))
                    .change(|p| p.stdout = Stdout::Pipe(&write));
            let partner = python("import os\nos.read(0, 1)\nos._exit(0)")
                .change(|p| p.stdin = Stdin::Pipe(&read));
            let (killed, partner) = both(sandbox, &killed, &partner).await;
            assert_eq!(killed.status, Status::LimitHit(LimitKind::Wall));
            assert!(killed.ended_at < partner.ended_at, "{killed:?} {partner:?}");
        }
    });
}

#[test]
fn a_silent_partner_hits_its_own_wall() {
    let wait = python("input()").limits(|l| l.wall = Duration::from_millis(300));
    let silent =
        python("import time; time.sleep(60)").limits(|l| l.wall = Duration::from_millis(100));
    with_sandbox(async |sandbox| {
        let (read, write) = sandbox::pipe().expect("a pipe");
        let wait = wait.change(|p| p.stdin = Stdin::Pipe(&read));
        let silent = silent.change(|p| p.stdout = Stdout::Pipe(&write));
        let (wait, silent) = both(sandbox, &wait, &silent).await;
        assert_eq!(silent.status, Status::LimitHit(LimitKind::Wall));
        // The partner is dead, so its end of the pipe is closed.
        assert_eq!(wait.status, Status::Exited(1));
    });
}

#[test]
fn an_end_can_be_given_to_one_run_only() {
    with_sandbox(async |sandbox| {
        let (read, _write) = sandbox::pipe().expect("a pipe");
        let asked = python("pass").change(|p| p.stdin = Stdin::Pipe(&read));
        assert_eq!(
            asked.run_in(sandbox).await.expect("runs").status,
            Status::Exited(0)
        );
        let again = asked.run_in(sandbox).await;
        assert!(
            matches!(again, Err(sandbox::SandboxError::Invalid(_))),
            "{again:?}"
        );
    });
}
