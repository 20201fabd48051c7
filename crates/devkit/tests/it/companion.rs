//! A service beside its owner: it runs, is watched, and is found again by the next owner.

use std::{fs, path::Path};

use devkit::{Companion, DevkitError, Program};

fn sleeper() -> Program<'static> {
    Program {
        path: Path::new("/bin/sh"),
        arguments: &["-c", "echo started as $NAME; exec sleep 600"],
        environment: &[],
    }
}

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn runs_until_it_is_stopped() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let environment = [("NAME".to_owned(), "me".to_owned())];
    let program = Program {
        environment: &environment,
        ..sleeper()
    };
    let companion = Companion::start(data.path(), "sleeper", program)
        .await
        .expect("it starts");
    let pid = companion.pid();
    assert!(is_alive(pid));
    companion.stop().await.expect("it can be stopped");
    assert!(!is_alive(pid));
    let log = fs::read_to_string(data.path().join("sleeper/log")).expect("it has a log");
    assert!(log.is_empty() || log == "started as me\n", "{log}");
}

#[tokio::test]
async fn ends_what_a_killed_owner_left() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let left = Companion::start(data.path(), "sleeper", sleeper())
        .await
        .expect("it starts");
    let first = left.pid();
    // An owner that was killed says nothing any more.
    std::mem::forget(left);
    let next = Companion::start(data.path(), "sleeper", sleeper())
        .await
        .expect("it starts again");
    assert!(!is_alive(first));
    assert!(is_alive(next.pid()));
    next.stop().await.expect("it can be stopped");
}

#[tokio::test]
async fn explains_why_it_ended() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let program = Program {
        arguments: &["-c", "echo no such luck >&2; exit 3"],
        ..sleeper()
    };
    // It may have gone before it was known: then that is the answer of the start.
    let explained = match Companion::start(data.path(), "unlucky", program).await {
        Ok(companion) => {
            companion.ended().await.expect("it can be watched");
            companion.explain()
        }
        Err(error) => error,
    };
    let DevkitError::Ended { server, log } = explained else {
        panic!("it has ended");
    };
    assert_eq!((server, log.as_str()), ("unlucky", "no such luck"));
}
