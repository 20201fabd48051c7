//! What learners must never see: hidden tests, drafts, other people's work, whatever way they try.

use e2e::{Person, Product};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Stands in every hidden body, and in nothing that a learner may see.
const SECRET: &str = "87654321012345678";

fn document(slug: &str) -> Value {
    json!({
        "slug": slug, "kind": "stdio", "titles": {"ko": "비밀", "en": "Secret"},
        "statements": {"en": "Add two numbers.", "ko": "두 수를 더하세요."}, "difficulty": 1, "tags": ["hidden"],
        "limits": {"time_ms": 1000, "memory_kib": 65536, "output_kib": 64}, "checker": {"kind": "tokens"},
        "tests": [
            {"name": "sample", "input": "1 2\n", "output": "3\n", "sample": true},
            {"name": "hidden", "input": format!("{SECRET} 0\n"), "output": format!("{SECRET}\n")},
        ],
        "solutions": [{"language": "python", "code": format!("# {SECRET}\nprint(sum(map(int, input().split())))"), "expect": "AC"}],
    })
}

async fn publish(teacher: &Person, slug: &str) -> String {
    let made = teacher.post_json("/questions", &document(slug)).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/questions/{id}/publish");
    let gate = teacher.post(&path, &json!({})).await;
    assert_eq!(
        gate.status(),
        StatusCode::CONFLICT,
        "nothing is verified yet"
    );
    let version = teacher
        .post_json(&format!("{path}?unverified=true"), &json!({}))
        .await;
    assert_eq!(version["version"], 1);
    id
}

/// Programs that try to show what they read: whole, by exit code, by signal, by time.
const NOSY: [&str; 4] = [
    "import sys\ntext = sys.stdin.read()\nprint(text)\nprint(text, file=sys.stderr)\n",
    "import sys\nsys.exit(int(input().split()[0][-2:]) or 1)\n",
    "raise Exception(input())\n",
    "while True:\n    print(input() * 10000)\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn learners_never_see_hidden_tests() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let id = publish(&teacher, "hidden-from-learners").await;
    let learner = product.newcomer("Nosy").await;
    let mut seen = vec![];
    for code in NOSY {
        let transcript = learner.submit_and_follow(&id, "python", code).await;
        seen.push(format!("{:?}", transcript.frames));
        let hidden = transcript.all("test")[1];
        for field in [
            "exit_code",
            "signal",
            "input",
            "expected",
            "output",
            "stderr",
            "difference",
        ] {
            assert!(
                hidden.get(field).is_none(),
                "{field} of a hidden test is told: {hidden}"
            );
        }
        let (time, memory) = (hidden["time_ms"].as_u64(), hidden["memory_kib"].as_u64());
        assert_eq!(
            (time.map(|ms| ms % 10), memory.map(|kib| kib % 1024)),
            (Some(0), Some(0))
        );
    }
    let list = learner.get_json("/submissions").await;
    for item in list["items"].as_array().expect("items") {
        let id = item["id"].as_str().expect("an id");
        let record = learner.get_json(&format!("/submissions/{id}")).await;
        seen.push(record.to_string());
    }
    for path in [
        "",
        "/history",
        "/tests",
        "/tests/hidden",
        "/package",
        "/teachers",
        "/languages/python/driver",
    ] {
        let answer = learner.get(&format!("/questions/{id}{path}")).await;
        seen.push(answer.text().await.expect("a body"));
    }
    let list = learner.get_json("/questions?limit=100").await;
    seen.push(list.to_string());
    let body = json!({"language": "python", "code": NOSY[0], "question": id, "samples": true});
    let run = learner.stream("/runs", &body).await;
    seen.push(format!("{:?}", run.frames));
    let told: Vec<&String> = seen.iter().filter(|text| text.contains(SECRET)).collect();
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_not_published_is_not_there() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let made = teacher
        .post_json("/questions", &document("not-published"))
        .await;
    let id = made["id"].as_str().expect("an id");
    let learner = product.newcomer("Early").await;
    for question in [id, "not-published"] {
        assert_eq!(
            learner
                .get(&format!("/questions/{question}"))
                .await
                .status(),
            StatusCode::NOT_FOUND
        );
        let body = json!({"question": question, "language": "python", "code": "print(1)"});
        let answer = learner.post("/submissions", &body).await;
        assert_eq!(
            answer.status(),
            StatusCode::NOT_FOUND,
            "{:?}",
            answer.text().await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_sees_the_submissions_to_their_questions_only() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let id = publish(&teacher, "seen-by-its-teacher").await;
    let learner = product.newcomer("Seen").await;
    let submission = learner.submit(&id, "python", NOSY[1]).await;
    let own = learner.follow(&submission, None).await;
    assert_eq!(teacher.follow(&submission, None).await, own);
    let code = teacher
        .get_json(&format!("/submissions/{submission}/code"))
        .await;
    assert!(code.to_string().contains("sys.exit"), "{code}");

    let other = product.newcomer("Other teacher").await;
    let admin = product.demo("admin").await;
    let promoted = admin
        .request(Method::PATCH, &format!("/accounts/{}", other.id))
        .json(&json!({"role": "teacher"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(promoted.status(), StatusCode::OK);
    let refused = other.get(&format!("/submissions/{submission}")).await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    assert_eq!(admin.follow(&submission, None).await, own);
}
