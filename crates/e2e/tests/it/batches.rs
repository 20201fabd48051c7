//! Verifications, rejudges and the feed: a teacher proves a question, changes it, and decides what counts.

use std::time::Duration;

use e2e::{Person, Product, Transcript};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

const ECHO: &str = "print(input())";

/// A question with a solution that is right, and one that is not.
fn document(slug: &str) -> Value {
    json!({
        "slug": slug, "kind": "stdio", "titles": {"en": "Say it"}, "statements": {"en": "Say it."},
        "difficulty": 1, "tags": [], "checker": {"kind": "tokens"},
        "tests": [{"name": "1", "input": "1\n", "output": "1\n", "sample": true}, {"name": "2", "input": "2\n", "output": "2\n"}],
        "solutions": [
            {"language": "python", "code": ECHO, "expect": "AC"},
            {"language": "python", "code": "print(1)", "expect": "AC"},
        ],
    })
}

async fn change(teacher: &Person, path: &str, body: &Value) {
    let seen = teacher.get(path).await;
    let tag = seen.headers()[header::ETAG].clone();
    let asked = teacher.request(Method::PATCH, path);
    let changed = asked.header(header::IF_MATCH, tag).json(body).send().await;
    let changed = changed.expect("an answer");
    assert_eq!(changed.status(), 200, "{:?}", changed.text().await);
}

/// Begins a verification and reads its stream to the end.
async fn verify(teacher: &Person, question: &str) -> (String, Transcript) {
    let answer = teacher
        .post(&format!("{question}/verify"), &json!({}))
        .await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let begun: Value = answer.json().await.expect("JSON");
    let id = begun["id"].as_str().expect("an id").to_owned();
    let events = format!("/api/v1/batches/{id}/events");
    assert_eq!(begun["links"]["events"], events);
    let stream = Transcript::of_batch(teacher.get(&format!("/batches/{id}/events")).await).await;
    (id, stream)
}

fn of_solution(stream: &Transcript, solution: u64, event: &str) -> Vec<Value> {
    let all = stream.all(event).into_iter();
    all.filter(|data| data["solution"] == solution)
        .cloned()
        .collect()
}

/// The line of that judging, once execute has written it down: the stream may be faster.
async fn line_of(teacher: &Person, after: &str, submission: &str, judgement: u32) -> Value {
    let waiting = async {
        loop {
            let lines = feed(teacher, after).await;
            let is_it =
                |line: &&Value| line["submission"] == submission && line["judgement"] == judgement;
            if let Some(line) = lines.iter().find(is_it) {
                return line.clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let line = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    line.expect("it comes to the feed")
}

/// Polls until the batch is judged.
async fn judged(teacher: &Person, id: &str) -> Value {
    let waiting = async {
        loop {
            let batch = teacher.get_json(&format!("/batches/{id}")).await;
            if batch["status"] == "judged" {
                return batch;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let judged = tokio::time::timeout(Duration::from_mins(2), waiting).await;
    judged.expect("it is judged in time")
}

async fn feed(teacher: &Person, after: &str) -> Vec<Value> {
    let page = teacher.get(&format!("/feed?after={after}")).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "application/x-ndjson");
    let text = page.text().await.expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_published_once_its_solutions_prove_it() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let made = teacher.post_json("/questions", &document("proven")).await;
    let question = format!("/questions/{}", made["id"].as_str().expect("an id"));
    let publish = format!("{question}/publish");

    // One of the solutions is not what it is said to be.
    assert_eq!(teacher.post(&publish, &json!({})).await.status(), 409);
    let (id, stream) = verify(&teacher, &question).await;
    for (solution, verdict) in [(1, "AC"), (2, "WA")] {
        assert_eq!(
            of_solution(&stream, solution, "accepted").len(),
            1,
            "{stream:?}"
        );
        let tests = of_solution(&stream, solution, "test");
        assert_eq!(tests.len(), 2, "{stream:?}");
        let verdicts = of_solution(&stream, solution, "verdict");
        assert_eq!(verdicts[0]["verdict"], verdict);
    }
    assert_eq!(stream.names().last(), Some(&"done"));
    let batch = teacher.get_json(&format!("/batches/{id}")).await;
    assert_eq!(
        (&batch["kind"], &batch["status"]),
        (&json!("verification"), &json!("judged"))
    );
    assert_eq!(batch["solutions"][1]["verdict"], "WA");
    let shown = teacher.get_json(&question).await;
    assert_eq!(shown["verification"]["state"], "failed", "{shown}");
    assert_eq!(teacher.post(&publish, &json!({})).await.status(), 409);
    let apply = teacher
        .post(&format!("/batches/{id}/apply"), &json!({}))
        .await;
    assert_eq!(apply.status(), 409, "a verification never counts");

    let mut right = document("proven")["solutions"].clone();
    right[1]["expect"] = json!("WA");
    change(&teacher, &question, &json!({"solutions": right})).await;
    let shown = teacher.get_json(&question).await;
    assert_eq!(shown["verification"]["current"], false, "{shown}");
    assert_eq!(teacher.post(&publish, &json!({})).await.status(), 409);
    verify(&teacher, &question).await;
    let published = teacher.post(&publish, &json!({})).await;
    assert_eq!(published.status(), 201);
    let published: Value = published.json().await.expect("JSON");
    assert_eq!(published, json!({"version": 1, "unverified": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_judged_anew_and_the_learner_hears_of_it_when_it_counts() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let made = teacher.post_json("/questions", &document("rejudged")).await;
    let question = format!("/questions/{}", made["id"].as_str().expect("an id"));
    let publish = format!("{question}/publish?unverified=true");
    teacher.post_json(&publish, &json!({})).await;
    let learner = product.newcomer("Judged twice").await;
    let first = learner.submit_and_follow("rejudged", "python", ECHO).await;
    assert_eq!(first.verdict(), "AC");
    let submission = first.data("accepted")["submission"].clone();
    let submission = submission.as_str().expect("an id");
    let line = line_of(&teacher, "", submission, 1).await;
    assert_eq!(line["verdict"], "AC");
    let position = line["position"].as_str().expect("a position");

    let output = json!({"tests": [{"name": "1"}, {"name": "2", "output": "3\n"}]});
    change(&teacher, &question, &output).await;
    teacher.post_json(&publish, &json!({})).await;
    let wish = json!({"question": "rejudged", "filter": {"verdict": "AC", "language": ["python"]}});
    let refused = learner.post("/rejudges", &wish).await;
    assert_eq!(refused.status(), 403);
    let answer = teacher.post("/rejudges", &wish).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let begun: Value = answer.json().await.expect("JSON");
    let batch = begun["id"].as_str().expect("an id");
    let stream = Transcript::of_batch(teacher.get(&format!("/batches/{batch}/events")).await).await;
    let changed = stream.data("changed");
    assert_eq!(changed["submission"], submission);
    assert_eq!(
        (&changed["before"]["verdict"], &changed["after"]["verdict"]),
        (&json!("AC"), &json!("WA"))
    );
    let shown = judged(&teacher, batch).await;
    assert_eq!(
        (&shown["version"], &shown["changed"], &shown["total"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let own = learner
        .get_json(&format!("/submissions/{submission}"))
        .await;
    assert_eq!(
        (&own["verdict"], own["judgements"].as_array().map(Vec::len)),
        (&json!("AC"), Some(1))
    );
    let proposed = format!("/submissions/{submission}/events?judgement=2");
    assert_eq!(learner.get(&proposed).await.status(), 404);
    let proposed = Transcript::read(teacher.get(&proposed).await).await;
    assert_eq!(proposed.verdict(), "WA");

    let applied = teacher
        .post_json(&format!("/batches/{batch}/apply"), &json!({}))
        .await;
    assert_eq!(applied["status"], "applied");
    let own = learner
        .get_json(&format!("/submissions/{submission}"))
        .await;
    assert_eq!(
        (&own["verdict"], &own["version"]),
        (&json!("WA"), &json!(2))
    );
    let discard = teacher
        .post(&format!("/batches/{batch}/discard"), &json!({}))
        .await;
    assert_eq!(discard.status(), 409);
    let again = line_of(&teacher, position, submission, 2).await;
    assert_eq!(again["verdict"], "WA");
    assert_eq!(learner.get("/feed").await.status(), 403);

    let asked = teacher.request(Method::GET, "/feed");
    let asked = asked.header(header::ACCEPT, "text/event-stream");
    let stream = asked.header("last-event-id", position).send().await;
    let frames = e2e::stream::first(stream.expect("an answer"), 1).await;
    assert_eq!(frames[0].event, "result", "{frames:?}");
}
