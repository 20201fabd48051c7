//! Every route of the OpenAPI document, walked as everybody.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Person, Server, send, sum};

/// Who walks, in the order of the expected statuses.
struct Cast {
    nobody: Person,
    learner: Person,
    other: Person,
    owner: Person,
    admin: Person,
}

impl Cast {
    fn everybody(&self) -> [(&'static str, &Person); 5] {
        [
            ("nobody", &self.nobody),
            ("learner", &self.learner),
            ("other teacher", &self.other),
            ("its teacher", &self.owner),
            ("admin", &self.admin),
        ]
    }
}

/// A question, published or not.
async fn make(owner: &Person, published: bool, number: usize) -> String {
    let mut document = sum(&format!("q{number}"));
    document["languages"] = json!({"c": {"driver": "{{code}}\n", "starter": "int x;\n"}});
    let path = owner.make(&document).await;
    if published {
        owner.publish(&path).await;
    }
    path
}

/// What a right request of this route carries, and the statuses for nobody, learner, other teacher, its teacher, admin: of a
/// draft, then of a published question.
fn route(method: &str, path: &str) -> (Option<Value>, [u16; 5], [u16; 5]) {
    let teachers_only = |ok| ([401, 403, 404, ok, ok], [401, 403, 404, ok, ok]);
    let readable = |ok| ([401, 404, 404, ok, ok], [401, ok, ok, ok, ok]);
    let with = |body: Value, (draft, published)| (Some(body), draft, published);
    let plain = |(draft, published)| (None, draft, published);
    let code = json!({"code": "{{code}}\n"});
    let test = json!({"input": "1", "output": "1"});
    match (method, path) {
        ("get", "") => plain(([401, 200, 200, 200, 200], [401, 200, 200, 200, 200])),
        ("post", "") => with(
            json!(null),
            ([401, 403, 422, 422, 422], [401, 403, 422, 422, 422]),
        ),
        ("get", "/{question}" | "/{question}/languages/{language}/starter") => plain(readable(200)),
        (
            "get",
            "/{question}/history"
            | "/{question}/package"
            | "/{question}/teachers"
            | "/{question}/languages/{language}/driver"
            | "/{question}/tests"
            | "/{question}/tests/{name}"
            | "/{question}/tests/{name}/input"
            | "/{question}/tests/{name}/output",
        ) => plain(teachers_only(200)),
        ("patch", "/{question}") => with(json!({"difficulty": 2}), teachers_only(200)),
        ("delete", "/{question}") => plain(([401, 403, 404, 204, 204], [401, 403, 404, 409, 409])),
        ("post", "/import") => plain(([401, 403, 415, 415, 415], [401, 403, 415, 415, 415])),
        ("post", "/{question}/publish") => plain(teachers_only(409)),
        // Nothing that could be proven is stored.
        ("post", "/{question}/verify") => plain(teachers_only(422)),
        ("post", "/{question}/clone") => plain(teachers_only(201)),
        ("put", "/{question}/teachers") => with(json!({"teachers": []}), teachers_only(422)),
        (
            "put",
            "/{question}/languages/{language}/driver" | "/{question}/languages/{language}/starter",
        ) => with(code, teachers_only(204)),
        ("put", "/{question}/tests") => with(json!({"items": []}), teachers_only(200)),
        ("put", "/{question}/tests/{name}") => with(test, teachers_only(200)),
        ("post", "/{question}/archive")
        | (
            "delete",
            "/{question}/archive"
            | "/{question}/languages/{language}/driver"
            | "/{question}/languages/{language}/starter"
            | "/{question}/tests"
            | "/{question}/tests/{name}",
        ) => plain(teachers_only(204)),
        _ => panic!("no expectation for {method} {path}: a new route needs one"),
    }
}

#[tokio::test]
async fn everybody_may_do_what_their_role_says_and_nothing_else() {
    let server = Server::start().await;
    let cast = Cast {
        nobody: server.nobody(),
        learner: server.learner(),
        other: server.teacher(),
        owner: server.teacher(),
        admin: server.admin(),
    };
    let openapi = serde_json::to_value(question::openapi()).expect("it is JSON");
    let paths = openapi["paths"].as_object().expect("there are paths");
    let lasting = [
        make(&cast.owner, false, 1).await,
        make(&cast.owner, true, 2).await,
    ];
    let (mut number, mut walked) = (2, 0);
    for (path, methods) in paths {
        let inner = path
            .strip_prefix("/api/v1/questions")
            .expect("all are under it");
        let verbs = methods.as_object().expect("there are methods");
        for verb in verbs
            .keys()
            .filter(|key| ["get", "put", "post", "patch", "delete"].contains(&key.as_str()))
        {
            let (body, draft, published) = route(verb, inner);
            for (is_published, expected) in [(false, draft), (true, published)] {
                for ((name, person), status) in cast.everybody().into_iter().zip(expected) {
                    // What is refused and what only reads leaves the question as it was.
                    let question = if verb == "get" || status >= 400 {
                        lasting[usize::from(is_published)].clone()
                    } else {
                        number += 1;
                        make(&cast.owner, is_published, number).await
                    };
                    let place = inner
                        .replace(
                            "/{question}",
                            question.strip_prefix("/questions").expect("it is one"),
                        )
                        .replace("{language}", "c")
                        .replace("{name}", "hidden-1");
                    let method: Method = verb.to_uppercase().parse().expect("a method");
                    let mut request = person
                        .request(method, &format!("/questions{place}"))
                        .header("if-match", "*");
                    if let Some(body) = &body {
                        request = request.json(body);
                    }
                    let reply = send(request).await;
                    assert_eq!(
                        reply.status,
                        status,
                        "{verb} {path} as {name}, published: {is_published}: {}",
                        reply.text()
                    );
                    if status >= 400 {
                        reply.problem();
                    }
                    walked += 1;
                }
            }
        }
    }
    assert!(walked > 200, "{walked} requests");
}

#[tokio::test]
async fn a_teacher_who_is_a_learner_again_sees_as_one() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let mut account = teacher.account.clone();
    account.role = contract::Role::Learner;
    let token = server
        .minter("gateway")
        .for_account(question::NAME, &account);
    let learner = server.bearer(token.expect("it can be signed"));
    assert_eq!(learner.get(&path).await.problem().0, 404);
    assert_eq!(learner.get(&format!("{path}/tests")).await.problem().0, 403);
    teacher.publish(&path).await;
    assert_eq!(learner.get(&path).await.json().get("draft"), None);
}

#[tokio::test]
async fn teachers_share_a_question_and_give_it_away() {
    let server = Server::start().await;
    let (first, second) = (server.teacher(), server.teacher());
    let path = first.make(&sum("sum")).await;
    let teachers = format!("{path}/teachers");
    let set = async |person: &Person, ids: Value| {
        let request = person
            .request(Method::PUT, &teachers)
            .header("if-match", "*");
        send(request.json(&json!({"teachers": ids}))).await
    };
    assert_eq!(
        set(&first, json!([first.account.id, second.account.id]))
            .await
            .status,
        200
    );
    assert_eq!(second.get(&path).await.status, 200);
    assert_eq!(set(&second, json!([second.account.id])).await.status, 200);
    assert_eq!(first.get(&path).await.problem().0, 404);
    assert_eq!(set(&second, json!([])).await.problem().0, 422);
    assert_eq!(
        set(&second, json!(["x"])).await.problem(),
        (
            422,
            "invalid-request".to_owned(),
            vec!["/teachers/0".to_owned()]
        )
    );
    assert_eq!(
        second.get(&teachers).await.json(),
        json!({"teachers": [second.account.id]})
    );
}
