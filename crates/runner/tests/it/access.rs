//! Who may ask, and what a runner tells of itself.

use crate::programs::NEEDED;
use crate::support::{World, world};
use contract::Language;
use contract::runner_api::RunnerConfig;

#[test]
fn only_evaluation_and_execute_may_ask() {
    let world = world();
    world.block_on(async {
        for path in ["/internal/languages", "/internal/config"] {
            let get = || world.http.get(format!("{}{path}", world.url));
            for (token, status) in [
                (Some(world.token("evaluation")), 200),
                (Some(world.token("execute")), 200),
                (Some(world.token("gateway")), 403),
                (Some("nonsense".to_owned()), 401),
                (None, 401),
            ] {
                let request = match &token {
                    Some(token) => get().bearer_auth(token),
                    None => get(),
                };
                let answer = request.send().await.expect("answers");
                assert_eq!(answer.status().as_u16(), status, "{path} with {token:?}");
                if status != 200 {
                    assert_eq!(answer.headers()["content-type"], "application/problem+json");
                }
            }
        }
        for path in ["/internal/judge", "/internal/run"] {
            let post = world.http.post(format!("{}{path}", world.url));
            let answer = post
                .json(&serde_json::json!({}))
                .send()
                .await
                .expect("answers");
            assert_eq!(answer.status().as_u16(), 401);
        }
    });
}

#[test]
fn malformed_requests_are_problems() {
    let world = world();
    world.block_on(async {
        let answer = world
            .post("/internal/judge", &serde_json::json!({"language": "cpp"}))
            .await;
        assert_eq!(answer.status().as_u16(), 422.min(answer.status().as_u16()));
        assert!(answer.status().is_client_error());
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let huge = "x".repeat(5 << 20);
        let answer = world
            .post("/internal/judge", &serde_json::json!({"language": huge}))
            .await;
        assert_eq!(answer.status().as_u16(), 413);
    });
}

#[test]
fn the_limits_in_force_are_real_ones() {
    let world = world();
    let config: RunnerConfig = world.block_on(async {
        let request = world.http.get(format!("{}/internal/config", world.url));
        let answer = request
            .bearer_auth(world.token("evaluation"))
            .send()
            .await
            .expect("answers");
        answer.json().await.expect("is a configuration")
    });
    // This machine and CI's: limits in version 1 of cgroups, processor time in version 2. Never without.
    assert!(
        ["hybrid", "cgroup_v2"].contains(&config.backend.as_str()),
        "{config:?}"
    );
    assert_eq!((config.slots, config.jobs), (2, 32));
    assert_eq!(config.sandbox["features"]["seccomp"], true);
    for absent in &config.absent {
        assert!(!NEEDED.contains(&absent.id), "{absent:?}");
        assert!(!absent.reason.is_empty());
    }
}

#[test]
fn metrics_tell_of_slots_compilers_and_runs() {
    let world = world();
    world
        .ask(Language::Python, "print(1)  # measured")
        .sample("", "1")
        .judge();
    let text = world.block_on(async {
        let answer = world
            .http
            .get(format!("{}/metrics", world.ops))
            .send()
            .await;
        answer.expect("answers").text().await.expect("is text")
    });
    for line in [
        "codementor_judge_slots{state=\"all\"} 2",
        "codementor_judge_slots{state=\"busy\"}",
        "codementor_compile_seconds_count{language=\"python\"}",
        "codementor_test_run_seconds_bucket{language=\"python\"",
        "codementor_sandbox_mode{mode=",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[test]
fn an_absent_toolchain_is_told_with_what_to_do() {
    let world = World::start("codementor-runner-test-absent", |config| {
        config.java_home = Some("/no/such/jdk".into());
        config.toolchains = Some("/no/such/toolchains".into());
    });
    let answer = world
        .ask(Language::Kotlin, "fun main() {}")
        .sample("", "")
        .judge();
    let failure = answer.failure();
    assert_eq!(
        (failure.reason.as_str(), failure.retryable),
        ("unsupported_language", false)
    );
    world.block_on(async {
        let get = |path: &str| {
            let request = world.http.get(format!("{}{path}", world.url));
            request.bearer_auth(world.token("execute")).send()
        };
        let answer = get("/internal/languages").await.expect("answers");
        let languages: Vec<contract::language::InstalledLanguage> =
            answer.json().await.expect("is a list");
        assert!(
            languages
                .iter()
                .all(|language| language.id != Language::Java)
        );
        assert!(languages.len() >= 4, "{languages:?}");
        let answer = get("/internal/config").await.expect("answers");
        let config: RunnerConfig = answer.json().await.expect("is a configuration");
        for (id, said) in [
            (Language::Java, "/no/such/jdk"),
            (Language::Typescript, "scripts/toolchains.sh"),
            (Language::Go, "scripts/toolchains.sh"),
            (Language::Rust, "scripts/toolchains.sh"),
            (Language::Kotlin, "scripts/toolchains.sh"),
        ] {
            let absent = config.absent.iter().find(|absent| absent.id == id);
            assert!(
                absent.is_some_and(|absent| absent.reason.contains(said)),
                "{id}: {config:?}"
            );
        }
    });
}
