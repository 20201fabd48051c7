//! Probes and metrics, on a port of their own: `/livez`, `/readyz`, `/startupz`, `/metrics`.
//!
//! Live means that the process turns: a heartbeat, never a look at others. Ready means that traffic may come: each part that
//! matters says so itself. A shared dependency that is down does not make every replica unready where work can be taken anyway.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::{Value, json};

use crate::{Shutdown, telemetry};

type Heartbeat = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The state of a service as its probes tell it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Ops {
    inner: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    parts: BTreeMap<String, Result<(), String>>,
    heartbeats: BTreeMap<String, Heartbeat>,
    started: bool,
}

impl fmt::Debug for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ops")
            .field("parts", &self.lock().parts)
            .finish_non_exhaustive()
    }
}

/// One part that must be well before traffic may come.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    ops: Ops,
}

impl Ops {
    /// No part yet: ready at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names a part; it is not well until it says so.
    pub fn part(&self, name: &str) -> Part {
        let waiting = Err("is starting".to_owned());
        self.lock().parts.insert(name.to_owned(), waiting);
        Part {
            name: name.to_owned(),
            ops: self.clone(),
        }
    }

    /// Adds a heartbeat: asked at every liveness probe, it says whether that thread or task still turns.
    pub fn heartbeat(
        &self,
        name: &str,
        beats: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.lock()
            .heartbeats
            .insert(name.to_owned(), Box::new(beats));
    }

    /// Whether every part is well.
    pub fn is_ready(&self) -> bool {
        self.lock().parts.values().all(Result::is_ok)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn router(&self, shutdown: &Shutdown) -> Router {
        let (live, ready, started) = (self.clone(), self.clone(), self.clone());
        let ending = shutdown.soft().clone();
        telemetry::metrics();
        Router::new()
            .route("/livez", get(async move || live.live()))
            .route(
                "/readyz",
                get(async move || ready.ready(ending.is_cancelled())),
            )
            .route("/startupz", get(async move || started.startup()))
            .route("/metrics", get(async || telemetry::metrics().render()))
    }

    /// Histograms grow until somebody looks; this looks.
    pub(crate) async fn upkeep() {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            telemetry::metrics().run_upkeep();
        }
    }

    fn live(&self) -> impl IntoResponse + use<> {
        let state = self.lock();
        let beats = state.heartbeats.iter().map(|(name, beats)| (name, beats()));
        answer(beats)
    }

    fn ready(&self, ending: bool) -> impl IntoResponse + use<> {
        let mut state = self.lock();
        if ending {
            let why = Err("is ending".to_owned());
            state.parts.insert("service".to_owned(), why);
        }
        if state.parts.values().all(Result::is_ok) {
            state.started = true;
        }
        answer(state.parts.iter().map(|(name, part)| (name, part.clone())))
    }

    fn startup(&self) -> impl IntoResponse + use<> {
        let mut state = self.lock();
        if state.parts.values().all(Result::is_ok) {
            state.started = true;
        }
        if state.started {
            return answer([].into_iter());
        }
        answer(state.parts.iter().map(|(name, part)| (name, part.clone())))
    }
}

fn answer<'a>(
    parts: impl Iterator<Item = (&'a String, Result<(), String>)>,
) -> (StatusCode, Json<Value>) {
    let mut all_well = true;
    let mut body = serde_json::Map::new();
    for (name, part) in parts {
        all_well &= part.is_ok();
        let text = part.map_or_else(|why| why, |()| "ok".to_owned());
        body.insert(name.clone(), text.into());
    }
    let (status, word) = if all_well {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ok")
    };
    (status, Json(json!({"status": word, "parts": body})))
}

impl Part {
    /// It is well.
    pub fn ok(&self) {
        self.set(Ok(()));
    }

    /// It is not, and why, for the operator.
    pub fn failing(&self, why: impl Into<String>) {
        self.set(Err(why.into()));
    }

    fn set(&self, part: Result<(), String>) {
        let mut state = self.ops.lock();
        let before = state.parts.insert(self.name.clone(), part.clone());
        if before.as_ref() == Some(&part) {
            return;
        }
        match part {
            Ok(()) => tracing::info!(part = self.name, "{} is well", self.name),
            Err(why) => tracing::warn!(part = self.name, why, "{} is not well: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::Response;

    use super::*;

    fn status(response: impl IntoResponse) -> StatusCode {
        let response: Response = response.into_response();
        response.status()
    }

    #[test]
    fn is_ready_when_all_parts_are() {
        let ops = Ops::new();
        let (database, kafka) = (ops.part("database"), ops.part("kafka"));
        assert_eq!(status(ops.ready(false)), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(ops.startup()), StatusCode::SERVICE_UNAVAILABLE);
        database.ok();
        kafka.ok();
        assert_eq!(status(ops.ready(false)), StatusCode::OK);
        kafka.failing("no broker answers");
        assert_eq!(status(ops.ready(false)), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(ops.startup()), StatusCode::OK, "it has started once");
    }

    #[test]
    fn an_ending_service_is_not_ready_but_alive() {
        let ops = Ops::new();
        assert_eq!(status(ops.ready(true)), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(ops.live()), StatusCode::OK);
    }

    #[test]
    fn a_silent_heartbeat_is_death() {
        let ops = Ops::new();
        ops.heartbeat("poll thread", || Err("silent for 30 s".to_owned()));
        assert_eq!(status(ops.live()), StatusCode::SERVICE_UNAVAILABLE);
    }
}
