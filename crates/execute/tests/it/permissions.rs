//! Who may see and do what, on every route.

use contract::{Account, Role};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Setup, account, learner, submission};

#[tokio::test]
async fn everybody_sees_what_is_theirs() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let owner = learner();
    let id = execute.submit(&owner).await;
    let run = execute
        .post(
            &owner,
            "/api/v1/runs",
            &json!({"language": "python", "code": "x"}),
        )
        .await
        .id();
    let others_id = execute.submit(&learner()).await;

    let its_teacher = Account {
        id: setup.neighbours.teacher(),
        ..account(Role::Teacher, "Teacher")
    };
    let no_teacher_any_more = Account {
        role: Role::Learner,
        ..its_teacher.clone()
    };
    let people = [
        ("owner", owner.clone()),
        ("other learner", learner()),
        ("its teacher", its_teacher),
        ("its former teacher", no_teacher_any_more),
        ("other teacher", account(Role::Teacher, "Other")),
        ("admin", account(Role::Admin, "Admin")),
    ];
    let look = [
        format!("/api/v1/submissions/{id}"),
        format!("/api/v1/submissions/{id}/code"),
        format!("/internal/streams/{id}"),
    ];
    for (who, person) in &people {
        let may_look = matches!(*who, "owner" | "its teacher" | "admin");
        for path in &look {
            let answer = execute.get(person, path).await;
            let expected = if may_look {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            };
            assert_eq!(answer.status, expected, "{who} {path}");
        }
        for path in [
            format!("/api/v1/runs/{run}"),
            format!("/internal/streams/{run}"),
        ] {
            let answer = execute.get(person, &path).await;
            let expected = if *who == "owner" {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            };
            assert_eq!(answer.status, expected, "{who} {path}");
        }
        let listed = execute.get(person, "/api/v1/submissions").await.body;
        let listed: Vec<Value> = listed["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["id"].clone())
            .collect();
        let expected = match *who {
            "owner" => vec![json!(id)],
            "its teacher" | "admin" => vec![json!(others_id), json!(id)],
            _ => vec![],
        };
        assert_eq!(listed, expected, "{who}");
        let letters = execute.get(person, "/api/v1/dead-letters").await;
        let expected = if *who == "admin" {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(letters.status, expected, "{who}");
    }
    let cancel = format!("/api/v1/submissions/{id}/cancel");
    for (who, person) in people.iter().rev() {
        let answer = execute.post(person, &cancel, &Value::Null).await;
        let expected = match *who {
            "owner" => StatusCode::ACCEPTED,
            "its teacher" | "admin" => StatusCode::FORBIDDEN,
            _ => StatusCode::NOT_FOUND,
        };
        assert_eq!(answer.status, expected, "{who}");
    }
    execute.stop().await;
}

#[tokio::test]
async fn routes_want_a_token_and_most_a_person() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let id = execute.submit(&learner()).await;
    let letter = format!("/api/v1/dead-letters/{id}");
    for (method, path) in [
        (Method::GET, "/api/v1/submissions".to_owned()),
        (Method::POST, "/api/v1/submissions".to_owned()),
        (Method::POST, "/api/v1/runs".to_owned()),
        (Method::GET, format!("/api/v1/submissions/{id}")),
        (Method::GET, format!("/api/v1/submissions/{id}/code")),
        (Method::POST, format!("/api/v1/submissions/{id}/cancel")),
        (Method::GET, format!("/api/v1/runs/{id}")),
        (Method::GET, "/api/v1/dead-letters".to_owned()),
        (Method::GET, letter.clone()),
        (Method::DELETE, letter.clone()),
        (Method::POST, format!("{letter}/replay")),
        (Method::GET, format!("/internal/streams/{id}")),
    ] {
        let foreign = execute.gateway.service("question").expect("a token");
        let nobodys = execute.gateway.service("execute").expect("a token");
        for (token, expected) in [
            ("not-a-token", (401, "unauthenticated", "")),
            (&*foreign, (401, "unauthenticated", "")),
            (&*nobodys, (403, "forbidden", "")),
        ] {
            let body = Some(submission().to_string());
            let answer = execute
                .ask_with(token, method.clone(), &path, &[], body)
                .await;
            assert_eq!(answer.problem(), expected, "{method} {path}");
        }
    }
    let languages = execute
        .ask_with("not-a-token", Method::GET, "/api/v1/languages", &[], None)
        .await;
    assert_eq!(languages.problem().0, 401);

    let reads = Some(json!({"reads": []}).to_string());
    let other_service = execute.evaluation.service("execute").expect("a token");
    let answer = execute
        .ask_with(
            &other_service,
            Method::POST,
            "/internal/log",
            &[],
            reads.clone(),
        )
        .await;
    assert_eq!(answer.problem().0, 403, "logs are the gateway's");
    let answer = execute
        .ask_with("not-a-token", Method::POST, "/internal/log", &[], reads)
        .await;
    assert_eq!(answer.problem().0, 401);
    execute.stop().await;
}
