//! Code of every language through the whole product: each sample solution gets the verdict that it is there for.

use std::{collections::BTreeSet, sync::Arc};

use e2e::{Product, samples::solutions};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

/// As many as keep two cores busy without making time limits meaningless.
const AT_ONCE: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_solution_gets_its_verdict() {
    let product = Product::shared().await;
    let learner = Arc::new(product.newcomer("Sample").await);
    let judged = stream::iter(solutions()).map(|solution| {
        let learner = Arc::clone(&learner);
        async move {
            let transcript = learner
                .submit_and_follow(&solution.question, &solution.language, &solution.code)
                .await;
            let got = transcript.verdict().to_owned();
            (solution, got)
        }
    });
    let judged: Vec<_> = judged.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<String> = judged
        .iter()
        .filter(|(solution, got)| solution.expect != *got)
        .map(|(solution, got)| {
            let (question, file, expect) = (&solution.question, &solution.file, &solution.expect);
            format!("{question}/{file}: {got} instead of {expect}")
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    let languages: BTreeSet<&str> = judged.iter().map(|(s, _)| s.language.as_str()).collect();
    assert_eq!(
        languages,
        BTreeSet::from(["c", "cpp", "java", "javascript", "python"])
    );
    let verdicts: BTreeSet<&str> = judged.iter().map(|(_, got)| got.as_str()).collect();
    assert_eq!(
        verdicts,
        BTreeSet::from(["AC", "CE", "MLE", "OLE", "RE", "TLE", "WA"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_is_not_degraded() {
    let product = Product::shared().await;
    let metrics = reqwest::get(format!("{}/metrics", product.ops_url("runner")))
        .await
        .expect("the runner's metrics")
        .text()
        .await
        .expect("text");
    let mode = metrics
        .lines()
        .find(|line| line.starts_with("codementor_sandbox_mode"))
        .expect("the mode is a metric");
    assert!(
        mode.contains("hybrid") || mode.contains("cgroup_v2"),
        "{mode}"
    );
}

/// Reads a number and says it again: quick enough for a thousand tests.
const QUICK: &str = "#include <stdio.h>\nint main(void) { int n; return scanf(\"%d\", &n) == 1 && printf(\"%d\\n\", n) > 0 ? 0 : 1; }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tests_are_judged_in_their_order() {
    let product = Product::shared().await;
    let teacher = product.demo("teacher").await;
    let tests: Vec<Value> = (1..=1000)
        .map(|n| json!({"name": format!("{n:04}"), "input": format!("{n}\n"), "output": format!("{n}\n")}))
        .collect();
    let document = json!({
        "slug": "a-thousand-tests", "kind": "stdio", "titles": {"en": "Again"}, "statements": {"en": "Say it again."},
        "difficulty": 1, "tags": [], "checker": {"kind": "tokens"}, "tests": tests,
    });
    let made = teacher.post_json("/questions", &document).await;
    let id = made["id"].as_str().expect("an id");
    let publish = format!("/questions/{id}/publish?unverified=true");
    teacher.post_json(&publish, &json!({})).await;
    let learner = product.newcomer("Patient").await;
    let transcript = learner.submit_and_follow(id, "c", QUICK).await;
    assert_eq!(transcript.data("verdict")["passed"], 1000);
    assert_eq!(transcript.all("test").len(), 1000);
}
