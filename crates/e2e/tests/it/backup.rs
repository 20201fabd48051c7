//! A backup that is made while people submit, and what is brought back from it.

use std::{path::Path, process::Output, sync::Arc, time::Duration};

use e2e::{Person, Product, Start, product::program};
use tokio::sync::{Mutex, Notify};

use crate::{
    faults::until,
    streams::{ECHO, any_question},
};

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn restore(from: &Path, data: &Path) -> Output {
    std::process::Command::new(program())
        .args(["restore", "--from"])
        .arg(from)
        .arg("--data")
        .arg(data)
        .env_remove("DATABASE_URL")
        .output()
        .expect("codementor runs")
}

/// Takes so long that a backup meets it in every state.
const SLOW: &str = "import time\ntime.sleep(0.2)\nprint(input())\n";

/// Submits one after the other until it is told to end, and notes each that was accepted.
async fn submit_on(learner: Person, accepted: Arc<Mutex<Vec<String>>>, end: Arc<Notify>) {
    let submitting = async {
        let mut pace = tokio::time::interval(Duration::from_millis(250));
        for number in 0.. {
            pace.tick().await;
            let code = if number % 2 == 0 { SLOW } else { ECHO };
            let id = learner.submit(&any_question(), "python", code).await;
            accepted.lock().await.push(id);
        }
    };
    tokio::select! {
        () = submitting => {}
        () = end.notified() => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_a_backup_under_load_is_judged_after_its_restore() {
    let mut product = Product::start(Start {
        environment: vec![
            ("CODEMENTOR_WAITING_PER_ACCOUNT".to_owned(), "0".to_owned()),
            (
                "CODEMENTOR_SUBMISSIONS_PER_MINUTE".to_owned(),
                "0".to_owned(),
            ),
        ],
        ..Start::default()
    })
    .await;
    let learner = product.newcomer("Backup").await;
    let (accepted, end) = (
        Arc::<Mutex<Vec<String>>>::default(),
        Arc::new(Notify::new()),
    );
    let load = tokio::spawn(submit_on(learner, Arc::clone(&accepted), Arc::clone(&end)));
    until("some are accepted", async || {
        accepted.lock().await.len() >= 8
    })
    .await;
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("backup");
    let name = folder.display().to_string();
    let before = accepted.lock().await.clone();
    let made = tokio::task::block_in_place(|| product.tool(&["backup", "--to", &name]));
    assert!(made.status.success(), "{}", said(&made));
    let after = accepted.lock().await.len();
    end.notify_one();
    load.await.expect("nothing was refused");
    assert!(after > before.len(), "submissions went on meanwhile");

    // Nothing is ever overwritten.
    let again = product.tool(&["backup", "--to", &name]);
    assert!(said(&again).contains("is not empty"), "{}", said(&again));
    let refused = restore(&folder, &product.data());
    assert!(
        !refused.status.success() && said(&refused).contains("is not empty"),
        "{}",
        said(&refused)
    );
    product.end().await;

    let other = Arc::new(tempfile::tempdir().expect("a folder"));
    let restored = restore(&folder, &other.path().join("data"));
    assert!(restored.status.success(), "{}", said(&restored));
    let product = Product::start_in(other, Start::default()).await;
    let admin = product.demo("admin").await;
    for id in &before {
        let transcript = admin.follow(id, None).await;
        assert_eq!(
            transcript.all("verdict").len(),
            1,
            "{:?}",
            transcript.names()
        );
        assert_eq!(transcript.names().last(), Some(&"done"));
    }
    let audit = product.tool(&["audit", "--since", "1h"]);
    assert_eq!(audit.status.code(), Some(0), "{}", said(&audit));
    // Some were open when the snapshot was taken, and their jobs lay in a Kafka that is not there any more.
    let metrics = reqwest::get(format!("{}/metrics", product.ops_url("execute"))).await;
    let metrics = metrics.expect("an answer").text().await.expect("a body");
    let again = metrics
        .lines()
        .find_map(|line| line.strip_prefix("codementor_jobs_lost_total "))
        .and_then(|count| count.parse::<f64>().ok());
    assert!(again.is_some_and(|count| count >= 1.0), "{again:?}");
}
