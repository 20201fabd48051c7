//! Golden files: every message reads, writes back the same, and ignores fields that it does not know.

use std::{fs, path::Path};

use contract::{
    Account, Headers, StreamEvent,
    internal::{LogRequest, LogResponse, StreamInfo},
    job::{JudgeJob, ReviewJob},
    manifest::Manifest,
    record::{AccountRecord, QuestionRecord, ResultRecord},
    runner_api::{JudgeRequest, RunRequest, RunnerEvent},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Reads every golden file whose path begins so, and answers how many there were.
fn check<T: Serialize + DeserializeOwned>(prefix: &str) -> usize {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let (folder, name) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let mut checked = 0;
    for entry in fs::read_dir(golden.join(folder)).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        let file = path.file_name().and_then(|name| name.to_str());
        if !path.is_file() || !file.is_some_and(|file| file.starts_with(name)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("the file can be read");
        let mut value: Value = serde_json::from_str(&text).expect("the file is JSON");
        let message: T = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{} does not decode: {error}", path.display()));
        let written = serde_json::to_value(&message).expect("it encodes");
        assert_eq!(written, value, "{} changes on its way", path.display());

        value["added_later"] = json!({"anything": [1, 2]});
        let newer: T = serde_json::from_value(value)
            .unwrap_or_else(|error| panic!("{} plus a field: {error}", path.display()));
        let written_again = serde_json::to_value(&newer).expect("it encodes");
        assert_eq!(written_again, written, "{}", path.display());
        checked += 1;
    }
    checked
}

#[test]
fn every_message_reads_and_writes_back_the_same() {
    assert_eq!(check::<StreamEvent>("events/"), 13);
    assert_eq!(check::<JudgeJob>("jobs/judge"), 1);
    assert_eq!(check::<JudgeJob>("jobs/run"), 1);
    assert_eq!(check::<JudgeJob>("jobs/samples"), 1);
    assert_eq!(check::<ReviewJob>("jobs/review"), 1);
    assert_eq!(check::<Manifest>("manifest"), 1);
    assert_eq!(check::<Headers>("headers"), 1);
    assert_eq!(check::<Account>("account"), 1);
    assert_eq!(check::<JudgeRequest>("runner/judge-request"), 1);
    assert_eq!(check::<RunRequest>("runner/run-request"), 1);
    assert_eq!(check::<RunnerEvent>("runner/event-"), 5);
    assert_eq!(check::<StreamInfo>("internal/stream-info"), 1);
    assert_eq!(check::<ResultRecord>("records/result"), 1);
    assert_eq!(check::<QuestionRecord>("records/question"), 1);
    assert_eq!(check::<AccountRecord>("records/account"), 1);
    assert_eq!(check::<LogRequest>("internal/log-request"), 1);
    assert_eq!(check::<LogResponse>("internal/log-response"), 1);
}
