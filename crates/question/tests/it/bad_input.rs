//! What nobody should send: each is a problem that says what to do, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Person, Reply, Server, send, sum};

async fn post(person: &Person, body: impl Into<reqwest::Body>) -> Reply {
    let request = person.request(Method::POST, "/questions");
    send(
        request
            .header("content-type", "application/json")
            .body(body),
    )
    .await
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let server = Server::start().await;
    let teacher = server.teacher();
    for body in [
        &b""[..],
        b"{",
        b"{\"slug\": \"\xff\xfe\"}",
        b"[1,2",
        b"{} {}",
        b"nonsense",
        b"\0",
        b"{\"slug\": \"a\\u0000\"}",
        b"{\"slug\": \"\\ud800\"}",
    ] {
        let reply = post(&teacher, body).await;
        assert_eq!(reply.problem().0, 400, "{} for {body:?}", reply.text());
    }
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(post(&teacher, deep).await.problem().0, 400);
    for body in ["[]", "null", "7", "\"text\"", "{}"] {
        assert_eq!(post(&teacher, body).await.problem().0, 422, "{body}");
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
    ] {
        let request = teacher
            .request(Method::POST, "/questions")
            .header("content-type", kind);
        let reply = send(request.body(sum("sum").to_string())).await;
        assert_eq!(
            reply.problem(),
            (415, "unsupported-media-type".to_owned(), vec![]),
            "{kind}"
        );
    }
    assert_eq!(teacher.get("/questions").await.json()["items"], json!([]));
}

#[tokio::test]
async fn wrong_documents_are_told_where() {
    let server = Server::start().await;
    let teacher = server.teacher();
    for (place, value, pointer) in [
        ("slug", json!("A"), "/slug"),
        ("kind", json!("interactive"), "/kind"),
        ("statements", json!({}), "/statements"),
        ("difficulty", json!(1.5), "/difficulty"),
        (
            "limits",
            json!({"time_ms": 4_000_000_000_000_u64}),
            "/limits/time_ms",
        ),
        (
            "tests",
            json!([{"name": "1", "input": "a"}]),
            "/tests/0/output",
        ),
        ("checker", json!({"kind": "essay"}), "/checker/kind"),
        ("checker", json!({"kind": "program"}), "/checker/language"),
        (
            "signature",
            json!({"name": "f", "params": []}),
            "/signature",
        ),
        (
            "languages",
            json!({"brainfuck": {}}),
            "/languages/brainfuck",
        ),
        ("owner", json!("me"), "/owner"),
    ] {
        let mut document = sum("sum");
        document[place] = value;
        let reply = teacher.post("/questions", &document).await;
        let (status, word, pointers) = reply.problem();
        assert_eq!((status, word.as_str()), (422, "invalid-request"));
        assert_eq!(pointers, [pointer], "{}", reply.text());
    }
    assert_eq!(teacher.get("/questions").await.json()["items"], json!([]));
}

#[tokio::test]
async fn large_bodies_are_refused_where_they_are_too_large() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let mib = |count: usize| "x".repeat(count << 20);
    let mut document = sum("large");
    document["tests"][1]["input"] = json!(mib(10));
    assert_eq!(
        teacher.post("/questions", &document).await.status,
        201,
        "tests may be large"
    );
    assert_eq!(
        post(&teacher, mib(17)).await.problem(),
        (413, "payload-too-large".to_owned(), vec![])
    );
    document["tests"] = json!([]);
    document["statements"] = json!({"en": mib(10)});
    assert_eq!(
        teacher.post("/questions", &document).await.problem().2,
        ["/statements/en"]
    );
    let put = |place: &str, body: String| {
        let request = teacher.request(Method::PUT, &format!("{path}{place}"));
        send(request.header("content-type", "text/plain").body(body))
    };
    assert_eq!(put("/languages/c/starter", mib(10)).await.problem().0, 413);
    assert_eq!(
        put("/languages/c/starter", "x".repeat(65_537))
            .await
            .problem()
            .2,
        ["/code"]
    );
    assert_eq!(
        put("/languages/c/starter", "x".repeat(65_536)).await.status,
        204
    );
    let teachers = teacher
        .request(Method::PUT, &format!("{path}/teachers"))
        .header("if-match", "*");
    assert_eq!(
        send(teachers.json(&json!({"teachers": [mib(10)]})))
            .await
            .problem()
            .0,
        413
    );
}

#[tokio::test]
async fn code_that_nobody_can_store_is_refused() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let put = |kind: &'static str, body: &'static [u8]| {
        let request = teacher.request(Method::PUT, &format!("{path}/languages/python/starter"));
        send(request.header("content-type", kind).body(body))
    };
    assert_eq!(put("text/plain", b"a\0b").await.problem().2, ["/code"]);
    let nul = put("application/json", b"{\"code\": \"a\\u0000b\"}").await;
    assert_eq!(nul.problem().0, 400);
    assert_eq!(put("text/plain", b"\xff\xfe").await.problem().0, 400);
    assert_eq!(put("text/plain", b"").await.problem().2, ["/code"]);
    assert_eq!(
        put("text/plain; charset=utf-16", b"ab").await.problem().0,
        415
    );
    assert_eq!(
        put("application/octet-stream", b"ab").await.problem().0,
        415
    );
    assert_eq!(
        put("application/json", b"{\"code\": 1}").await.problem().2,
        ["/code"]
    );
    assert_eq!(
        put("application/json", b"{\"text\": \"x\"}")
            .await
            .problem()
            .0,
        422
    );
}

#[tokio::test]
async fn wrong_addresses_and_queries_are_refused() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    for (query, status) in [
        ("difficulty=0", 422),
        ("difficulty=11", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=-1", 422),
        ("cursor=x", 422),
    ] {
        let (got, word, pointers) = teacher.get(&format!("/questions?{query}")).await.problem();
        assert_eq!(
            (got, word.as_str(), pointers.len()),
            (status, "invalid-request", 1),
            "{query}"
        );
    }
    for query in [
        "difficulty=easy",
        "status=lost",
        "surprise=1",
        "limit=1e3",
        "query=%ff",
        "limit=1&limit=2",
        "query=%00",
        "tag=a%00",
    ] {
        let (status, word, _) = teacher.get(&format!("/questions?{query}")).await.problem();
        assert!(matches!(status, 400 | 422), "{query} was answered {status}");
        assert_eq!(word, "invalid-request");
    }
    for name in [
        "nothing",
        "%00",
        "%ff",
        "..",
        "A",
        "0192f0c1-2345-7abc-8def-0123456789ab",
        "a%2fb",
        "import",
    ] {
        let reply = teacher.get(&format!("/questions/{name}")).await;
        assert!(
            matches!(reply.problem().0, 400 | 404 | 405),
            "{name}: {}",
            reply.text()
        );
    }
    for place in [
        "languages/cobol/starter",
        "languages/c%00/driver",
        "tests/nothing",
        "tests/%00",
        "tests/%2e%2e",
        "versions",
    ] {
        let reply = teacher.get(&format!("{path}/{place}")).await;
        let refused = matches!(reply.problem().0, 400 | 404);
        assert!(refused, "{place}: {}", reply.text());
    }
    for (place, status) in [("import", 404), ("package", 405)] {
        let reply = teacher.post(&format!("{path}/{place}"), &Value::Null).await;
        assert_eq!(reply.problem().0, status, "{place}");
    }
    let wrong_method = send(teacher.request(Method::PUT, &path).json(&json!({}))).await;
    assert_eq!(wrong_method.problem().0, 405);
}

#[tokio::test]
async fn without_a_database_the_answer_is_unavailable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut postgres = devkit::Postgres::start(folder.path())
        .await
        .expect("postgres can be started");
    let server = Server::start_on(postgres.url("postgres")).await;
    let teacher = server.teacher();
    teacher.make(&sum("sum")).await;
    postgres.kill().await.expect("it runs");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let reply = teacher.get("/questions").await;
        if reply.status == 503 {
            assert_eq!(reply.problem().1, "unavailable");
            assert!(reply.headers.contains_key("retry-after"));
            break;
        }
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(std::time::Instant::now() < deadline, "it answers still");
    }
    let refused = teacher.post("/questions", &sum("other")).await;
    assert_eq!(refused.problem().1, "unavailable");
    postgres.restart().await.expect("it can be started again");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while teacher.get("/questions").await.status != 200 {
        assert!(
            std::time::Instant::now() < deadline,
            "it does not come back"
        );
    }
}
