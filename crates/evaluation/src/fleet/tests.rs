//! Which runners are asked while names change what they stand for.

use std::collections::BTreeSet;

use axum::{Json, Router, routing::get};
use service::token::ServiceKey;
use tokio::net::TcpListener;

use super::*;

/// Long enough for any machine; nothing here waits so long but a fault.
const DEADLINE: Duration = Duration::from_mins(1);

/// The base address of a runner that takes one job at a time.
async fn runner() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let config = || async {
        Json(RunnerConfig {
            backend: "stand-in".into(),
            sandbox: serde_json::Value::Null,
            slots: 1,
            jobs: 1,
            absent: Vec::new(),
        })
    };
    let routes = Router::new().route("/internal/config", get(config));
    tokio::spawn(async { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn fleet() -> Arc<Fleet> {
    let minter = Minter::new(ServiceKey::generate("evaluation"));
    Fleet::new(Vec::new(), minter)
}

async fn slot(fleet: &Arc<Fleet>) -> Slot {
    timeout(DEADLINE, fleet.slot(Lane::Learner))
        .await
        .expect("a runner has room")
}

#[tokio::test]
async fn runners_come_and_go_and_come_back_while_one_judges() {
    let (one, other) = (runner().await, runner().await);
    let (fleet, shutdown) = (fleet(), Shutdown::manual());
    fleet.keep(0, &[one.clone(), other.clone()], &shutdown);
    let slots = [slot(&fleet).await, slot(&fleet).await];
    let at: BTreeSet<_> = slots.iter().map(|slot| slot.client().base_url()).collect();
    assert_eq!(
        at,
        BTreeSet::from([one.as_str(), other.as_str()]),
        "a job each"
    );
    let (busy, free) = slots
        .into_iter()
        .partition::<Vec<_>, _>(|slot| slot.client().base_url() == one);
    drop(free);

    // It goes while it judges: what it has it keeps, and gets nothing new.
    fleet.keep(0, std::slice::from_ref(&other), &shutdown);
    let last = slot(&fleet).await;
    assert_eq!(last.client().base_url(), other);
    assert!(
        fleet.try_slot(Lane::Learner).is_none(),
        "one runner, one job"
    );
    busy[0]
        .client()
        .get("/internal/config")
        .json::<RunnerConfig>()
        .await
        .expect("the job that it has goes on");

    // It comes back as one of which nothing is known, whatever its former self still does.
    fleet.keep(0, &[other.clone(), one.clone()], &shutdown);
    let again = slot(&fleet).await;
    assert_eq!(again.client().base_url(), one);
    drop(busy);
    assert!(
        fleet.try_slot(Lane::Learner).is_none(),
        "what the former self ends frees no place of the new one"
    );
    drop(again);
    let again = slot(&fleet).await;
    assert_eq!(again.client().base_url(), one);

    shutdown.stop();
    shutdown.tracker().close();
    timeout(DEADLINE, shutdown.tracker().wait())
        .await
        .expect("nobody watches any more, those that went neither");
}

#[tokio::test]
async fn what_two_names_lead_to_is_one_runner_and_stays_while_one_of_them_does() {
    let (one, other) = (runner().await, runner().await);
    let (fleet, shutdown) = (fleet(), Shutdown::manual());
    fleet.keep(0, std::slice::from_ref(&one), &shutdown);
    fleet.keep(1, &[one.clone(), other.clone()], &shutdown);
    let slots = [slot(&fleet).await, slot(&fleet).await];
    assert!(
        fleet.try_slot(Lane::Learner).is_none(),
        "two runners, two jobs"
    );
    drop(slots);
    // Another place's runners are not this one's to forget.
    fleet.keep(0, &[], &shutdown);
    fleet.keep(1, &[one.clone(), other], &shutdown);
    let slots = [slot(&fleet).await, slot(&fleet).await];
    assert!(slots.iter().any(|slot| slot.client().base_url() == one));
}
