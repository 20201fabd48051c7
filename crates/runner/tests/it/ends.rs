//! A runner that is full, one that ends and one that must end at once.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use contract::Language;
use contract::runner_api::RunnerEvent;

use crate::streams::SLEEPER;
use crate::support::World;

#[test]
fn a_full_runner_says_so_and_when_to_come_again() {
    let world = World::start("codementor-runner-test-full", |config| {
        config.slots = NonZeroUsize::new(1);
        config.jobs = NonZeroUsize::new(1);
    });
    let request = world
        .ask(Language::Python, SLEEPER)
        .hidden("6000", "")
        .judging(|judging| judging.limits.time_ms = 60_000)
        .request;
    world.block_on(async {
        let first = world.post("/internal/judge", &request).await;
        assert!(first.status().is_success());
        let second = world.post("/internal/judge", &request).await;
        assert_eq!(second.status().as_u16(), 503);
        assert!(second.headers().contains_key("retry-after"));
        drop(first);
        let deadline = Instant::now() + Duration::from_secs(20);
        while world
            .post("/internal/judge", &request)
            .await
            .status()
            .as_u16()
            == 503
        {
            assert!(Instant::now() < deadline, "the place is not given back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn a_stopping_runner_finishes_what_it_has_begun_and_leaves_nothing() {
    let cgroup = "codementor-runner-test-stop";
    let mut world = World::start(cgroup, |_| {});
    let request = world
        .ask(Language::Python, SLEEPER)
        .hidden("100", "100")
        .request;
    let (answer, first) = world.block_on(async {
        let mut answer = world.post("/internal/judge", &request).await;
        let first = answer.chunk().await.expect("is whole").expect("compiled");
        (answer, first)
    });
    world.begin_stop();
    let rest = world.block_on(answer.text()).expect("the stream is whole");
    let last = rest.lines().last().expect("has an end");
    assert!(
        matches!(serde_json::from_str(last), Ok(RunnerEvent::Finished(_))),
        "{first:?} {rest}"
    );
    world.stop().expect("ends well");
    nothing_is_left(&world, cgroup);
}

#[test]
fn a_runner_that_must_end_at_once_kills_what_runs() {
    let cgroup = "codementor-runner-test-kill";
    let mut world = World::start(cgroup, |_| {});
    let request = world
        .ask(Language::Python, SLEEPER)
        .hidden("5999", "5999")
        .judging(|judging| judging.limits.time_ms = 60_000)
        .request;
    let answer = world.block_on(async {
        let mut answer = world.post("/internal/judge", &request).await;
        let first = answer.chunk().await.expect("is whole");
        assert!(first.is_some(), "compiled comes first");
        answer
    });
    let started = Instant::now();
    world.end_at_once();
    world.stop().expect("ends well");
    assert!(started.elapsed() < Duration::from_secs(10));
    let rest = world.block_on(answer.text()).unwrap_or_default();
    assert!(!rest.contains("finished"), "{rest}");
    nothing_is_left(&world, cgroup);
}

/// No prepared programs, no cgroups.
fn nothing_is_left(world: &World, cgroup: &str) {
    let work = world.folder.path().join("work/sandbox");
    assert_eq!(std::fs::read_dir(work).map_or(0, Iterator::count), 0);
    let left = std::fs::read_dir("/sys/fs/cgroup")
        .into_iter()
        .flatten()
        .flatten();
    let left = left.filter(|hierarchy| hierarchy.path().join(cgroup).exists());
    assert_eq!(left.count(), 0, "cgroups are left");
}
