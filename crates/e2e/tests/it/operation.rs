//! What an operator sees: probes, restarts, crashes, ports that are taken.

use std::{collections::BTreeSet, fs, time::Duration};

use e2e::{Product, Start, product::descendants};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::StatusCode;

use crate::{
    faults::until,
    streams::{ECHO, any_question},
};

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Cgroups of ours, anywhere.
fn cgroups() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                let text = path.display().to_string();
                // A sandbox's own group is named after its process.
                if text.contains("codementor") && text.contains('-') {
                    found.insert(text);
                }
                open.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_answers_its_probes() {
    let product = Product::shared().await;
    for name in ["gateway", "execute", "question", "evaluation", "runner"] {
        for probe in ["livez", "readyz", "startupz", "metrics"] {
            let url = format!("{}/{probe}", product.ops_url(name));
            let answer = reqwest::get(&url).await.expect("the probe answers");
            assert_eq!(answer.status(), StatusCode::OK, "{name} {probe}");
            let text = answer.text().await.expect("a body");
            assert!(
                probe != "metrics" || text.contains("codementor_"),
                "{name}: {text}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_a_crash_of_everything_and_leaves_nothing_at_its_end() {
    let before = cgroups();
    let mut product = Product::start(Start::default()).await;
    let learner = product.demo("learner").await;
    let done = learner.submit(&any_question(), "python", ECHO).await;
    let transcript = learner.follow(&done, None).await;
    let open = learner
        .submit(&any_question(), "cpp", "int main() { for (;;) ; }")
        .await;
    let first = descendants(product.process());
    product.kill_everything().await;

    product.start_again().await;
    assert!(
        !first.iter().any(|pid| is_alive(*pid)),
        "something of the first one lives"
    );
    let learner = product.demo("learner").await;
    assert_eq!(
        learner.follow(&done, None).await,
        transcript,
        "the data stays"
    );
    let ended = learner.follow(&open, None).await;
    assert_eq!(ended.verdict(), "TLE", "what was accepted is judged");

    let second = descendants(product.process());
    assert!(!second.is_empty());
    let status = product.end().await;
    assert!(status.success(), "{status}: {}", product.log());
    assert!(
        !second.iter().any(|pid| is_alive(*pid)),
        "something is left running"
    );
    let left: Vec<String> = cgroups().difference(&before).cloned().collect();
    let mine = first
        .iter()
        .chain(&second)
        .map(|pid| format!("{pid}-"))
        .collect::<Vec<_>>();
    let left: Vec<&String> = left
        .iter()
        .filter(|path| mine.iter().any(|pid| path.contains(&format!("/{pid}"))))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!product.data().join("up.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_given_up_leaves_nothing_running() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut up = std::process::Command::new(e2e::product::program())
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .env_remove("DATABASE_URL")
        .env_remove("KAFKA_BROKERS")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("codementor runs");
    // By then the servers run, and the services are being started.
    let begun = folder.path().join("runner/pid");
    until("the runner is started", async || begun.exists()).await;
    let started = descendants(up.id());
    assert!(
        started.len() >= 3,
        "Postgres, Kafka and the runner: {started:?}"
    );
    let pid = i32::try_from(up.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it is our child");
    let ended = async || up.try_wait().expect("it is our child").is_some();
    until("it has ended", ended).await;
    let status = up.wait().expect("it is our child");
    assert!(status.success(), "{status}");
    let left: Vec<&u32> = started.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_the_servers_that_are_given() {
    let servers = devkit::Stack::for_tests().expect("a stack");
    let database = servers.fresh_database().await.expect("a database");
    let brokers = servers.brokers().await.expect("brokers");
    let environment = [
        ("DATABASE_URL", database),
        ("KAFKA_BROKERS", brokers),
        ("CODEMENTOR_TOPIC_PREFIX", servers.topic_prefix()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let mut product = Product::start(Start {
        environment: environment.to_vec(),
        ..Start::default()
    })
    .await;
    for private in ["postgres", "kafka"] {
        assert!(!product.data().join(private).exists(), "{private}");
    }
    let learner = product.demo("learner").await;
    let told = learner
        .submit_and_follow(&any_question(), "python", ECHO)
        .await;
    assert_eq!(told.names().last(), Some(&"done"), "{told:?}");
    let status = product.end().await;
    assert!(status.success(), "{status}: {}", product.log());
    assert!(servers.brokers().await.is_ok(), "they are not ours to end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_one_sentence() {
    let product = Product::shared().await;
    let address = product.url().trim_start_matches("http://").to_owned();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = std::process::Command::new(e2e::product::program())
        .args(["up", "--listen", &address, "--data"])
        .arg(folder.path())
        .output()
        .expect("codementor runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_serves_one_at_a_time() {
    let product = Product::shared().await;
    let output = product.tool(&["up", "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("in use"), "{said}");
    let me = product.demo("learner").await.get("/me").await;
    assert_eq!(me.status(), StatusCode::OK, "the first one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_the_running_up() {
    let product = Product::shared().await;
    for role in ["learner", "teacher", "admin"] {
        let output = product.tool(&["token", "--role", role]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let token = String::from_utf8(output.stdout).expect("text");
        let mut person = e2e::Person::nobody(product.url());
        token.trim().clone_into(&mut person.token);
        assert_eq!(person.get_json("/me").await["role"], role);
    }
    tokio::time::timeout(Duration::from_mins(1), async {
        let file = product.data().join("solution.py");
        fs::write(&file, ECHO).expect("the folder is writable");
        let name = file.display().to_string();
        let output = product.tool(&["submit", &any_question(), &name]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("verdict") && said.trim_end().ends_with("done"),
            "{said}"
        );
    })
    .await
    .expect("it ends");
}
