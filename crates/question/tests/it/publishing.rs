//! Versions: frozen for ever, whatever happens to the draft.

use serde_json::json;

use crate::server::{Server, sum};

#[tokio::test]
async fn publishing_needs_proof_or_a_recorded_exception() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    for query in ["", "?unverified=false"] {
        let refused = teacher
            .post(&format!("{path}/publish{query}"), &json!(null))
            .await;
        assert_eq!(refused.problem().0, 409, "{query}");
    }
    assert_eq!(teacher.publish(&path).await, 1);
    assert_eq!(teacher.publish(&path).await, 2);
    let unverified: Vec<bool> = sqlx::query_scalar("SELECT unverified FROM question.version")
        .fetch_all(&server.pool)
        .await
        .expect("the table is there");
    assert_eq!(unverified, [true, true]);
}

#[tokio::test]
async fn a_question_without_tests_is_not_published() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    assert_eq!(teacher.delete(&format!("{path}/tests")).await.status, 204);
    let refused = teacher
        .post(&format!("{path}/publish?unverified=true"), &json!(null))
        .await;
    assert_eq!(
        refused.problem(),
        (422, "invalid-request".to_owned(), vec!["/tests".to_owned()])
    );
}

#[tokio::test]
async fn changes_of_the_draft_leave_the_version_as_it_is() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    let before = learner.get(&path).await;
    let listed = learner.get("/questions").await.json();
    let change = json!({
        "kind": "function", "difficulty": 9, "tags": [], "titles": {"en": "Other"}, "statements": {"en": "Other."},
        "languages": {"c": {"driver": "{{code}}\n", "starter": "x\n"}},
        "tests": [{"name": "sample-1", "input": "other\n", "output": "other\n", "sample": true}],
    });
    let changed = teacher.patch(&path, "*", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["draft"]["difficulty"], 9);
    assert_eq!(
        changed.json()["difficulty"],
        1,
        "above the draft stands what learners see"
    );
    let after = learner.get(&path).await;
    assert_eq!((after.tag(), after.json()), (before.tag(), before.json()));
    assert_eq!(learner.get("/questions").await.json(), listed);

    assert_eq!(teacher.publish(&path).await, 2);
    let view = learner.get(&path).await.json();
    assert_eq!(
        (&view["version"], &view["title"]),
        (&json!(2), &json!("Other"))
    );
    assert_eq!(view["samples"][0]["input"], "other\n");
    assert_eq!(
        learner.get("/questions").await.json()["items"][0]["difficulty"],
        9
    );
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_a_version() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    for statement in [
        "UPDATE question.version SET unverified = false",
        "UPDATE question.version_test SET points = 7",
        "DELETE FROM question.version_test",
        "DELETE FROM question.version",
        "DELETE FROM question.question",
    ] {
        let refused = sqlx::query(statement).execute(&server.pool).await;
        assert!(refused.is_err(), "{statement}");
    }
}
