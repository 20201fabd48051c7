//! The operator's tools on a running product: audit, dead letters, intake.

use e2e::{Product, Start};
use serde_json::json;

use crate::streams::{ECHO, any_question};

fn said(output: &std::process::Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_audits_closes_and_clears() {
    let mut product = Product::start(Start::default()).await;
    let learner = product.demo("learner").await;
    for _ in 0..2 {
        learner
            .submit_and_follow(&any_question(), "python", ECHO)
            .await;
    }
    let audit = product.tool(&["audit", "--since", "1h"]);
    assert_eq!(audit.status.code(), Some(0), "{}", said(&audit));
    assert!(said(&audit).contains("balanced"), "{}", said(&audit));

    let letters = product.tool(&["dead-letters", "list"]);
    assert!(letters.status.success(), "{}", said(&letters));
    assert!(said(&letters).contains("0 dead letters"));
    let nothing = uuid::Uuid::nil().to_string();
    for action in ["show", "replay", "discard"] {
        let output = product.tool(&["dead-letters", action, &nothing]);
        assert_eq!(output.status.code(), Some(1), "{action}: {}", said(&output));
    }

    let closed = product.tool(&["intake", "close", "--message", "back at noon"]);
    assert!(said(&closed).starts_with("closed"), "{}", said(&closed));
    let body = json!({"question": any_question(), "language": "python", "code": ECHO});
    let refused = learner.post("/submissions", &body).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(
        refused
            .text()
            .await
            .is_ok_and(|text| text.contains("back at noon"))
    );
    let opened = product.tool(&["intake", "open"]);
    assert!(said(&opened).starts_with("open"), "{}", said(&opened));
    learner.submit(&any_question(), "python", ECHO).await;

    let data = product.data();
    product.end().await;
    // Nothing to ask: that is neither balanced nor a hole.
    let away = product.tool(&["audit", "--data", &data.display().to_string()]);
    assert_eq!(away.status.code(), Some(2), "{}", said(&away));
}
