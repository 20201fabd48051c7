//! Who may speak: claims, leases, and workers that were superseded.

use std::time::Duration;

use contract::SubmissionId;
use service::Shutdown;

use crate::{
    runner::{Runner, Script, accepted, compiled, finished, test},
    world::{World, judge_job, names},
};

fn held() -> Script {
    Script::Hold(
        vec![compiled()],
        vec![test(1), test(2), finished(contract::Verdict::WrongAnswer)],
    )
}

/// Of each attempt, how many events were said.
fn said(world: &World, submission: SubmissionId) -> Vec<(u32, usize)> {
    let mut said = std::collections::BTreeMap::new();
    for event in world.events(submission) {
        *said.entry(event.key.attempt).or_default() += 1;
    }
    said.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_a_live_lease_waits_until_it_ends() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let url = format!("--runner-urls={}", runner.url);
    let job = judge_job();
    // A worker that was killed in the middle.
    world.steal(job.submission, "judge", 3.0).await;
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let since = tokio::time::Instant::now();
    world.send_judge(&job).await;
    let events = world.events_until(job.submission, "verdict", 1).await;
    assert!(since.elapsed() >= Duration::from_secs(2));
    assert_eq!(events[0].key.attempt, 2);
    assert_eq!(runner.judged().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_worker_does_not_say_its_verdict() {
    let world = World::new().await;
    let runner = Runner::start([held(), Script::Say(accepted())]).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world.events_until(job.submission, "compiled", 1).await;
    world.steal(job.submission, "judge", 2.0).await;
    // It comes to its end before it could learn that it was superseded.
    runner.open_gate();

    let events = world.events_until(job.submission, "verdict", 1).await;
    let verdict = events.last().expect("a verdict");
    assert_eq!(names(std::slice::from_ref(verdict)), ["1.3.5 verdict"]);
    assert_eq!(said(&world, job.submission), [(1, 4), (3, 5)]);
    assert_eq!(world.claim(job.submission, "judge").await, Some((3, true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_worker_stops_in_the_middle() {
    let world = World::new().await;
    let runner = Runner::start([held(), Script::Say(accepted())]).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world.events_until(job.submission, "compiled", 1).await;
    world.steal(job.submission, "judge", 2.0).await;
    // The first answer is held for ever: only the renewal tells.
    world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(said(&world, job.submission), [(1, 2), (3, 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_as_long_as_the_work_goes_on() {
    let world = World::new().await;
    let runner = Runner::start([held()]).await;
    let url = format!("--runner-urls={}", runner.url);
    let _evaluation = world.start(&["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world.events_until(job.submission, "compiled", 1).await;
    // As if the lease were nearly over.
    sqlx::query("UPDATE evaluation.job SET lease_until = now() + interval '4 s'")
        .execute(&world.pool)
        .await
        .expect("postgres runs");
    world
        .until("a renewal", async || {
            let renewed: bool = sqlx::query_scalar(
                "SELECT lease_until > now() + interval '8 s' FROM evaluation.job",
            )
            .fetch_one(&world.pool)
            .await
            .expect("postgres runs");
            renewed.then_some(())
        })
        .await;
    runner.open_gate();
    world.events_until(job.submission, "verdict", 1).await;
    assert_eq!(said(&world, job.submission), [(1, 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_what_waits_is_left_and_what_is_begun_is_finished() {
    let world = World::new().await;
    let address = "127.0.0.1:0".parse().expect("an address");
    let runner = Runner::start_at(address, 1, [held()]).await;
    let url = format!("--runner-urls={}", runner.url);
    let evaluation = world.start(&["--role=judge", &url]).await;
    let (begun, waiting) = (judge_job(), judge_job());
    world.send_judge(&begun).await;
    world.events_until(begun.submission, "compiled", 1).await;
    world.send_judge(&waiting).await;
    evaluation.shutdown.stop();
    runner.open_gate();
    evaluation.stop().await;
    world.events_until(begun.submission, "verdict", 1).await;
    assert_eq!(world.claim(waiting.submission, "judge").await, None);

    let _again = world.start(&["--role=judge", &url]).await;
    world.events_until(waiting.submission, "verdict", 1).await;
    assert_eq!(said(&world, begun.submission), [(1, 5)]);
    assert_eq!(said(&world, waiting.submission), [(1, 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_hard_end_claims_are_given_back() {
    let world = World::new().await;
    let runner = Runner::start([held()]).await;
    let url = format!("--runner-urls={}", runner.url);
    let shutdown = Shutdown::manual().with_grace(Duration::from_millis(500));
    let evaluation = world.start_with(shutdown, &["--role=judge", &url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    world.events_until(job.submission, "compiled", 1).await;
    evaluation.stop().await;
    world
        .until("the claim to be given back", async || {
            let free: bool = sqlx::query_scalar("SELECT lease_until <= now() FROM evaluation.job")
                .fetch_one(&world.pool)
                .await
                .expect("postgres runs");
            free.then_some(())
        })
        .await;
}
