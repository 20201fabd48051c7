//! Drafts that change: tags, patches, slugs, copies, history, drivers and starters.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Person, Server, send, sum};

const DRIVER: &str = "#include <stdio.h>\n{{code}}\nint main(void) { return 0; }\n";
const STARTER: &str = "int add(int a, int b) {\n}\n";

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

/// A function question with a driver for C and one for Python, and a starter for C.
async fn function(teacher: &Person) -> String {
    let mut document = sum("function");
    document["kind"] = json!("function");
    let path = teacher.make(&document).await;
    let put = teacher.request(Method::PUT, &format!("{path}/languages/c/driver"));
    let put = send(put.header("content-type", "text/plain").body(DRIVER)).await;
    assert_eq!(put.status, 204, "{}", put.text());
    for (place, code) in [
        ("python/driver", "import solution\n"),
        ("c/starter", STARTER),
    ] {
        let code = json!({"code": code});
        let put = teacher
            .put(&format!("{path}/languages/{place}"), &code)
            .await;
        assert_eq!(put.status, 204, "{}", put.text());
    }
    path
}

#[tokio::test]
async fn drivers_and_starters_come_as_text_or_json() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let driver = format!("{}/languages/c/driver", function(&teacher).await);
    let read = teacher.get(&driver).await;
    assert_eq!(read.text(), DRIVER);
    assert_eq!(read.header("content-type"), "text/plain; charset=utf-8");
    let request = teacher.request(Method::GET, &driver);
    let read = send(request.header("accept", "application/json")).await;
    assert_eq!(read.json(), json!({"code": DRIVER}));
}

#[tokio::test]
async fn learners_get_starters_and_never_drivers() {
    let server = Server::start().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let path = function(&teacher).await;
    teacher.publish(&path).await;
    let view = learner.get(&path).await.json();
    let languages = view["languages"].as_array().expect("a list");
    let ids: Value = languages
        .iter()
        .map(|language| language["id"].clone())
        .collect();
    assert_eq!(
        ids,
        json!(["c", "python"]),
        "it is offered where a driver calls it"
    );
    let starter = format!("{path}/languages/c/starter");
    assert_eq!(learner.get(&starter).await.text(), STARTER);
    let none = learner
        .get(&format!("{path}/languages/python/starter"))
        .await;
    assert_eq!(none.problem().0, 404);
    let driver = learner.get(&format!("{path}/languages/c/driver")).await;
    assert_eq!(driver.problem().0, 403);

    assert_eq!(teacher.delete(&starter).await.status, 204);
    assert_eq!(teacher.delete(&starter).await.problem().0, 404);
    assert_eq!(
        learner.get(&starter).await.text(),
        STARTER,
        "the version has it still"
    );
}

#[tokio::test]
async fn drivers_without_a_place_for_code_are_refused() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = function(&teacher).await;
    for (language, code) in [
        ("c", "int main(void) {}"),
        ("c", "{{code}}\n{{code}}\n"),
        ("java", "x {{code}}"),
        ("python", ""),
    ] {
        let place = format!("{path}/languages/{language}/driver");
        let wrong = teacher.put(&place, &json!({"code": code})).await;
        let (status, _, pointers) = wrong.problem();
        assert_eq!(
            (status, pointers),
            (422, vec!["/code".to_owned()]),
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_function_without_drivers_is_not_published() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let mut document = sum("function");
    document["kind"] = json!("function");
    let path = teacher.make(&document).await;
    let publish = format!("{path}/publish?unverified=true");
    let refused = teacher.post(&publish, &json!(null)).await;
    assert_eq!(refused.problem().2, ["/languages"]);
}
