//! A 202 and what it promises; repeats of it.

use std::collections::HashSet;

use contract::{EventBody, EventKey, Headers, Role, SubmissionId, job::Task};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Judge, Setup, account, learner, submission, until};

const PATH: &str = "/api/v1/submissions";

#[tokio::test]
async fn accepts_a_submission_and_hands_on_its_job() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let learner = learner();
    let id = SubmissionId::new();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let proposed = id.to_string();
    let headers = [
        ("x-codementor-submission", proposed.as_str()),
        ("x-codementor-reply-partition", "5"),
        ("traceparent", traceparent),
    ];
    let answer = execute
        .ask(
            Some(&learner),
            Method::POST,
            PATH,
            &headers,
            Some(&submission()),
        )
        .await;

    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    assert_eq!(answer.header("location"), format!("{PATH}/{id}"));
    assert_eq!(answer.header("x-codementor-submission"), proposed);
    assert_eq!(answer.header("x-codementor-reply-partition"), "5");
    let accepted_at = answer.body["accepted_at"].clone();
    let expected = json!({
        "id": id, "status": "queued", "accepted_at": accepted_at,
        "links": {"self": format!("{PATH}/{id}"), "events": format!("{PATH}/{id}/events")},
    });
    assert_eq!(answer.body, expected);

    let (job, delivery) = judge.job(id).await;
    assert_eq!(json!(job)["accepted_at"], accepted_at);
    assert_eq!(
        (job.judgement, job.account, job.reply_partition),
        (1, learner.id, 5)
    );
    assert_eq!(
        (job.question, job.version),
        (Some(setup.neighbours.question()), Some(3))
    );
    assert_eq!(job.files[0].name, "solution.py");
    assert_eq!(job.deadline - job.accepted_at, time::Duration::DAY);
    assert_eq!(
        job.review
            .as_ref()
            .map(|review| review.statement.title.as_str()),
        Some("A + B")
    );
    let Task::Judge { judging } = &job.task else {
        panic!("{:?}", job.task)
    };
    assert_eq!(judging.tests.len(), 2);
    assert_eq!(
        judging.checker,
        contract::manifest::Checker::Float {
            abs: 1e-6,
            rel: 1e-9
        }
    );
    assert_eq!(delivery.key, proposed);
    let trace = delivery.headers.traceparent.clone().unwrap_or_default();
    assert_eq!(trace[..36], traceparent[..36], "the same trace");
    let expected = Headers {
        reply_partition: Some(5),
        accepted_at: Some(job.accepted_at),
        deadline: Some(job.deadline),
        traceparent: Some(trace),
        ..Headers::new(format!("{id}/1"), "judge-job")
    };
    assert_eq!(delivery.headers, expected);

    let log = execute.log(id, 1).await;
    assert_eq!(log.position, Some(1));
    let [receipt] = log.events.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!((receipt.key, receipt.follows), (EventKey::ACCEPTED, None));
    let EventBody::Accepted(accepted) = &receipt.body else {
        panic!("{receipt:?}")
    };
    assert_eq!(
        (accepted.submission, accepted.accepted_at),
        (id, job.accepted_at)
    );
    assert_eq!(
        (accepted.question, accepted.version),
        (job.question, Some(3))
    );

    let database = setup.database().await;
    until("the outbox is empty and the job's place is noted", async || {
        let left: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM execute.outbox), (SELECT count(job_offset) FROM execute.judgement)",
        )
        .fetch_one(&database)
        .await
        .expect("it answers");
        left == (0, 1)
    })
    .await;
    execute.stop().await;
}

#[tokio::test]
async fn answers_a_repeat_as_the_first_time() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let learner = learner();
    let post = async |key: &str, partition: &str, path: &str, body: Value| {
        let headers = [
            ("idempotency-key", key),
            ("x-codementor-reply-partition", partition),
        ];
        execute
            .ask(Some(&learner), Method::POST, path, &headers, Some(&body))
            .await
    };
    let first = post("key-of-this-one", "5", PATH, submission()).await;
    let again = post("key-of-this-one", "7", PATH, submission()).await;
    assert_eq!(again.body, first.body);
    assert_eq!(
        again.header("x-codementor-submission"),
        first.header("x-codementor-submission")
    );
    assert_eq!(again.header("x-codementor-reply-partition"), "5");
    assert_eq!(again.header("location"), first.header("location"));

    let mut other = submission();
    other["code"] = json!("print(2)\n");
    assert_eq!(
        post("key-of-this-one", "5", PATH, other).await.problem(),
        (409, "conflict", "")
    );
    let elsewhere = post("key-of-another", "5", PATH, submission()).await;
    assert_ne!(elsewhere.id(), first.id());
    let run = json!({"language": "python", "code": "print(1)\n"});
    assert_ne!(
        post("key-of-this-one", "5", "/api/v1/runs", run).await.id(),
        first.id(),
        "a key a route"
    );
    let headers = [("idempotency-key", "key-of-this-one")];
    let somebody = account(Role::Learner, "Lee");
    let theirs = execute
        .ask(
            Some(&somebody),
            Method::POST,
            PATH,
            &headers,
            Some(&submission()),
        )
        .await;
    assert_ne!(theirs.id(), first.id(), "a key an account");

    setup.neighbours.withdraw_question();
    let again = post("key-of-this-one", "5", PATH, submission()).await;
    assert_eq!(again.id(), first.id(), "even when the question is gone");
    assert_eq!(
        post("key-never-used", "5", PATH, submission())
            .await
            .problem(),
        (404, "not-found", "")
    );
    execute.stop().await;
}

#[tokio::test]
async fn two_at_once_with_one_key_are_one_submission() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let learner = learner();
    for round in 0..5 {
        let key = format!("round-number-{round}");
        let headers = [("idempotency-key", key.as_str())];
        let body = submission();
        let post = || execute.ask(Some(&learner), Method::POST, PATH, &headers, Some(&body));
        let answers = tokio::join!(post(), post(), post(), post(), post(), post());
        let ids: HashSet<SubmissionId> = [
            answers.0.id(),
            answers.1.id(),
            answers.2.id(),
            answers.3.id(),
            answers.4.id(),
            answers.5.id(),
        ]
        .into();
        assert_eq!(ids.len(), 1);
    }
    let listed = execute.get(&learner, PATH).await;
    assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(5));
    execute.stop().await;
}

#[tokio::test]
async fn an_id_is_given_once() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let (one, other) = (learner(), learner());
    let id = SubmissionId::new().to_string();
    let headers = [("x-codementor-submission", id.as_str())];
    let body = submission();
    let post = async |account| {
        execute
            .ask(Some(account), Method::POST, PATH, &headers, Some(&body))
            .await
    };
    let first = post(&one).await;
    assert_eq!(
        post(&one).await.body,
        first.body,
        "a gateway that asks again gets the same answer"
    );
    assert_eq!(post(&other).await.problem(), (409, "conflict", ""));
    execute.stop().await;
}

#[tokio::test]
async fn runs_take_own_input_or_the_samples() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let learner = learner();
    let run = async |body: Value| execute.post(&learner, "/api/v1/runs", &body).await;

    let bare = run(json!({"language": "python", "code": "x", "stdin": "1 2\n"})).await;
    assert_eq!(
        bare.header("location"),
        format!("/api/v1/runs/{}", bare.id())
    );
    let (job, _) = judge.job(bare.id()).await;
    assert_eq!((job.question, job.review), (None, None));
    assert_eq!(job.deadline - job.accepted_at, time::Duration::MINUTE);
    let Task::Run { judging, stdin } = job.task else {
        panic!("{:?}", job.task)
    };
    assert_eq!((stdin.as_str(), judging.tests.len()), ("1 2\n", 0));

    let with_question =
        run(json!({"language": "python", "code": "x", "question": "a-plus-b"})).await;
    let (job, _) = judge.job(with_question.id()).await;
    let Task::Run { judging, .. } = job.task else {
        panic!("{:?}", job.task)
    };
    assert_eq!((judging.tests.len(), judging.time_factor), (0, 3.0));

    let samples =
        run(json!({"language": "python", "code": "x", "question": "a-plus-b", "samples": true}))
            .await;
    let (job, _) = judge.job(samples.id()).await;
    let Task::Samples { judging } = job.task else {
        panic!("{:?}", job.task)
    };
    let names: Vec<&str> = judging
        .tests
        .iter()
        .map(|test| test.name.as_str())
        .collect();
    assert_eq!(names, ["sample"]);

    let looked = execute
        .get(&learner, &format!("/api/v1/runs/{}", samples.id()))
        .await;
    assert_eq!(
        (looked.status, &looked.body["status"]),
        (StatusCode::OK, &json!("queued"))
    );
    let submission = execute
        .get(&learner, &format!("{PATH}/{}", samples.id()))
        .await;
    assert_eq!(submission.problem().0, 404, "a run is no submission");
    assert_eq!(
        execute.get(&learner, PATH).await.body,
        json!({"items": [], "next_cursor": null})
    );
    execute.stop().await;
}

#[tokio::test]
async fn lists_what_was_submitted_page_by_page() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let mut learner = learner();
    let mut ids = vec![];
    for _ in 0..5 {
        ids.push(execute.submit(&learner).await);
    }
    ids.reverse();
    let mut seen: Vec<SubmissionId> = vec![];
    let mut path = format!("{PATH}?limit=2&question=a-plus-b&language=python");
    loop {
        let page = execute.get(&learner, &path).await;
        for item in page.body["items"].as_array().expect("items") {
            seen.push(serde_json::from_value(item["id"].clone()).expect("an id"));
            assert_eq!(item["question"]["title"], "A + B");
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!(
            "{PATH}?limit=2&question={}&cursor={cursor}",
            setup.neighbours.question()
        );
    }
    assert_eq!(seen, ids);

    learner.locale = contract::Locale::Ko;
    execute.submit(&learner).await;
    let page = execute.get(&learner, &format!("{PATH}?limit=1")).await;
    assert_eq!(page.body["items"][0]["question"]["title"], "두 수의 합");
    for nothing in ["language=cpp", "verdict=AC", "question=other"] {
        let page = execute.get(&learner, &format!("{PATH}?{nothing}")).await;
        assert_eq!(page.body["items"], json!([]), "{nothing}");
    }
    let code = execute
        .get(&learner, &format!("{PATH}/{}/code", ids[0]))
        .await;
    assert_eq!(
        code.body["files"],
        json!([{"name": "solution.py", "content": "print(1)\n"}])
    );
    execute.stop().await;
}
