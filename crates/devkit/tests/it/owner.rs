//! Servers end with the program that started them, however that ends, and start again on what they left.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::postgres::processes_in;

/// The program that started the servers; a failed test takes it along.
struct Owner(Child);

impl Owner {
    fn kill(&mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `devkit run` until both servers answer; their addresses come with it.
fn run(dir: &Path) -> (Owner, Vec<String>) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_devkit"))
        .arg("run")
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("devkit runs");
    let lines = BufReader::new(owner.stdout.take().expect("its output is piped")).lines();
    let addresses: Vec<String> = lines
        .take(2)
        .map(|line| line.expect("it prints text"))
        .collect();
    assert_eq!(addresses.len(), 2, "both servers have started");
    (Owner(owner), addresses)
}

/// Signals each; some may have ended by themselves meanwhile, as Postgres' sessions do.
fn signal(name: &str, pids: &[String]) {
    for pid in pids {
        let output = Command::new("kill")
            .args([name, pid])
            .output()
            .expect("kill runs");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() || message.contains("No such process"),
            "{message}"
        );
    }
}

fn wait_until_nothing_runs_in(dir: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let left = processes_in(dir);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still there: {left:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn servers_end_with_their_owner_and_start_on_what_they_left() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();

    let (mut owner, first) = run(dir);
    owner.kill();
    wait_until_nothing_runs_in(dir);

    let (mut owner, second) = run(dir);
    assert_eq!(second, first, "the addresses stay the same");
    let servers = processes_in(dir);
    assert!(servers.len() >= 2, "{servers:?}");
    // Frozen servers do not hear that their owner has died.
    signal("-STOP", &servers);
    owner.kill();
    let left = processes_in(dir);
    assert!(
        left.len() >= 2 && left.iter().all(|pid| servers.contains(pid)),
        "{left:?} of {servers:?}"
    );

    let (mut owner, third) = run(dir);
    assert_eq!(third, first);
    assert!(
        processes_in(dir).iter().all(|pid| !servers.contains(pid)),
        "the old ones are gone"
    );

    let everything = processes_in(dir);
    owner.kill();
    signal("-KILL", &everything);

    let (mut owner, fourth) = run(dir);
    assert_eq!(fourth, first);
    signal("-INT", &[owner.0.id().to_string()]);
    assert!(owner.0.wait().expect("it is our child").success());
    assert_eq!(processes_in(dir), Vec::<String>::new());
}
