//! Signals end a process: softly at first, at once the second time. The process is this test program, started once more.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use service::Shutdown;

/// Set in the process that is to be ended.
const CHILD: &str = "SERVICE_TEST_ENDED_BY_SIGNALS";

#[tokio::test]
async fn the_first_signal_is_soft_and_the_second_ends_at_once() {
    if env::var_os(CHILD).is_some() {
        return be_ended().await;
    }
    for signals in [
        [Signal::SIGTERM, Signal::SIGINT],
        [Signal::SIGINT, Signal::SIGTERM],
    ] {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args([
                "--exact",
                "signals::the_first_signal_is_soft_and_the_second_ends_at_once",
                "--nocapture",
            ])
            .env(CHILD, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let pid = Pid::from_raw(child.id().cast_signed());
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut wait_for = |wanted: &str| {
            let found = lines
                .by_ref()
                .map_while(Result::ok)
                .any(|line| line.contains(wanted));
            assert!(found, "it never said {wanted:?}");
        };
        wait_for("waiting for signals");
        kill(pid, signals[0]).expect("it runs");
        wait_for("ending softly");
        kill(pid, signals[1]).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
    }
}

async fn be_ended() {
    let shutdown = Shutdown::on_signals(Shutdown::GRACE);
    println!("waiting for signals");
    shutdown.soft().cancelled().await;
    println!("ending softly");
    std::future::pending::<()>().await;
}
