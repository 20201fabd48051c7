//! Problem packages over HTTP: in, out, and in again.

use reqwest::Method;
use serde_json::json;

use crate::server::{Person, Reply, Server, send, sum};

async fn import(person: &Person, zip: Vec<u8>) -> Reply {
    let request = person.request(Method::POST, "/questions/import");
    send(request.header("content-type", "application/zip").body(zip)).await
}

#[tokio::test]
async fn a_question_travels_to_another_server_and_back_unchanged() {
    let (here, there) = (Server::start().await, Server::start().await);
    let (teacher, other) = (here.teacher(), there.teacher());
    let path = teacher.make(&sum("sum")).await;
    let first = teacher.get(&format!("{path}/package")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.header("content-type"), "application/zip");
    let made = import(&other, first.body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        (&made.json()["slug"], &made.json()["warnings"]),
        (&json!("sum"), &json!([]))
    );
    let again = other.get("/questions/sum/package").await;
    assert!(again.body == first.body, "the bytes are the same");
    assert_eq!(other.publish("/questions/sum").await, 1);
    // Its slug is taken now, and it says that it wants this one.
    assert_eq!(import(&other, first.body.clone()).await.problem().0, 409);
}

#[tokio::test]
async fn only_its_teachers_take_a_question_away() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    let package = format!("{path}/package");
    assert_eq!(server.learner().get(&package).await.problem().0, 403);
    assert_eq!(server.teacher().get(&package).await.problem().0, 404);
    assert_eq!(import(&server.learner(), Vec::new()).await.problem().0, 403);
}

#[tokio::test]
async fn what_is_no_package_leaves_nothing_behind() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let refused = import(&teacher, b"no zip".to_vec()).await;
    assert_eq!(refused.problem().0, 422, "{}", refused.text());
    let request = teacher.request(Method::POST, "/questions/import");
    assert_eq!(send(request.json(&json!({}))).await.problem().0, 415);
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM question.question")
        .fetch_one(&server.pool)
        .await
        .expect("the table is there");
    assert_eq!(count, 0);
}
