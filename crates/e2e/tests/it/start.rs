//! A service that cannot start yet: it says why, at once and in one sentence, and starts when the reason is gone.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use e2e::{Product, product::program};
use serde_json::Value;

use crate::faults::until;

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The servers that the shared product uses.
struct Servers {
    database: String,
    brokers: String,
}

fn psql(database: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args([
            "-X",
            "-q",
            "-t",
            "-A",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            "-c",
            statement,
        ])
        .output()
        .expect("psql runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Servers {
    fn of(product: &Product) -> Self {
        let text = |name: &str| {
            let servers = &product.summary["servers"];
            servers[name]
                .as_str()
                .expect("up.json tells them")
                .to_owned()
        };
        Self {
            database: text("database_url"),
            brokers: text("kafka_brokers"),
        }
    }

    /// Another database of the same server, with nothing in it.
    fn empty_database(&self, name: &str) -> String {
        psql(&self.database, &format!("CREATE DATABASE {name}"));
        let (server, _) = self.database.rsplit_once('/').expect("an address");
        format!("{server}/{name}")
    }
}

fn command(name: &str, folder: &Path, servers: &Servers, database: &str) -> Command {
    let mut command = Command::new(program());
    command
        .arg(name)
        .env("DATABASE_URL", database)
        .env("KAFKA_BROKERS", &servers.brokers)
        .env("CODEMENTOR_TOPIC_PREFIX", "start-")
        .env("CODEMENTOR_KEYS", folder.join("keys"))
        .env("CODEMENTOR_PROFILE", "dev")
        .env("CODEMENTOR_SERVICE_KEY", folder.join("keys/evaluation.pem"))
        .env("CODEMENTOR_TRUSTED_KEYS", folder.join("keys/trusted.json"))
        .stdin(Stdio::null());
    command
}

fn setup(folder: &Path, servers: &Servers, database: &str) {
    let output = command("setup", folder, servers, database).output();
    let output = output.expect("codementor runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A free port, for a moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound").port()
}

/// The status of `/readyz`, and why the part is not well.
async fn ready(ops: &str, part: &str) -> (u16, String) {
    let Ok(answer) = reqwest::get(format!("{ops}/readyz")).await else {
        return (0, String::new());
    };
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("JSON");
    let why = body["parts"][part]["why"].as_str().unwrap_or_default();
    (status, why.to_owned())
}

async fn says(ops: &str, part: &str, words: &str) {
    until(&format!("{part} says {words:?}"), async || {
        let (status, why) = ready(ops, part).await;
        status == 503 && why.contains(words)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_what_it_waits_for_and_starts_when_it_is_there() {
    let product = Product::shared().await;
    let (servers, folder) = (Servers::of(product), tempfile::tempdir().expect("a folder"));
    let database = servers.empty_database("start_evaluation");
    let (api, ops) = (free_port(), free_port());
    let log = folder.path().join("log");
    let child = command("evaluation", folder.path(), &servers, &database)
        .env("CODEMENTOR_LISTEN", format!("127.0.0.1:{api}"))
        .env("CODEMENTOR_OPS_LISTEN", format!("127.0.0.1:{ops}"))
        .env("CODEMENTOR_TOPIC_PREFIX", "start-")
        .stderr(File::create(&log).expect("a file"))
        .spawn()
        .expect("codementor runs");
    let mut child = Running(child);
    let ops = format!("http://127.0.0.1:{ops}");

    says(&ops, "keys", "cannot read the key file").await;
    let early = reqwest::get(format!("http://127.0.0.1:{api}/")).await;
    assert_eq!(
        early.expect("an answer").status(),
        503,
        "requests are told to come later"
    );
    let live = reqwest::get(format!("{ops}/livez"))
        .await
        .expect("an answer");
    assert_eq!(live.status(), 200, "a restart would not help");

    // Keys alone; the database is still empty.
    fs::create_dir(folder.path().join("keys")).expect("a folder");
    let other = servers.empty_database("start_other");
    setup(folder.path(), &servers, &other);
    says(&ops, "database", "run `codementor setup`").await;

    setup(folder.path(), &servers, &database);
    until("it is ready", async || ready(&ops, "start").await.0 == 200).await;
    assert!(
        child.0.try_wait().expect("our child").is_none(),
        "never restarted"
    );
    let log = fs::read_to_string(log).expect("its log");
    for words in [
        "evaluation cannot start yet: cannot read the key file",
        "run `codementor setup`",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_and_topics_that_do_not_do_are_said_in_readyz() {
    let product = Product::shared().await;
    let (servers, folder) = (Servers::of(product), tempfile::tempdir().expect("a folder"));
    let database = servers.empty_database("start_newer");
    setup(folder.path(), &servers, &database);
    psql(
        &database,
        "INSERT INTO evaluation._sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'of the future', true, '', 0)",
    );
    let port = free_port();
    let child = command("evaluation", folder.path(), &servers, &database)
        .env("CODEMENTOR_LISTEN", "127.0.0.1:0")
        .env("CODEMENTOR_OPS_LISTEN", format!("127.0.0.1:{port}"))
        .env("CODEMENTOR_TOPIC_PREFIX", "nowhere-")
        .stderr(Stdio::null())
        .spawn()
        .expect("codementor runs");
    let _child = Running(child);
    let ops = format!("http://127.0.0.1:{port}");
    says(
        &ops,
        "database",
        "newer version of CodeMentor (migration 999999)",
    )
    .await;
    psql(
        &database,
        "DELETE FROM evaluation._sqlx_migrations WHERE version = 999999",
    );
    says(&ops, "topics", "nowhere-codementor.submissions.v1").await;
}

#[test]
fn a_variable_that_is_unset_or_wrong_ends_a_service_with_its_name_and_an_example() {
    let ends = |service: &str, variables: &[(&str, &str)], words: &[&str]| {
        let output = Command::new(program())
            .arg(service)
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("codementor runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    };
    ends(
        "gateway",
        &[
            ("CODEMENTOR_SERVICE_KEY", "a"),
            ("CODEMENTOR_TRUSTED_KEYS", "b"),
        ],
        &[
            "DATABASE_URL is not set",
            "DATABASE_URL=postgres://codementor:password@",
        ],
    );
    ends(
        "question",
        &[
            ("DATABASE_URL", "mysql://a:hunter2@b/c"),
            ("CODEMENTOR_TRUSTED_KEYS", "b"),
        ],
        &[
            "DATABASE_URL",
            "no address of a Postgres database",
            "for example",
        ],
    );
    let key = ("CODEMENTOR_TRUSTED_KEYS", "b");
    ends(
        "runner",
        &[key, ("CODEMENTOR_RUNNER_SLOTS", "many")],
        &["CODEMENTOR_RUNNER_SLOTS is \"many\"", "for example"],
    );
    ends(
        "runner",
        &[key, ("CODEMENTOR_LOG", "=,=")],
        &["CODEMENTOR_LOG is not understood", "for example"],
    );
}
