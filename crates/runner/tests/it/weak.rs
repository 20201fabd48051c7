//! A machine that lacks what a runner needs to be strict: it judges when told to, and right.

use contract::verdict::Verdict;

use crate::programs::{Fate, program};
use crate::support::World;

#[test]
fn without_cgroups_every_language_is_judged_within_the_limits_of_processes() {
    // So long a path the kernel takes nowhere.
    let world = World::start(&"weak".repeat(1_100), |config| {
        config.allow_degraded = true;
    });
    let config: contract::runner_api::RunnerConfig = world.block_on(async {
        let request = world.http.get(format!("{}/internal/config", world.url));
        let answer = request.bearer_auth(world.token("evaluation")).send().await;
        answer.expect("answers").json().await.expect("is that")
    });
    assert_eq!(config.backend, "none");
    for language in world.languages() {
        for (fate, wanted) in [
            (Fate::Right, Verdict::Accepted),
            (Fate::Crashing, Verdict::RuntimeError),
        ] {
            let answer = world
                .ask(language, program(language, fate))
                .sample("1 2\n", "3\n")
                .judge();
            assert_eq!(answer.verdict().verdict, wanted, "{language}: {answer:?}");
        }
    }
}
