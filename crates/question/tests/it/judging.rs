//! What other services are told: manifests and blobs, and to whom not.

use contract::{Locale, manifest::Manifest};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::server::{Person, Server, send, sum};

fn execute(server: &Server) -> Person {
    let token = server
        .minter("execute")
        .for_account(question::NAME, &server.learner().account);
    server.bearer(token.expect("it can be signed"))
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[tokio::test]
async fn execute_gets_all_that_judging_needs() {
    let server = Server::start().await;
    let (teacher, execute) = (server.teacher(), execute(&server));
    let mut document = sum("sum");
    document["kind"] = json!("function");
    document["judging"] = json!("lazy");
    document["checker"] = json!({"kind": "exact"});
    document["languages"] = json!({"cpp": {"driver": "{{code}}\n", "time_factor": 1.25}, "python": {"driver": "import solution\n"}});
    let path = teacher.make(&document).await;
    let manifest = format!("/internal{path}/manifest?language=cpp&locale=ko");
    assert_eq!(
        execute.get(&manifest).await.problem().0,
        404,
        "a draft is judged for nobody"
    );
    teacher.publish(&path).await;

    let reply = execute.get(&manifest).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let got: Manifest = serde_json::from_slice(&reply.body).expect("a manifest");
    assert_eq!((got.version, got.slug.as_str()), (1, "sum"));
    assert_eq!(got.teachers, [teacher.account.id]);
    assert_eq!(json!(got.languages), json!(["cpp", "python"]));
    assert_eq!(got.judging.driver.as_deref(), Some("{{code}}\n"));
    assert!((got.judging.time_factor - 1.25).abs() < f64::EPSILON);
    assert_eq!(got.judging.limits.time_ms, 1500);
    assert_eq!(json!(got.judging.mode), "lazy");
    let names: Vec<_> = got
        .judging
        .tests
        .iter()
        .map(|test| (test.name.as_str(), test.sample))
        .collect();
    assert_eq!(names, [("sample-1", true), ("hidden-1", false)]);
    assert_eq!(got.judging.tests[1].output.sha256, sha256("42\n"));
    assert_eq!(
        (got.statement.locale, got.statement.title.as_str()),
        (Locale::Ko, "두 수의 합")
    );

    let by_slug = execute
        .get("/internal/questions/sum/manifest?language=python")
        .await;
    let by_slug: Manifest = serde_json::from_slice(&by_slug.body).expect("a manifest");
    assert_eq!(by_slug.statement.locale, Locale::En, "the account's own");
    assert!(
        (by_slug.judging.time_factor - 3.0).abs() < f64::EPSILON,
        "Python's usual"
    );

    for language in ["java", "cobol", "", "C"] {
        let refused = execute
            .get(&format!("/internal{path}/manifest?language={language}"))
            .await;
        assert_eq!(
            refused.problem(),
            (
                422,
                "invalid-request".to_owned(),
                vec!["/language".to_owned()]
            ),
            "{language}"
        );
    }
    let archive = teacher.request(reqwest::Method::POST, &format!("{path}/archive"));
    assert_eq!(send(archive.header("if-match", "*")).await.status, 204);
    assert_eq!(
        execute.get(&manifest).await.problem().0,
        404,
        "an archived question takes no more"
    );
    for name in ["nothing", "0192f0c1-2345-7abc-8def-0123456789ab", "..%2f"] {
        let reply = execute
            .get(&format!("/internal/questions/{name}/manifest?language=c"))
            .await;
        assert_eq!(reply.problem().0, 404, "{name}");
    }
}

#[tokio::test]
async fn blobs_open_only_for_tokens_that_list_them_and_for_judges() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    let (hidden, other) = (sha256("40 2\n"), sha256("1 2\n"));
    let until = OffsetDateTime::now_utc() + Duration::minutes(5);
    let evaluation = server.minter("evaluation");
    let for_job = evaluation.for_blobs(question::NAME, std::slice::from_ref(&hidden), until);
    let runner = server.bearer(for_job.expect("it can be signed"));
    let blob = format!("/internal/blobs/{hidden}");
    let got = runner.get(&blob).await;
    assert_eq!((got.status, got.text().as_str()), (200, "40 2\n"));
    assert_eq!(got.header("content-length"), "5");
    assert_eq!(
        runner
            .get(&format!("/internal/blobs/{other}"))
            .await
            .problem()
            .0,
        403
    );
    assert_eq!(
        runner
            .get("/internal/questions/sum/manifest?language=c")
            .await
            .problem()
            .0,
        403
    );
    assert_eq!(
        runner.get("/questions").await.problem().0,
        403,
        "it is nobody"
    );

    let judge = server.bearer(
        evaluation
            .service(question::NAME)
            .expect("it can be signed"),
    );
    for name in [
        &sha256("nothing"),
        "x",
        "..%2f..%2fkeys%2fexecute.pem",
        &other.to_uppercase(),
    ] {
        let reply = judge.get(&format!("/internal/blobs/{name}")).await;
        assert_eq!(reply.problem().0, 404, "{name}");
    }
}

#[tokio::test]
async fn internal_addresses_are_for_the_services_that_need_them() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher.publish(&path).await;
    let hidden = sha256("40 2\n");
    let until = OffsetDateTime::now_utc() + Duration::minutes(5);
    let evaluation = server.minter("evaluation");
    let blob = format!("/internal/blobs/{hidden}");
    for (service, status) in [
        ("execute", 200),
        ("evaluation", 200),
        ("gateway", 403),
        ("runner", 403),
    ] {
        let token = server
            .minter(service)
            .service(question::NAME)
            .expect("it can be signed");
        let caller = server.bearer(token);
        assert_eq!(caller.get(&blob).await.status, status, "{service}");
        let manifest = caller
            .get("/internal/questions/sum/manifest?language=c")
            .await;
        assert_eq!(manifest.problem().0, 403, "{service} without an account");
    }
    // A learner, through the gateway or through execute; somebody's own key; another audience; an old token.
    let token =
        server
            .minter("gateway")
            .for_blobs(question::NAME, std::slice::from_ref(&hidden), until);
    assert_eq!(
        server
            .bearer(token.expect("it can be signed"))
            .get(&blob)
            .await
            .problem()
            .0,
        403
    );
    assert_eq!(server.learner().get(&blob).await.problem().0, 403);
    assert_eq!(execute(&server).get(&blob).await.problem().0, 403);
    assert_eq!(teacher.get(&blob).await.problem().0, 403);
    assert_eq!(
        teacher
            .get("/internal/questions/sum/manifest?language=c")
            .await
            .problem()
            .0,
        403
    );
    let elsewhere = evaluation.service("execute").expect("it can be signed");
    assert_eq!(server.bearer(elsewhere).get(&blob).await.problem().0, 401);
    let past = OffsetDateTime::now_utc() - Duration::minutes(1);
    let old = evaluation
        .for_blobs(question::NAME, &[hidden], past)
        .expect("it can be signed");
    assert_eq!(server.bearer(old).get(&blob).await.problem().0, 401);
    assert_eq!(server.nobody().get(&blob).await.problem().0, 401);
}

#[tokio::test]
async fn a_rotten_disk_gives_an_error_and_never_other_bytes() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let large = "7 ".repeat(300_000);
    let mut document = sum("sum");
    document["tests"][1]["input"] = json!(large);
    teacher.make(&document).await;
    let token = server
        .minter("evaluation")
        .service(question::NAME)
        .expect("it can be signed");
    let judge = server.bearer(token);
    for text in ["42\n", &large] {
        let name = sha256(text);
        let file = server
            .folder
            .path()
            .join("blobs")
            .join(&name[..2])
            .join(&name);
        let mut bytes = std::fs::read(&file).expect("it is there");
        bytes[0] ^= 1;
        std::fs::write(&file, &bytes).expect("it is writable");
        let request = judge.request(reqwest::Method::GET, &format!("/internal/blobs/{name}"));
        let whole = match request.send().await {
            Ok(response) => response.error_for_status().ok(),
            Err(_) => None,
        };
        let body = match whole {
            Some(response) => response.bytes().await.ok(),
            None => None,
        };
        assert_eq!(body, None, "{} bytes", bytes.len());
    }
}
