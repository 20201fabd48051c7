//! Questions as a whole: made, read, listed, changed, deleted, copied.

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

    assert_eq!(
        teacher
            .post(&format!("{path}/archive"), &json!(null))
            .await
            .status,
        204
    );
    assert_eq!(learner.get(&path).await.problem().0, 404);
    assert_eq!(teacher.get(&path).await.json()["state"], "archived");
    assert_eq!(learner.get("/questions").await.json()["items"], json!([]));
    let archived = teacher.get("/questions?status=archived").await.json();
    assert_eq!(archived["items"][0]["slug"], "sum");
    let refused = teacher
        .post(&format!("{path}/publish?unverified=true"), &json!(null))
        .await;
    assert_eq!(refused.problem().0, 409);
    assert_eq!(teacher.delete(&format!("{path}/archive")).await.status, 204);
    assert_eq!(learner.get(&path).await.status, 200);
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

#[tokio::test]
async fn of_two_who_save_at_once_exactly_one_wins() {
    let server = Server::start().await;
    let (first, second) = (server.teacher(), server.teacher());
    let path = first.make(&sum("sum")).await;
    let both = json!({"teachers": [first.account.id, second.account.id]});
    let request = first.request(Method::PUT, &format!("{path}/teachers"));
    let shared = send(request.header("if-match", "*").json(&both)).await;
    assert_eq!(shared.status, 200, "{}", shared.text());
    assert_eq!(shared.json(), both);
    for round in 0..10 {
        let tag = first.tag(&path).await;
        assert_eq!(second.tag(&path).await, tag);
        let (one, other) = (
            json!({"difficulty": 2}),
            json!({"tags": [format!("t{round}")]}),
        );
        let (one, other) = tokio::join!(
            first.patch(&path, &tag, &one),
            second.patch(&path, &tag, &other)
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let (winner, loser) = if one.status == 200 {
            (one, other)
        } else {
            (other, one)
        };
        assert_eq!(loser.problem().1, "precondition-failed");
        assert_eq!(first.tag(&path).await, winner.tag());
    }
}

#[tokio::test]
async fn changes_need_the_tag_that_was_read() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let tag = teacher.tag(&path).await;
    let change = json!({"difficulty": 3});
    let without = send(teacher.request(Method::PATCH, &path).json(&change)).await;
    assert_eq!(
        without.problem(),
        (428, "precondition-required".to_owned(), vec![])
    );
    assert_eq!(teacher.delete(&path).await.problem().0, 428);
    let teachers = json!({"teachers": [teacher.account.id]});
    assert_eq!(
        teacher
            .put(&format!("{path}/teachers"), &teachers)
            .await
            .problem()
            .0,
        428
    );
    for wrong in ["\"r99\"", "r1", "W/\"r1\"", "\"v1.ko\""] {
        assert_eq!(
            teacher.patch(&path, wrong, &change).await.problem().0,
            412,
            "{wrong}"
        );
    }
    let changed = teacher.patch(&path, &tag, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_ne!(changed.tag(), tag);
    // Where a tag is optional it is honoured.
    let driver = teacher
        .request(Method::PUT, &format!("{path}/languages/c/driver"))
        .header("if-match", &tag);
    assert_eq!(send(driver.body("{{code}}\n")).await.problem().0, 412);
    let publish = teacher.request(Method::POST, &format!("{path}/publish?unverified=true"));
    assert_eq!(
        send(publish.header("if-match", &tag)).await.problem().0,
        412
    );
    let archive = teacher.request(Method::POST, &format!("{path}/archive"));
    assert_eq!(
        send(archive.header("if-match", &tag)).await.problem().0,
        412
    );
    assert_eq!(teacher.tag(&path).await, changed.tag());
}

#[tokio::test]
async fn patches_merge_into_the_draft() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let change = json!({
        "titles": {"en": null}, "limits": {"memory_kib": 65_536}, "feedback": "samples",
        "tests": [{"name": "hidden-1"}, {"name": "new", "input": "5 5\n", "output": "10\n", "points": 2.5}],
    });
    let changed = teacher.patch(&path, "*", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let draft = &changed.json()["draft"];
    assert_eq!(draft["titles"], json!({"ko": "두 수의 합"}));
    assert_eq!(draft["limits"]["time_ms"], 1500);
    assert_eq!(draft["limits"]["memory_kib"], 65_536);
    let tests = draft["tests"].as_array().expect("a list");
    assert_eq!(tests.len(), 2);
    assert_eq!(
        (&tests[0]["name"], &tests[0]["input"]),
        (&json!("hidden-1"), &json!("40 2\n"))
    );
    assert_eq!(tests[1]["points"], 2.5);

    let unknown = teacher
        .patch(&path, "*", &json!({"tests": [{"name": "x", "input": "1"}]}))
        .await;
    assert_eq!(
        unknown.problem(),
        (
            422,
            "invalid-request".to_owned(),
            vec!["/tests/0/output".to_owned()]
        )
    );
    let after = teacher.get(&path).await.json();
    assert_eq!(&after["draft"], draft, "what was refused changed nothing");
}

#[tokio::test]
async fn slugs_are_unique_and_fixed_once_published() {
    let server = Server::start().await;
    let (teacher, other) = (server.teacher(), server.teacher());
    let path = teacher.make(&sum("sum")).await;
    let taken = other.post("/questions", &sum("sum")).await;
    assert_eq!(
        taken.problem(),
        (409, "conflict".to_owned(), vec!["/slug".to_owned()])
    );
    other.make(&sum("other")).await;
    assert_eq!(
        teacher
            .patch(&path, "*", &json!({"slug": "other"}))
            .await
            .problem()
            .0,
        409
    );
    let renamed = teacher.patch(&path, "*", &json!({"slug": "total"})).await;
    assert_eq!(renamed.json()["slug"], "total");
    teacher.publish(&path).await;
    let fixed = teacher.patch(&path, "*", &json!({"slug": "sum"})).await;
    assert_eq!(fixed.problem().0, 409);
}

#[tokio::test]
async fn only_drafts_are_deleted() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let tag = teacher.tag(&path).await;
    let delete = |path: &str, tag: &str| {
        send(
            teacher
                .request(Method::DELETE, path)
                .header("if-match", tag),
        )
    };
    assert_eq!(delete(&path, "\"r99\"").await.problem().0, 412);
    assert_eq!(delete(&path, &tag).await.status, 204);
    assert_eq!(teacher.get(&path).await.problem().0, 404);
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    assert_eq!(delete(&path, "*").await.problem().0, 409);
}

#[tokio::test]
async fn a_copy_is_a_draft_of_its_own() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    let clone = send(teacher.request(Method::POST, &format!("{path}/clone"))).await;
    assert_eq!(clone.status, 201, "{}", clone.text());
    let copy = clone.json();
    assert_eq!(
        (&copy["slug"], &copy["state"]),
        (&json!("sum-copy"), &json!("draft"))
    );
    assert_eq!(copy["draft"]["tests"][1]["input"], "40 2\n");
    let second = send(teacher.request(Method::POST, &format!("{path}/clone"))).await;
    assert_eq!(second.json()["slug"], "sum-copy-2");
    let named = teacher
        .post(&format!("{path}/clone"), &json!({"slug": "plus"}))
        .await;
    assert_eq!(named.json()["slug"], "plus");
    assert_eq!(
        teacher
            .post(&format!("{path}/clone"), &json!({"slug": "plus"}))
            .await
            .problem()
            .0,
        409
    );
    assert_eq!(
        teacher
            .post(&format!("{path}/clone"), &json!({"slug": "A B"}))
            .await
            .problem()
            .0,
        422
    );
    teacher
        .patch("/questions/plus", "*", &json!({"tests": []}))
        .await;
    assert_eq!(
        teacher.get(&path).await.json()["draft"]["tests"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let history = teacher.get("/questions/plus/history").await.json();
    assert_eq!(history["items"][1]["action"], "cloned");
}

#[tokio::test]
async fn the_history_says_who_changed_what() {
    let server = Server::start().await;
    let (teacher, admin) = (server.teacher(), server.admin());
    let path = teacher.make(&sum("sum")).await;
    admin
        .patch(
            &path,
            "*",
            &json!({"limits": {"time_ms": 900}, "titles": {"en": "Plus"}}),
        )
        .await;
    teacher.publish(&path).await;
    let history = teacher.get(&format!("{path}/history")).await.json();
    let items = history["items"].as_array().expect("a list");
    let actions: Vec<_> = items
        .iter()
        .map(|item| item["action"].as_str().expect("a word"))
        .collect();
    assert_eq!(actions, ["published", "changed", "created"]);
    assert_eq!(
        items[1]["detail"]["changed"],
        json!(["/limits/time_ms", "/titles/en"])
    );
    assert_eq!(items[1]["account"], json!(admin.account.id));
    assert_eq!(items[1]["account_name"], "a admin");
    assert_eq!(
        items[0]["detail"],
        json!({"version": 1, "unverified": true})
    );
    let page = teacher.get(&format!("{path}/history?limit=2")).await.json();
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let rest = teacher
        .get(&format!("{path}/history?limit=2&cursor={cursor}"))
        .await
        .json();
    assert_eq!(rest["items"], json!([items[2]]));
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn drivers_and_starters_are_set_per_language() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let mut document = sum("function");
    document["kind"] = json!("function");
    let path = teacher.make(&document).await;
    let none = teacher
        .post(&format!("{path}/publish?unverified=true"), &json!(null))
        .await;
    assert_eq!(
        none.problem(),
        (
            422,
            "invalid-request".to_owned(),
            vec!["/languages".to_owned()]
        )
    );

    let driver = "#include <stdio.h>\n{{code}}\nint main(void) { return 0; }\n";
    let put = teacher.request(Method::PUT, &format!("{path}/languages/c/driver"));
    let put = send(put.header("content-type", "text/plain").body(driver)).await;
    assert_eq!(put.status, 204, "{}", put.text());
    let code = json!({"code": "import solution\n"});
    assert_eq!(
        teacher
            .put(&format!("{path}/languages/python/driver"), &code)
            .await
            .status,
        204
    );
    let starter = json!({"code": "int add(int a, int b) {\n}\n"});
    assert_eq!(
        teacher
            .put(&format!("{path}/languages/c/starter"), &starter)
            .await
            .status,
        204
    );
    let read = teacher.get(&format!("{path}/languages/c/driver")).await;
    assert_eq!(
        (read.text().as_str(), read.header("content-type")),
        (driver, "text/plain; charset=utf-8")
    );
    let request = teacher.request(Method::GET, &format!("{path}/languages/c/driver"));
    assert_eq!(
        send(request.header("accept", "application/json"))
            .await
            .json(),
        json!({"code": driver})
    );

    teacher.publish(&path).await;
    let view = learner.get(&path).await.json();
    let ids: Vec<_> = view["languages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|language| language["id"].clone())
        .collect();
    assert_eq!(json!(ids), json!(["c", "python"]));
    let read = learner.get(&format!("{path}/languages/c/starter")).await;
    assert_eq!(
        (read.status, read.text().as_str()),
        (200, "int add(int a, int b) {\n}\n")
    );
    assert_eq!(
        learner
            .get(&format!("{path}/languages/python/starter"))
            .await
            .problem()
            .0,
        404
    );
    assert_eq!(
        learner
            .get(&format!("{path}/languages/c/driver"))
            .await
            .problem()
            .0,
        403
    );

    assert_eq!(
        teacher
            .delete(&format!("{path}/languages/c/starter"))
            .await
            .status,
        204
    );
    assert_eq!(
        teacher
            .delete(&format!("{path}/languages/c/starter"))
            .await
            .problem()
            .0,
        404
    );
    assert_eq!(
        learner
            .get(&format!("{path}/languages/c/starter"))
            .await
            .status,
        200,
        "the version has it still"
    );
    for (language, code) in [
        ("c", "int main(void) {}"),
        ("c", "{{code}}\n{{code}}\n"),
        ("java", "x {{code}}"),
        ("python", ""),
    ] {
        let wrong = teacher
            .put(
                &format!("{path}/languages/{language}/driver"),
                &json!({"code": code}),
            )
            .await;
        assert_eq!(
            wrong.problem(),
            (422, "invalid-request".to_owned(), vec!["/code".to_owned()]),
            "{code}"
        );
    }
}
