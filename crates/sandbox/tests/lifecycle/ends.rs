//! Orderly and disorderly ends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::{Content, InputFile, SandboxError, Status};

use crate::support::{ask, python, text};
use crate::{Stage, children, eventually};

#[test]
fn shutdown_leaves_nothing() {
    let stage = Stage::new("shutdown");
    let sandbox = stage.start(2);
    assert!(!stage.groups().is_empty() && stage.left_in_work_dir() == 1 && children().len() == 2);
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
    assert_eq!(children(), Vec::<String>::new());
}

#[test]
fn dropping_the_last_handle_leaves_nothing() {
    let stage = Stage::new("drop");
    let sandbox = stage.start(1);
    let clone = sandbox.clone();
    drop(sandbox);
    let slot = stage.runtime.block_on(clone.acquire());
    drop(clone);
    assert_eq!(children().len(), 1, "a slot keeps the sandbox");
    drop(slot);
    stage.nothing_is_left();
    assert_eq!(children(), Vec::<String>::new());
}

#[test]
fn a_slot_after_shutdown_refuses() {
    let stage = Stage::new("after");
    let sandbox = stage.start(1);
    stage.runtime.block_on(async {
        let clone = sandbox.clone();
        sandbox.shutdown().await;
        let result = ask(&["/bin/true"]).run_in(&clone).await;
        assert!(matches!(result, Err(SandboxError::Closed)), "{result:?}");
        assert!(clone.try_acquire().is_none());
    });
    stage.nothing_is_left();
}

#[test]
fn trees_written_meanwhile_are_not_left() {
    let stage = Stage::new("meanwhile");
    let names: Vec<String> = (0..20).map(|number| format!("file{number}")).collect();
    let files: Vec<InputFile<'static>> = names
        .leak()
        .iter()
        .map(|name| InputFile {
            name,
            mode: 0o644,
            content: Content::Bytes(b"text"),
        })
        .collect();
    for _ in 0..10 {
        let sandbox = stage.start(1);
        stage.runtime.block_on(async {
            let writers: Vec<_> = (0..4)
                .map(|_| {
                    let (sandbox, files) = (sandbox.clone(), files.clone());
                    tokio::spawn(async move {
                        // So many at most, lest a failure fills the disk.
                        for _ in 0..500 {
                            if sandbox.artefact(&files).await.is_err() {
                                break;
                            }
                        }
                    })
                })
                .collect();
            sandbox.artefact(&files).await.expect("is still there");
            sandbox.shutdown().await;
            for writer in writers {
                writer.await.expect("no panic");
            }
        });
        stage.nothing_is_left();
    }
}

#[test]
fn slots_are_lent_one_by_one() {
    let stage = Stage::new("lend");
    let sandbox = stage.start(2);
    let (first, second) = (sandbox.try_acquire(), sandbox.try_acquire());
    assert!(first.is_some() && second.is_some() && sandbox.try_acquire().is_none());
    drop(first);
    assert!(sandbox.try_acquire().is_some());
    stage.runtime.block_on(sandbox.shutdown());
}

#[test]
fn a_dropped_run_costs_its_slot_and_nothing_else() {
    let stage = Stage::new("dropped");
    let sandbox = stage.start(1);
    let before = children();
    stage.runtime.block_on(async {
        let sleeper = python("import time; print('up', flush=True); time.sleep(60)");
        let cut = tokio::time::timeout(Duration::from_millis(200), sleeper.run_in(&sandbox)).await;
        assert!(cut.is_err(), "it sleeps for a minute");
        let outcome = ask(&["/bin/echo", "next"])
            .run_in(&sandbox)
            .await
            .expect("the slot was replaced");
        assert_eq!(text(&outcome), "next\n");
    });
    assert_ne!(children(), before, "a new init");
    eventually("no process left", || stage.processes().is_empty());
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
}

#[test]
fn a_killed_init_loses_one_run_and_is_replaced() {
    let stage = Stage::new("killed");
    let sandbox = stage.start(1);
    let init = children().pop().expect("one init");
    stage.runtime.block_on(async {
        let sleeper = python("import time; time.sleep(60)");
        let kill = async {
            while stage.processes().is_empty() {
                tokio::task::yield_now().await;
            }
            Command::new("kill")
                .args(["-9", &init])
                .status()
                .expect("kill runs")
        };
        let (result, _) = tokio::join!(sleeper.run_in(&sandbox), kill);
        assert!(matches!(result, Err(SandboxError::Lost)), "{result:?}");
        assert_eq!(
            ask(&["/bin/true"])
                .run_in(&sandbox)
                .await
                .expect("the slot was replaced")
                .status,
            Status::Exited(0)
        );
    });
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
}

#[test]
fn what_keeps_it_from_serving_is_told_and_tried_again() {
    let stage = Stage::new("trouble");
    let sandbox = stage.start(1);
    let bounds: Vec<PathBuf> = stage
        .groups()
        .iter()
        .map(|group| group.join("cgroup.max.descendants"))
        .filter(|bound| bound.exists())
        .collect();
    assert!(!bounds.is_empty(), "a hierarchy of version 2");
    let bound = |most: &str| {
        for bound in &bounds {
            std::fs::write(bound, most).expect("bounds the groups");
        }
    };
    assert_eq!(sandbox.health(), Ok(()));
    bound("0");
    // Groups that were made ahead serve a while.
    eventually("trouble", || {
        // Once they are used up the run is refused, and the slot is as good as before.
        let _ = stage.runtime.block_on(ask(&["/bin/true"]).run_in(&sandbox));
        sandbox.health().is_err()
    });
    let trouble = sandbox.health().expect_err("it is in trouble");
    assert!(trouble.starts_with("no cgroup can be made: "), "{trouble}");
    bound("max");
    eventually("health", || sandbox.health().is_ok());
    let outcome = stage
        .runtime
        .block_on(ask(&["/bin/echo", "served"]).run_in(&sandbox))
        .expect("it serves again");
    assert_eq!(text(&outcome), "served\n");
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
}

#[test]
fn an_init_killed_while_idle_costs_no_run() {
    let stage = Stage::new("idle");
    let sandbox = stage.start(1);
    let init = children().pop().expect("one init");
    Command::new("kill")
        .args(["-9", &init])
        .status()
        .expect("kill runs");
    eventually("it is dead", || {
        let stat = std::fs::read_to_string(format!("/proc/{init}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
    let outcome = stage
        .runtime
        .block_on(ask(&["/bin/echo", "fine"]).run_in(&sandbox));
    assert_eq!(
        text(&outcome.expect("the slot was replaced before the run")),
        "fine\n"
    );
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
}

#[test]
fn a_killed_owner_takes_its_runs_along_and_the_next_start_cleans_up() {
    let stage = Stage::new("owner");
    let mut owner = Command::new(env!("CARGO_BIN_EXE_sandbox-run"))
        .arg(stage.work_dir())
        .args([&stage.name, "--", "/bin/sleep", "60"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the owner starts");
    let mut report = String::new();
    BufReader::new(owner.stdout.take().expect("a pipe"))
        .read_line(&mut report)
        .expect("the owner reports");
    assert!(report.contains("backend"), "{report}");
    eventually("the program runs", || !stage.processes().is_empty());
    owner.kill().expect("kills the owner");
    owner.wait().expect("the owner is gone");
    eventually("its processes are gone", || stage.processes().is_empty());
    assert!(
        !stage.groups().is_empty() && stage.left_in_work_dir() == 1,
        "a killed owner cannot clean up"
    );
    let sandbox = stage.start(1);
    assert_eq!(stage.left_in_work_dir(), 1, "only the new instance");
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
}

#[test]
fn a_start_leaves_foreign_directories_alone() {
    let stage = Stage::new("foreign");
    let foreign = stage.work_dir().join("precious");
    std::fs::create_dir_all(&foreign).expect("makes a directory");
    let sandbox = stage.start(1);
    stage.runtime.block_on(sandbox.shutdown());
    assert!(foreign.exists());
}

#[test]
fn a_start_without_its_init_fails_cleanly() {
    let stage = Stage::new("broken");
    for exe in ["/bin/false", "/nowhere"] {
        let config = sandbox::Config {
            init_exe: Some(exe.into()),
            ..stage.config(1)
        };
        let result = stage.runtime.block_on(sandbox::Sandbox::start(config));
        assert!(result.is_err());
        stage.nothing_is_left();
    }
    assert_eq!(children(), Vec::<String>::new());
}
