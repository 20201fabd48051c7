//! Two programs that talk to each other.

use std::time::Duration;

use sandbox::{LimitKind, Race, Status, Stdin, Stdout};

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
fn a_race_tells_who_fell_silent_first() {
    with_sandbox(async |sandbox| {
        for closer in [0, 1] {
            let (first_hears, second_says) = sandbox::pipe().expect("a pipe");
            let (second_hears, first_says) = sandbox::pipe().expect("a pipe");
            let race = Race::new(&[(0, &second_hears), (1, &first_hears)]).expect("a race");
            let codes = ["pass", "import os\nos.read(0, 1)\nos._exit(0)"];
            let first = python(codes[closer]).change(|p| {
                (p.stdin, p.stdout) = (Stdin::Pipe(&first_hears), Stdout::Pipe(&first_says));
            });
            let second = python(codes[1 - closer]).change(|p| {
                (p.stdin, p.stdout) = (Stdin::Pipe(&second_hears), Stdout::Pipe(&second_says));
            });
            both(sandbox, &first, &second).await;
            assert_eq!(
                race.first().expect("the kernel tells"),
                u64::try_from(closer).ok()
            );
        }
    });
}

#[test]
fn nobody_has_fallen_silent_in_a_race_that_is_settled_too_soon() {
    let (hears, says) = sandbox::pipe().expect("a pipe");
    let race = Race::new(&[(0, &hears)]).expect("a race");
    race.settle();
    drop(says);
    assert_eq!(race.first().expect("the kernel tells"), None);
}

/// A partner that learns of it by the closed pipe may be collected sooner than the killed program.
#[test]
fn a_program_that_is_killed_for_a_limit_ended_before_its_partner() {
    with_sandbox(async |sandbox| {
        for _ in 0..8 {
            let (read, write) = sandbox::pipe().expect("a pipe");
            let (back_read, back_write) = sandbox::pipe().expect("a pipe");
            let race = Race::new(&[(7, &read), (8, &back_read)]).expect("a race");
            // It takes a while to be collected: a process more, and much memory.
            let killed =
                python("import os, time\nos.fork()\nblock = bytearray(64 << 20)\ntime.sleep(60)")
                    .limits(|l| l.wall = Duration::from_millis(150))
                    .change(|p| {
                        (p.stdin, p.stdout) = (Stdin::Pipe(&back_read), Stdout::Pipe(&write));
                    });
            let partner = python("import os\nos.read(0, 1)\nos._exit(0)").change(|p| {
                (p.stdin, p.stdout) = (Stdin::Pipe(&read), Stdout::Pipe(&back_write));
            });
            let (killed, partner) = both(sandbox, &killed, &partner).await;
            assert_eq!(killed.status, Status::LimitHit(LimitKind::Wall));
            let first = race.first().expect("the kernel tells");
            assert_eq!(first, Some(7), "{killed:?} {partner:?}");
        }
    });
}

/// It would otherwise never end: a watched pipe has a reader.
#[test]
fn a_writer_dies_of_the_closed_pipe_when_the_race_is_settled() {
    with_sandbox(async |sandbox| {
        let (read, write) = sandbox::pipe().expect("a pipe");
        let race = Race::new(&[(0, &read)]).expect("a race");
        let writer =
            python("while True: print('more')").change(|p| p.stdout = Stdout::Pipe(&write));
        let reader = python("import os\nos.read(0, 1)").change(|p| p.stdin = Stdin::Pipe(&read));
        let mut slots = sandbox.acquire_many(2).await.expect("two slots");
        let (one, other) = slots.split_at_mut(1);
        let (writer, reader) = tokio::join!(one[0].run(writer.program()), async {
            let ended = other[0].run(reader.program()).await;
            race.settle();
            ended
        });
        assert_eq!(reader.expect("it runs").status, Status::Exited(0));
        let writer = writer.expect("it runs");
        assert!(
            String::from_utf8_lossy(&writer.stderr).contains("BrokenPipe"),
            "{writer:?}"
        );
    });
}

#[test]
fn a_silent_partner_hits_its_own_wall() {
    let wait = python("input()");
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
