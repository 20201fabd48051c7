//! Runners that are away, full, broken or cut off in the middle.

use contract::{Topic, Verdict};

use crate::{
    runner::{Runner, Script, accepted, compiled, failed, finished, test},
    world::{World, fold, free_address, judge_job, names},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_runner_jobs_wait_unclaimed_until_one_is_there() {
    let world = World::new().await;
    let address = free_address().await;
    let url = format!("--runner-urls=http://{address}");
    let _evaluation = world
        .start(&["--role=judge", "--judge-window=2", &url])
        .await;
    let jobs = [judge_job(), judge_job(), judge_job()];
    for job in &jobs {
        world.send_judge(job).await;
    }
    let late = judge_job();
    world.send_bulk(&late).await;
    let _runner = Runner::start_at(address, 4, []).await;
    for job in jobs.iter().chain([&late]) {
        let events = world.events_until(job.submission, "verdict", 1).await;
        assert_eq!(events[0].key.attempt, 1, "it was not claimed in vain");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_breaks_off_in_the_middle_costs_an_attempt() {
    let world = World::new().await;
    let runner = Runner::start([
        Script::Cut(vec![compiled(), test(1)]),
        Script::Say(vec![compiled(), failed("sandbox", true)]),
    ])
    .await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(
        names(&fold(&events)),
        [
            "1.1.1 judging",
            "1.1.2 compiled",
            "1.1.3 test",
            "1.2.1 judging",
            "1.2.2 compiled",
            "1.3.1 judging",
            "1.3.2 compiled",
            "1.3.3 test",
            "1.3.4 test",
            "1.3.5 verdict",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_runner_costs_no_try() {
    let world = World::new().await;
    let full = std::iter::repeat_n(Script::Full, 5);
    let runner = Runner::start(full.chain([Script::Say(accepted())])).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_tried(&job, 3).await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(
        events.len(),
        5,
        "nothing is said before a runner has the job"
    );
    assert_eq!(events[0].key.attempt, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_keeps_failing_sends_the_job_around_and_then_to_the_operator() {
    let world = World::new().await;
    let runner = Runner::start(std::iter::repeat_n(Script::Broken, 6)).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let (first, last) = (judge_job(), judge_job());
    world.send_tried(&first, 1).await;
    let retry = world
        .deliveries_until(Topic::Retry, first.submission, 1)
        .await;
    assert_eq!(retry[0].headers.attempt, 2);
    assert_eq!(runner.judged().len(), 3);

    world.send_tried(&last, 3).await;
    let dead = world
        .deliveries_until(Topic::DeadLetters, last.submission, 1)
        .await;
    let reason = dead[0].headers.reason.as_deref().expect("a reason");
    assert!(reason.contains("/internal/judge"), "{reason}");
    assert_eq!(runner.judged().len(), 6);
    assert_eq!(world.events(last.submission), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_runner_refuses_is_a_dead_letter_at_once() {
    let world = World::new().await;
    let runner = Runner::start([Script::Refuse]).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world
        .deliveries_until(Topic::DeadLetters, job.submission, 1)
        .await;
    assert_eq!(runner.judged().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_says_nonsense_is_not_believed() {
    let world = World::new().await;
    let many = vec![compiled(), test(1), test(2), test(3)];
    let twice = vec![compiled(), compiled()];
    let runner = Runner::start([Script::Say(many), Script::Say(twice)]).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(events.last().map(|event| event.key.attempt), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_runner_is_given_up() {
    let world = World::new().await;
    let held = Script::Hold(vec![compiled()], vec![finished(Verdict::Accepted)]);
    let runner = Runner::start([held]).await;
    let url = format!("--runner-urls={}", runner.url);
    let flags = ["--role=judge", "--runner-silence-ms=300", &url];
    let _evaluation = world.start(&flags).await;
    let mut job = judge_job();
    if let contract::job::Task::Judge { judging } = &mut job.task {
        judging.limits.time_ms = 10;
    }
    world.send_judge(&job).await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(events.last().map(|event| event.key.attempt), Some(2));
}
