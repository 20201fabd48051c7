//! A runner that gives every learner's program namespaces of its own.

use contract::{Language, verdict::Verdict};

use crate::support::World;

#[test]
fn a_strict_runner_starts_every_program_in_a_world_of_its_own() {
    let world = World::start("codementor-runner-strict", |config| config.strict = true);
    let tells = [
        (Language::Python, "import os; print(os.getpid())"),
        (Language::Javascript, "console.log(process.pid)"),
    ];
    for (language, code) in tells {
        let answer = world
            .ask(language, code)
            .sample("1\n", "2\n")
            .sample("2\n", "2\n")
            .judge();
        assert_eq!(
            answer.verdict().verdict,
            Verdict::Accepted,
            "{language}: {answer:?}"
        );
    }
}
