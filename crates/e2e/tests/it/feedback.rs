//! `feedback: none`: the learner is told that it was received and that it is over, until the teacher says otherwise.

use std::time::Duration;

use e2e::{Person, Product};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::streams::{ECHO, any_question};

fn document() -> Value {
    json!({
        "slug": "told-later", "kind": "stdio", "titles": {"en": "Told later"}, "statements": {"en": "Say it."},
        "difficulty": 1, "tags": [], "limits": {"time_ms": 1000, "memory_kib": 65536, "output_kib": 64},
        "checker": {"kind": "tokens"}, "feedback": "none",
        "tests": [{"name": "1", "input": "1\n", "output": "1\n", "sample": true}],
    })
}

/// The list of questions hears of results a moment later than the stream.
async fn until_status(learner: &Person, wanted: &str) {
    let waiting = async {
        loop {
            let page = learner.get_json("/questions?query=told-later").await;
            if page["items"][0]["my_status"] == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(2), waiting).await;
    assert!(in_time.is_ok(), "it never became {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_until_the_teacher_says_so() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let made = teacher.post_json("/questions", &document()).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let publish = format!("/questions/{id}/publish?unverified=true");
    teacher.post_json(&publish, &json!({})).await;

    let learner = product.newcomer("Patient").await;
    let known = learner
        .submit_and_follow(&any_question(), "python", ECHO)
        .await;
    let told = learner.submit_and_follow(&id, "python", ECHO).await;
    assert_eq!(told.names(), ["accepted", "done"]);
    let submission = told.data("accepted")["submission"]
        .as_str()
        .expect("an id")
        .to_owned();
    let again = learner.follow(&submission, None).await;
    assert_eq!(again, told, "a later look tells no more");
    let path = format!("/submissions/{submission}");
    let secret = [
        "verdict", "score", "tests", "result", "compiled", "review", "time_ms",
    ];
    let shown = learner.get_json(&path).await;
    for field in secret {
        assert!(shown.get(field).is_none(), "{field}: {shown}");
    }
    // To be found by it would tell it, and so would the end of a page.
    let verdict = known.verdict();
    let list = format!("/submissions?verdict={verdict}&limit=1");
    let list = learner.get_json(&list).await;
    assert_eq!(list["items"][0]["id"], known.data("accepted")["submission"]);
    assert!(list.get("next_cursor").is_none_or(Value::is_null), "{list}");
    let list = learner.get_json("/submissions").await;
    assert!(list["items"][0].get("verdict").is_none(), "{list}");
    until_status(&learner, "attempted").await;

    // Those who teach it see all of it.
    assert_eq!(teacher.get_json(&path).await["verdict"], "AC");
    let whole = teacher.follow(&submission, None).await;
    assert_eq!(whole.verdict(), "AC");

    let draft = teacher.get(&format!("/questions/{id}")).await;
    let tag = draft.headers()[header::ETAG].clone();
    let changed = teacher
        .request(Method::PATCH, &format!("/questions/{id}"))
        .header(header::IF_MATCH, tag)
        .json(&json!({"feedback": "full"}))
        .send()
        .await
        .expect("the server answers");
    assert!(changed.status().is_success(), "{:?}", changed.text().await);
    teacher.post_json(&publish, &json!({})).await;
    assert_eq!(learner.get_json(&path).await["verdict"], "AC");
    until_status(&learner, "solved").await;
    assert_eq!(learner.follow(&submission, None).await, whole);
}
