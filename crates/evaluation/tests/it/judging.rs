//! What is said of a job that is judged, event by event.

use contract::{
    EventBody, Topic, Verdict,
    event::{Failed, ReviewSkipped, RunOutput},
    job::{ReviewJob, Task},
    runner_api::RunnerEvent,
};
use time::OffsetDateTime;

use crate::{
    runner::{Runner, Script, accepted, compiled, failed, finished, output, test},
    world::{TRACEPARENT, World, judge_job, names, run_job},
};

fn at(runner: &Runner) -> String {
    format!("--runner-urls={}", runner.url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_judged_and_its_review_ordered() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let job = judge_job();
    world.send_judge(&job).await;

    let reviews = world
        .deliveries_until(Topic::Reviews, job.submission, 1)
        .await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(
        names(&events),
        [
            "1.1.1 judging",
            "1.1.2 compiled",
            "1.1.3 test",
            "1.1.4 test",
            "1.1.5 verdict",
        ]
    );
    for delivery in world.deliveries(Topic::Events, job.submission) {
        let headers = delivery.headers;
        assert_eq!(delivery.partition, job.reply_partition);
        assert!(headers.id.starts_with(&format!("{}/1.1.", job.submission)));
        assert_eq!(headers.kind, "stream-event");
        assert_eq!(headers.reply_partition, Some(job.reply_partition));
        assert_eq!(headers.accepted_at, Some(job.accepted_at));
        let trace = headers.traceparent.expect("it is traced");
        assert_eq!(trace[..35], TRACEPARENT[..35]);
    }

    let review: ReviewJob = serde_json::from_slice(&reviews[0].payload).expect("a review job");
    assert_eq!(review.follows, events[4].key);
    assert_eq!(review.files, job.files);
    assert_eq!(Some(review.context), job.review);
    assert_eq!((review.tests.len(), review.account), (2, job.account));
    assert_eq!(EventBody::Verdict(review.verdict), events[4].body);
    assert_eq!(reviews[0].headers.deadline, Some(job.deadline));
    assert_eq!(world.claim(job.submission, "judge").await, Some((1, true)));
    evaluation.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runner_gets_the_job_and_a_token_for_just_its_tests() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world.events_until(job.submission, "verdict", 1).await;

    let asked = &runner.judged()[0];
    assert_eq!(
        (&asked.files, &asked.judging),
        (&job.files, job.task.judging())
    );
    assert!(!asked.show_output);
    let blobs = asked.blobs.as_ref().expect("there are tests");
    assert_eq!(blobs.url, "http://question.test");
    let question = world.verifier("question");
    let opens = |sha256: &str| {
        let token = blobs.token(sha256).unwrap_or_default();
        question
            .verify(token)
            .is_ok_and(|opened| opened.opens(sha256))
    };
    for test in &job.task.judging().tests {
        assert!(opens(&test.input.sha256) && opens(&test.output.sha256));
    }
    assert!(!opens(&"c".repeat(64)));

    let key = runner.keys()[0].clone();
    let key = key.strip_prefix("Bearer ").expect("a bearer token");
    let caller = world.verifier("runner").verify(key).expect("it counts");
    assert_eq!(caller.iss, "evaluation");
    assert_eq!(runner.traces()[0][..35], TRACEPARENT[..35]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_batches_end_without_a_review() {
    let world = World::new().await;
    let run = vec![compiled(), output(), finished(Verdict::Accepted)];
    let runner = Runner::start([Script::Say(run.clone()), Script::Say(run)]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let shown = [
        "1.1.1 judging",
        "1.1.2 compiled",
        "1.1.3 output",
        "1.1.4 verdict",
        "1.1.5 done",
    ];
    let job = run_job();
    world.send_judge(&job).await;
    assert_eq!(names(&world.shown(job.submission).await), shown);
    assert_eq!(runner.run()[0].stdin, "1 2\n");

    let mut samples = judge_job();
    samples.task = Task::Samples {
        judging: samples.task.judging().clone(),
    };
    world.send_judge(&samples).await;
    assert_eq!(names(&world.shown(samples.submission).await), shown);
    assert!(runner.judged()[0].show_output);

    let mut batch = judge_job();
    batch.review = None;
    world.send_bulk(&batch).await;
    let shown = world.shown(batch.submission).await;
    assert_eq!(names(&shown[4..]), ["1.1.5 verdict", "1.1.6 done"]);
    for job in [&job, &samples, &batch] {
        assert!(world.deliveries(Topic::Reviews, job.submission).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_output_of_a_run_arrives_whole() {
    let world = World::new().await;
    let RunnerEvent::Output(output) = output() else {
        panic!("an output");
    };
    let text = "\u{1}".repeat(64 << 10);
    let output = RunOutput {
        stdout: text.clone(),
        stderr: text.clone(),
        result: Some(text),
        ..output
    };
    let lines = vec![
        compiled(),
        RunnerEvent::Output(output.clone()),
        finished(Verdict::Accepted),
    ];
    let runner = Runner::start([Script::Say(lines)]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let job = run_job();
    world.send_judge(&job).await;
    let shown = world.shown(job.submission).await;
    assert_eq!(shown[2].body, EventBody::Output(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_reviews_the_judge_says_so_itself() {
    let world = World::new().await;
    let ie = vec![compiled(), test(1), finished(Verdict::InternalError)];
    let runner = Runner::start([Script::Say(accepted()), Script::Say(ie)]).await;
    let _evaluation = world.start(&["--reviewer=off", &at(&runner)]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    let shown = world.shown(job.submission).await;
    assert_eq!(
        names(&shown[4..]),
        ["1.1.5 verdict", "1.1.6 review.skipped", "1.1.7 done"]
    );
    let reason = "off".to_owned();
    assert_eq!(
        shown[5].body,
        EventBody::ReviewSkipped(ReviewSkipped { reason })
    );

    let unwell = judge_job();
    world.send_judge(&unwell).await;
    let shown = world.shown(unwell.submission).await;
    assert_eq!(names(&shown[3..]), ["1.1.4 verdict", "1.1.5 done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_runner_can_do_ends_as_failed() {
    let world = World::new().await;
    let runner = Runner::start([Script::Say(vec![failed("unsupported_language", false)])]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    let shown = world.shown(job.submission).await;
    assert_eq!(names(&shown), ["1.1.1 judging", "1.1.2 failed"]);
    assert_eq!(
        shown[1].body,
        EventBody::Failed(Failed {
            reason: "unsupported_language".into(),
            message: "지금은 cpp 코드를 채점할 수 없습니다. 다른 언어를 선택해 주세요.".into(),
            retryable: false,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_done_job_that_comes_again_is_not_judged_again_but_announced_again() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world
        .deliveries_until(Topic::Reviews, job.submission, 1)
        .await;
    world.send_judge(&job).await;
    let reviews = world
        .deliveries_until(Topic::Reviews, job.submission, 2)
        .await;
    assert_eq!(reviews[0].payload, reviews[1].payload);
    assert_eq!(reviews[0].headers.id, reviews[1].headers.id);

    let events = world.events_until(job.submission, "verdict", 2).await;
    assert_eq!(events.len(), 6);
    assert_eq!(events[4], events[5]);
    assert_eq!(runner.judged().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_past_its_deadline_is_left_to_execute() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let _evaluation = world.start(&["--role=judge", &at(&runner)]).await;
    let mut job = judge_job();
    job.deadline = OffsetDateTime::now_utc() - time::Duration::SECOND;
    world.send_judge(&job).await;
    let group = contract::topic::group::JUDGE;
    world
        .until("the offset to be committed", async || {
            let committed = world.admin.committed(group, Topic::Submissions).await;
            let total: i64 = committed.ok()?.values().filter(|&&offset| offset > 0).sum();
            (total == 1).then_some(())
        })
        .await;
    assert_eq!(world.events(job.submission), []);
    assert_eq!(world.claim(job.submission, "judge").await, None);
    assert!(runner.judged().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_job_is_a_dead_letter() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let _evaluation = world.start(&[&at(&runner)]).await;
    let job = judge_job();
    for (topic, kind, payload) in [
        (Topic::Submissions, "judge-job", "{\"submission\": 1}"),
        (Topic::Submissions, "surprise", "{}"),
        (Topic::Reviews, "review-job", "no JSON"),
    ] {
        world
            .send(queue::Message {
                topic,
                key: job.submission.to_string(),
                partition: None,
                headers: contract::Headers::new("x", kind),
                payload: payload.into(),
            })
            .await;
    }
    let dead = world
        .deliveries_until(Topic::DeadLetters, job.submission, 3)
        .await;
    assert!(dead.iter().all(|letter| letter.headers.reason.is_some()));
    let good = judge_job();
    world.send_judge(&good).await;
    world.shown(good.submission).await;
}
