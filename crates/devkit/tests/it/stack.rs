//! The shared servers: found again by the next program, ended by `devkit stop`, and never in the way after a crash.

use std::{path::Path, process::Command};

use devkit::Stack;
use sqlx::{Connection, PgConnection};

use crate::postgres::processes_in;

/// Runs the `devkit` program on a stack of this test's own.
fn devkit(dir: &Path, command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_devkit"))
        .arg(command)
        .env("CODEMENTOR_TEST_STACK", dir)
        .env_remove("DATABASE_URL")
        .env_remove("KAFKA_BROKERS")
        .output()
        .expect("devkit runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("it prints text")
}

#[tokio::test]
async fn is_shared_by_programs_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let started = devkit(folder.path(), "start");
    assert_eq!(
        devkit(folder.path(), "start"),
        started,
        "the second start finds the first one's servers"
    );
    let stack = Stack::in_folder(folder.path()).expect("the environment is readable");
    let brokers = stack.brokers().await.expect("kafka runs");
    assert!(
        started.contains(&format!("KAFKA_BROKERS={brokers}\n")),
        "{started}"
    );

    let (one, other) = tokio::join!(stack.fresh_database(), stack.fresh_database());
    let (one, other) = (one.expect("a database"), other.expect("another database"));
    assert_ne!(one, other);
    PgConnection::connect(&one).await.expect("it can be used");
    assert_ne!(stack.topic_prefix(), stack.topic_prefix());

    let (postgres, kafka) = stack.status().await.expect("the state is known");
    for pid in [postgres.expect("postgres runs"), kafka.expect("kafka runs")] {
        let killed = Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .expect("kill runs");
        assert!(killed.success());
    }
    let url = stack
        .fresh_database()
        .await
        .expect("postgres is started again");
    PgConnection::connect(&url).await.expect("it can be used");

    devkit(folder.path(), "stop");
    assert_eq!(processes_in(folder.path()), Vec::<String>::new());
    assert_eq!(
        devkit(folder.path(), "status"),
        "postgres not running\nkafka not running\n"
    );
    devkit(folder.path(), "stop");
}
