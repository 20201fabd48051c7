//! Reviews: the built-in rules, a language model, and everything that can go wrong with one.

use std::time::Duration;

use contract::{
    EventBody, StreamEvent,
    event::{Complexity, ReviewSkipped, Tokens},
};
use time::OffsetDateTime;

use crate::{
    runner::Runner,
    vendor::{ANSWER, Mode, Vendor},
    world::{Evaluation, World, judge_job, names, review_job},
};

/// Evaluation that reviews with a model, and has little patience.
async fn reviewing(world: &World, vendor: &Vendor, flags: &[&str]) -> Evaluation {
    let url = format!("--review-url={}", vendor.url);
    let usual = [
        "--role=review",
        &url,
        "--review-key=sk-test",
        "--review-model=stand-in-1",
        "--review-first-byte-ms=1000",
        "--review-silence-ms=700",
        "--review-total-ms=8000",
    ];
    let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
    let all: Vec<&str> = usual
        .into_iter()
        .filter(|flag| flags.iter().all(|other| name(other) != name(flag)))
        .chain(flags.iter().copied())
        .collect();
    world.start(&all).await
}

fn skipped(events: &[StreamEvent]) -> Option<&str> {
    events.iter().find_map(|event| match &event.body {
        EventBody::ReviewSkipped(ReviewSkipped { reason }) => Some(reason.as_str()),
        _ => None,
    })
}

/// Reviews end without the verdict that they follow: what came, once `done` has.
async fn reviewed(world: &World, job: &contract::job::ReviewJob) -> Vec<StreamEvent> {
    world.events_until(job.submission, "done", 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_goes_the_whole_way_with_the_built_in_reviewer() {
    let world = World::new().await;
    let runner = Runner::start([]).await;
    let url = format!("--runner-urls={}", runner.url);
    let evaluation = world.start(&[&url]).await;
    let job = judge_job();
    world.send_judge(&job).await;
    let shown = world.shown(job.submission).await;
    assert_eq!(
        names(&shown),
        [
            "1.1.1 judging",
            "1.1.2 compiled",
            "1.1.3 test",
            "1.1.4 test",
            "1.1.5 verdict",
            "1.2.1 review.started after 1.1.5",
            "1.2.2 review.finding",
            "1.2.3 review.finding",
            "1.2.4 review.done",
            "1.2.5 done",
        ]
    );
    let EventBody::ReviewStarted(started) = &shown[5].body else {
        panic!("{shown:?}");
    };
    assert_eq!(
        (started.reviewer.as_str(), &started.model),
        ("builtin", &None)
    );
    let EventBody::ReviewDone(done) = &shown[8].body else {
        panic!("{shown:?}");
    };
    assert_eq!(done.findings, 2);

    // The judge job comes again, after all is over: nothing new is said.
    let before = world.events(job.submission).len();
    world.send_judge(&job).await;
    let events = world.events_until(job.submission, "verdict", 2).await;
    assert_eq!(events.len(), before + 1);
    assert_eq!(
        world
            .deliveries(contract::Topic::Reviews, job.submission)
            .len(),
        1
    );
    evaluation.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_reviews_finding_by_finding() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    let mut reviews = Vec::new();
    for mode in [Mode::Good, Mode::CutEverywhere] {
        vendor.set(mode);
        let job = review_job();
        world.send_review(&job).await;
        let events = reviewed(&world, &job).await;
        assert_eq!(
            names(&events),
            [
                "1.1.1 review.started after 1.1.5",
                "1.1.2 review.finding",
                "1.1.3 review.finding",
                "1.1.4 review.done",
                "1.1.5 done",
            ]
        );
        assert_eq!(vendor.calls(), 1);
        let EventBody::ReviewDone(done) = events[3].body.clone() else {
            panic!("{events:?}");
        };
        assert_eq!(done.summary, "거의 다 왔습니다.");
        assert_eq!(
            done.complexity,
            Some(Complexity {
                time: "O(n)".into(),
                space: "O(1)".into()
            })
        );
        assert_eq!(
            done.tokens,
            Some(Tokens {
                prompt: 812,
                completion: 96
            })
        );
        let bodies: Vec<_> = events.into_iter().map(|event| event.body).collect();
        reviews.push(bodies);
    }
    assert_eq!(reviews[0], reviews[1], "cuts make no difference");
    let EventBody::ReviewFinding(finding) = &reviews[0][1] else {
        panic!("{reviews:?}");
    };
    assert!(ANSWER.contains(&finding.message));

    let asked = &vendor.bodies()[0];
    assert_eq!(asked["model"], "stand-in-1");
    assert_eq!(asked["stream"], true);
    assert_eq!(asked["messages"][0]["role"], "system");
    let told = asked["messages"][1]["content"].as_str().expect("text");
    assert!(told.contains("1| int main()") && told.contains("두 수를 더하세요."));
    assert_eq!(vendor.keys()[0], "Bearer sk-test");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gives_the_solution_away_is_not_shown() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::GivesAway).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    let job = review_job();
    world.send_review(&job).await;
    let events = reviewed(&world, &job).await;
    assert_eq!(
        names(&events[1..]),
        ["1.1.2 review.finding", "1.1.3 review.done", "1.1.4 done"]
    );
    let EventBody::ReviewFinding(finding) = &events[1].body else {
        panic!("{events:?}");
    };
    assert_eq!(finding.message, "What is the sum of nothing?");
}

/// Each failure in turn; between two, a review that succeeds, so that the breaker stays closed.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_the_stream_ends_and_says_why() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    for (mode, reason, calls) in [
        (Mode::SlowFirstByte, "timeout", 1),
        (Mode::SlowFirstChunk, "timeout", 1),
        (Mode::StallsInTheMiddle, "timeout", 1),
        (Mode::CutConnection, "unavailable", 1),
        (Mode::CutBeforeAnswer, "unavailable", 3),
        (Mode::ErrorObject, "unavailable", 1),
        (Mode::Rubbish, "invalid_answer", 1),
        (Mode::Prose, "invalid_answer", 1),
        (Mode::Endless, "invalid_answer", 1),
        (Mode::Refuses, "refused", 1),
        (Mode::Filtered, "refused", 1),
        (Mode::TooLong, "invalid_answer", 1),
        (Mode::Busy(0), "unavailable", 3),
        (Mode::Busy(3_600), "unavailable", 1),
        (Mode::OutOfCredit, "unavailable", 1),
        (Mode::Broken, "unavailable", 3),
        (Mode::Unauthorized, "unavailable", 1),
    ] {
        vendor.set(mode);
        let job = review_job();
        world.send_review(&job).await;
        let events = reviewed(&world, &job).await;
        assert_eq!(skipped(&events), Some(reason), "{mode:?}");
        assert_eq!(vendor.calls(), calls, "{mode:?}");
        let last: Vec<_> = events
            .iter()
            .rev()
            .take(2)
            .map(|event| event.body.name())
            .collect();
        assert_eq!(last, ["done", "review.skipped"], "{mode:?}");

        // The message comes again: the same end, and nothing is paid again.
        world.send_review(&job).await;
        let again = world.events_until(job.submission, "done", 2).await;
        assert_eq!(again[again.len() - 2..], events[events.len() - 2..]);
        assert_eq!(vendor.calls(), calls, "{mode:?}");

        vendor.set(Mode::Good);
        let good = review_job();
        world.send_review(&good).await;
        assert_eq!(
            skipped(&reviewed(&world, &good).await),
            None,
            "after {mode:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_busy_for_a_moment_is_asked_again() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    for (mode, least) in [
        (Mode::BusyOnce(1), Duration::from_secs(1)),
        (Mode::BrokenOnce, Duration::ZERO),
    ] {
        vendor.set(mode);
        let since = tokio::time::Instant::now();
        let job = review_job();
        world.send_review(&job).await;
        assert_eq!(skipped(&reviewed(&world, &job).await), None, "{mode:?}");
        assert_eq!(vendor.calls(), 2, "{mode:?}");
        assert!(since.elapsed() >= least, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_down_is_left_alone_for_a_while() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Unauthorized).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    for expected in [1, 2, 3, 4, 5, 5, 5] {
        let job = review_job();
        world.send_review(&job).await;
        assert_eq!(skipped(&reviewed(&world, &job).await), Some("unavailable"));
        assert_eq!(vendor.calls(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_code_is_reviewed_once() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let _evaluation = reviewing(&world, &vendor, &["--review-calls-per-day=1"]).await;
    let first = review_job();
    world.send_review(&first).await;
    let paid = reviewed(&world, &first).await;
    let mut second = review_job();
    second.files.clone_from(&first.files);
    second.account = first.account;
    world.send_review(&second).await;
    let replayed = reviewed(&world, &second).await;
    assert_eq!(names(&replayed), names(&paid));
    assert_eq!(replayed[1].body, paid[1].body);
    let EventBody::ReviewDone(done) = &replayed[3].body else {
        panic!("{replayed:?}");
    };
    assert_eq!(done.tokens, None);
    assert_eq!(vendor.calls(), 1);

    // Other code of the same account on the same day: its one call is spent.
    let mut third = review_job();
    third.account = first.account;
    world.send_review(&third).await;
    assert_eq!(skipped(&reviewed(&world, &third).await), Some("budget"));
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_a_killed_worker_had_begun_is_not_paid_again() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let job = review_job();
    world.steal(job.submission, "review", 0.0).await;
    sqlx::query("UPDATE evaluation.job SET calling_at = now()")
        .execute(&world.pool)
        .await
        .expect("postgres runs");
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    world.send_review(&job).await;
    let events = reviewed(&world, &job).await;
    assert_eq!(
        names(&events),
        ["1.2.1 review.skipped after 1.1.5", "1.2.2 done"]
    );
    assert_eq!(skipped(&events), Some("interrupted"));
    assert_eq!(vendor.calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_superseded_in_the_middle_of_a_call_says_nothing_more() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::StallsInTheMiddle).await;
    let patient = ["--review-silence-ms=60000", "--review-total-ms=60000"];
    let _evaluation = reviewing(&world, &vendor, &patient).await;
    let job = review_job();
    world.send_review(&job).await;
    world
        .events_until(job.submission, "review.finding", 1)
        .await;
    world.steal(job.submission, "review", 2.0).await;
    let events = reviewed(&world, &job).await;
    assert_eq!(
        names(&events),
        [
            "1.1.1 review.started after 1.1.5",
            "1.1.2 review.finding",
            "1.3.1 review.skipped after 1.1.5",
            "1.3.2 done",
        ]
    );
    assert_eq!(skipped(&events), Some("interrupted"));
    assert_eq!(vendor.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_comes_too_late_is_skipped() {
    let world = World::new().await;
    let vendor = Vendor::start(Mode::Good).await;
    let _evaluation = reviewing(&world, &vendor, &[]).await;
    let mut job = review_job();
    job.deadline = OffsetDateTime::now_utc() - time::Duration::SECOND;
    world.send_review(&job).await;
    assert_eq!(skipped(&reviewed(&world, &job).await), Some("deadline"));
    assert_eq!(vendor.calls(), 0);
}
