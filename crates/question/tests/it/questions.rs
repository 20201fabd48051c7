//! Questions as a whole: made, read, listed.

use contract::{Locale, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, send, sum};

#[tokio::test]
async fn a_draft_is_made_and_read_back_whole() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let mut document = sum("sum");
    document["languages"] = json!({"c": {"starter": "int main(void) {}\n", "time_factor": 1.5}});
    document["solutions"] = json!([{"language": "python", "code": "print(sum(map(int, input().split())))", "expect": "AC"}]);
    document["checker"] = json!({"kind": "float", "abs": 1e-9, "rel": 0.0});
    let made = teacher.post("/questions", &document).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let view = made.json();
    assert_eq!(
        made.header("location"),
        format!("/api/v1/questions/{}", view["id"].as_str().expect("an id"))
    );
    assert_eq!(view["slug"], "sum");
    assert_eq!(view["state"], "draft");
    assert_eq!(view["draft"]["solutions"], document["solutions"]);
    assert_eq!(view["draft"]["checker"], document["checker"]);
    assert_eq!(view["draft"]["titles"], document["titles"]);
    assert_eq!(
        view["draft"]["limits"],
        json!({"time_ms": 1500, "memory_kib": 262_144, "output_kib": 8192})
    );
    assert_eq!(view["draft"]["tests"][1]["input"], "40 2\n");
    assert_eq!(view["draft"]["tests"][1]["output_size"], 3);

    for name in ["sum", view["id"].as_str().expect("an id")] {
        let read = teacher.get(&format!("/questions/{name}")).await;
        assert_eq!((read.status, read.tag()), (200, made.tag()));
        assert_eq!(read.json(), view);
    }

    // What was read can be sent again as it is.
    let mut again = view["draft"].clone();
    let same = teacher.patch("/questions/sum", &made.tag(), &again).await;
    assert_eq!(same.status, 200, "{}", same.text());
    assert_eq!(same.json()["draft"], view["draft"]);
    again["slug"] = json!("sum-again");
    let copy = teacher.post("/questions", &again).await;
    assert_eq!(copy.json()["draft"]["tests"], view["draft"]["tests"]);
}

#[tokio::test]
async fn the_statement_comes_in_the_language_asked_for() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("both")).await;
    teacher.publish(&path).await;
    let mut english = sum("english");
    english["statements"] = json!({"en": "Only <b>English</b>: <script>alert(1)</script>"});
    let only = teacher.make(&english).await;
    teacher.publish(&only).await;

    let korean = server.person(Role::Learner, Locale::Ko);
    for (header, expected) in [
        (None, "ko"),
        (Some("en-GB, ko;q=0.5"), "en"),
        (Some("fr"), "ko"),
    ] {
        let mut request = korean.request(Method::GET, &path);
        if let Some(header) = header {
            request = request.header("accept-language", header);
        }
        let reply = send(request).await;
        let view = reply.json();
        assert_eq!(view["locale"], expected, "{header:?}");
        assert_eq!(reply.header("content-language"), expected);
        assert_eq!(view["locales"], json!(["ko", "en"]));
        let (title, html) = match expected {
            "ko" => ("두 수의 합", "<p>두 수를 <strong>더하시오</strong>.</p>\n"),
            _ => ("Sum of two", "<p>Add <em>two</em> numbers.</p>\n"),
        };
        assert_eq!(view["title"], title);
        assert_eq!(view["statement_html"], html);
    }
    let fallback = korean.get("/questions/english").await.json();
    assert_eq!(fallback["locale"], "en");
    assert_eq!(
        fallback["title"], "Sum of two",
        "the title speaks the statement's language"
    );
    let html = fallback["statement_html"].as_str().expect("a text");
    assert!(!html.contains("<script"), "{html}");
}

#[tokio::test]
async fn learners_see_published_questions_only() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let path = teacher.make(&sum("sum")).await;
    assert_eq!(learner.get(&path).await.problem().0, 404);
    assert_eq!(learner.get("/questions/sum").await.problem().0, 404);
    teacher.publish(&path).await;
    let view = learner.get("/questions/sum").await.json();
    assert_eq!(view["version"], 1);
    assert_eq!(
        view["samples"],
        json!([{"name": "sample-1", "input": "1 2\n", "output": "3\n"}])
    );
    assert_eq!(view["languages"].as_array().map(Vec::len), Some(10));
    assert_eq!(view["languages"][1]["id"], "cpp");
    assert_eq!(view["languages"][1]["version"], Value::Null);
    assert_eq!(view.get("draft"), None);

    let archive = async |method: Method| {
        let archive = format!("{path}/archive");
        assert_eq!(
            send(teacher.request(method.clone(), &archive))
                .await
                .problem()
                .0,
            428
        );
        let request = teacher.request(method, &archive);
        send(request.header("if-match", teacher.tag(&path).await)).await
    };
    assert_eq!(archive(Method::POST).await.status, 204);
    assert_eq!(learner.get(&path).await.problem().0, 404);
    assert_eq!(teacher.get(&path).await.json()["state"], "archived");
    assert_eq!(learner.get("/questions").await.json()["items"], json!([]));
    let archived = teacher.get("/questions?status=archived").await.json();
    assert_eq!(archived["items"][0]["slug"], "sum");
    let refused = teacher
        .post(&format!("{path}/publish?unverified=true"), &json!(null))
        .await;
    assert_eq!(refused.problem().0, 409);
    assert_eq!(archive(Method::DELETE).await.status, 204);
    assert_eq!(learner.get(&path).await.status, 200);
}

#[tokio::test]
async fn languages_have_the_version_that_the_runners_have() {
    let entry = |id: &str, version: &str| json!({"id": id, "name": id, "version": version, "extensions": [], "compile": null, "run": id, "template": ""});
    let said = json!([entry("cpp", "gcc 12.2.0"), entry("python", "3.11.2")]);
    let router = axum::Router::new().route(
        "/api/v1/languages",
        axum::routing::get(async move || axum::Json(said)),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(axum::serve(listener, router).into_future());
    let stack = devkit::Stack::for_tests().expect("the environment is readable");
    let database = stack.fresh_database().await.expect("postgres runs");
    let kafka = queue::KafkaConfig::new("127.0.0.1:9", "");
    let server = Server::start_beside(database, kafka, &url).await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let view = loop {
        let view = teacher.get(&path).await.json();
        if view["languages"].as_array().map(Vec::len) == Some(2) {
            break view;
        }
        assert!(std::time::Instant::now() < deadline, "{view}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let versions = view["languages"].as_array().expect("a list").iter();
    let versions = versions.map(|one| (&one["id"], &one["version"]));
    assert_eq!(
        versions.collect::<Vec<_>>(),
        [
            (&json!("cpp"), &json!("gcc 12.2.0")),
            (&json!("python"), &json!("3.11.2"))
        ]
    );
    let changed = teacher
        .patch(&path, &teacher.tag(&path).await, &json!({"difficulty": 7}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    for person in [&teacher, &learner] {
        let tag = person.tag(&path).await;
        let request = person
            .request(Method::GET, &path)
            .header("if-none-match", &tag);
        let reply = send(request).await;
        assert_eq!((reply.status, reply.tag(), reply.body.len()), (304, tag, 0));
    }
    let before = learner.tag(&path).await;
    teacher
        .put(
            &format!("{path}/tests/more"),
            &json!({"input": "1 1\n", "output": "2\n"}),
        )
        .await;
    assert_eq!(
        learner.tag(&path).await,
        before,
        "learners are not told of drafts"
    );
    teacher.publish(&path).await;
    assert_ne!(learner.tag(&path).await, before);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let mut paths = Vec::new();
    for number in 1..=5 {
        let mut document = sum(&format!("q-{number}"));
        document["difficulty"] = json!(number);
        document["tags"] = json!([if number % 2 == 0 { "Even" } else { "odd" }, "100%"]);
        document["titles"] =
            json!({"ko": format!("문제 {number}"), "en": format!("Problem_{number}")});
        paths.push(teacher.make(&document).await);
    }
    for path in &paths[..4] {
        teacher.publish(path).await;
    }
    let slugs = async |person: &crate::server::Person, query: &str| {
        let reply = person.get(&format!("/questions?{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let items = reply.json()["items"].as_array().cloned().expect("a list");
        let slugs: Vec<_> = items
            .iter()
            .map(|item| item["slug"].as_str().expect("a slug").to_owned())
            .collect();
        slugs.join(" ")
    };
    for (query, expected) in [
        ("", "q-1 q-2 q-3 q-4"),
        ("tag=even", "q-2 q-4"),
        ("tag=eve", ""),
        ("difficulty=3", "q-3"),
        ("query=%EB%AC%B8%EC%A0%9C%203", "q-3"),
        ("query=PROBLEM_1", "q-1"),
        ("query=m_", "q-1 q-2 q-3 q-4"),
        ("query=___________________", ""),
        ("query=0%25", "q-1 q-2 q-3 q-4"),
        ("query=q-2", "q-2"),
        ("status=none", "q-1 q-2 q-3 q-4"),
        ("status=solved", ""),
        ("status=draft", ""),
        ("query=problem&tag=odd&difficulty=1", "q-1"),
    ] {
        assert_eq!(slugs(&learner, query).await, expected, "{query}");
    }
    assert_eq!(slugs(&teacher, "").await, "q-1 q-2 q-3 q-4 q-5");
    assert_eq!(slugs(&teacher, "status=draft").await, "q-5");
    assert_eq!(slugs(&teacher, "status=published").await, "q-1 q-2 q-3 q-4");
    assert_eq!(slugs(&server.teacher(), "").await, "q-1 q-2 q-3 q-4");
    assert_eq!(slugs(&server.admin(), "").await, "q-1 q-2 q-3 q-4 q-5");

    let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = teacher.get(&format!("/questions?{query}")).await.json();
        let items = page["items"].as_array().cloned().expect("a list");
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|item| item["slug"].clone()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), json!(["q-1", "q-2", "q-3", "q-4", "q-5"]));

    let item = &learner.get("/questions?difficulty=1").await.json()["items"][0];
    assert_eq!(item["title"], "Problem_1");
    assert_eq!(item["my_status"], "none");
    assert_eq!(item["kind"], "stdio");
    assert_eq!(item["languages"].as_array().map(Vec::len), Some(10));
}

#[tokio::test]
async fn my_status_is_what_the_projection_says() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    sqlx::query("INSERT INTO question.progress (account, question, state) SELECT $1, id, 'solved' FROM question.question")
        .bind(learner.account.id.0)
        .execute(&server.pool)
        .await
        .expect("the table is there");
    let solved = learner.get("/questions?status=solved").await.json();
    assert_eq!(solved["items"][0]["my_status"], "solved");
    let others = server.learner().get("/questions").await.json();
    assert_eq!(others["items"][0]["my_status"], "none");
}
