//! Probes and metrics, on a listener of their own that only the operator reaches.
//!
//! | path | 200 when |
//! |---|---|
//! | `/livez` | every task that must turn has turned lately; a restart would help if not |
//! | `/readyz` | every part that requests need is well, and the service is not ending |
//! | `/startupz` | every such part has been well once |
//! | `/metrics` | always: the registry of this process |
//!
//! A body names each part and why it is not well. Never asks anything itself: parts are told by whoever uses them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::metrics;

const LIVEZ: &str = "/livez";
const READYZ: &str = "/readyz";
const STARTUPZ: &str = "/startupz";
const METRICS: &str = "/metrics";

/// What the probes of one service say. Clones are the same.
#[derive(Clone)]
pub struct Ops {
    inner: Arc<Inner>,
}

struct Inner {
    service: String,
    parts: Mutex<Vec<Part>>,
    turning: Mutex<Vec<Turning>>,
}

/// Something that must turn, or the process is stuck.
struct Turning {
    name: String,
    turns: Box<dyn Fn() -> bool + Send + Sync>,
}

/// One thing that a service needs, and how it is. Clones are the same.
#[derive(Debug, Clone)]
pub struct Part {
    inner: Arc<PartInner>,
}

#[derive(Debug)]
struct PartInner {
    service: String,
    name: String,
    required: bool,
    health: Mutex<Health>,
    was_ok: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Health {
    Starting,
    Ok,
    Failing(String),
}

/// The body of a probe.
#[derive(Debug, Serialize)]
struct Report {
    service: String,
    ok: bool,
    parts: BTreeMap<String, PartReport>,
}

#[derive(Debug, Serialize)]
struct PartReport {
    ok: bool,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Ops {
    /// What the operator's listener serves, and no other one.
    pub const PATHS: [&str; 4] = [LIVEZ, READYZ, STARTUPZ, METRICS];

    /// For the service of that name.
    pub fn new(service: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                service: service.to_owned(),
                parts: Mutex::default(),
                turning: Mutex::default(),
            }),
        }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.inner.service
    }

    /// A part without which the service cannot answer requests: not ready until it is [`ok`](Part::ok).
    pub fn part(&self, name: &str) -> Part {
        self.add(name, true)
    }

    /// A part that is shown, but without which requests are still answered.
    pub fn optional_part(&self, name: &str) -> Part {
        self.add(name, false)
    }

    /// Something that must turn; `turns` says whether it has lately. False for it means that a restart would help.
    pub fn alive(&self, name: &str, turns: impl Fn() -> bool + Send + Sync + 'static) {
        let turning = Turning {
            name: name.to_owned(),
            turns: Box::new(turns),
        };
        lock(&self.inner.turning).push(turning);
    }

    /// Whether every part that requests need is well.
    pub fn is_ready(&self) -> bool {
        lock(&self.inner.parts)
            .iter()
            .all(|part| !part.inner.required || part.is_ok())
    }

    fn add(&self, name: &str, required: bool) -> Part {
        let part = Part {
            inner: Arc::new(PartInner {
                service: self.inner.service.clone(),
                name: name.to_owned(),
                required,
                health: Mutex::new(Health::Starting),
                was_ok: AtomicBool::new(false),
            }),
        };
        part.show();
        lock(&self.inner.parts).push(part.clone());
        part
    }

    fn readiness(&self, ending: bool) -> Report {
        let mut report = self.report(|part| PartReport {
            ok: part.is_ok(),
            required: part.inner.required,
            why: match &*lock(&part.inner.health) {
                Health::Starting => Some("starting".to_owned()),
                Health::Ok => None,
                Health::Failing(why) => Some(why.clone()),
            },
        });
        if ending {
            let why = Some("ending".to_owned());
            let part = PartReport {
                ok: false,
                required: true,
                why,
            };
            report.parts.insert("service".to_owned(), part);
            report.ok = false;
        }
        report
    }

    fn startup(&self) -> Report {
        self.report(|part| {
            let ok = part.inner.was_ok.load(Ordering::Relaxed);
            PartReport {
                ok,
                required: part.inner.required,
                why: (!ok).then(|| "starting".to_owned()),
            }
        })
    }

    fn liveness(&self) -> Report {
        let parts: BTreeMap<_, _> = lock(&self.inner.turning)
            .iter()
            .map(|turning| {
                let ok = (turning.turns)();
                let part = PartReport {
                    ok,
                    required: true,
                    why: (!ok).then(|| "stuck".to_owned()),
                };
                (turning.name.clone(), part)
            })
            .collect();
        self.summed(parts)
    }

    fn report(&self, one: impl Fn(&Part) -> PartReport) -> Report {
        let parts = lock(&self.inner.parts)
            .iter()
            .map(|part| (part.inner.name.clone(), one(part)))
            .collect();
        self.summed(parts)
    }

    fn summed(&self, parts: BTreeMap<String, PartReport>) -> Report {
        Report {
            service: self.inner.service.clone(),
            ok: parts.values().all(|part| part.ok || !part.required),
            parts,
        }
    }
}

impl fmt::Debug for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ops")
            .field("service", &self.inner.service)
            .field("parts", &lock(&self.inner.parts))
            .finish_non_exhaustive()
    }
}

impl Part {
    /// It is well.
    pub fn ok(&self) {
        self.inner.was_ok.store(true, Ordering::Relaxed);
        self.turn(Health::Ok);
    }

    /// It is not, and why, for the operator.
    pub fn failing(&self, why: impl Into<String>) {
        self.turn(Health::Failing(why.into()));
    }

    /// It is well, or not and why.
    pub fn tell<E: fmt::Display>(&self, found: Result<(), E>) {
        match found {
            Ok(()) => self.ok(),
            Err(why) => self.failing(why.to_string()),
        }
    }

    /// It is not there yet, and why; whoever waits says so in the log.
    pub(crate) fn waiting(&self, why: &str) {
        *lock(&self.inner.health) = Health::Failing(why.to_owned());
        self.show();
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    /// Whether it is well.
    pub fn is_ok(&self) -> bool {
        *lock(&self.inner.health) == Health::Ok
    }

    fn turn(&self, now: Health) {
        let (service, part) = (&self.inner.service, &self.inner.name);
        let before = std::mem::replace(&mut *lock(&self.inner.health), now.clone());
        if before == now {
            return;
        }
        self.show();
        match now {
            Health::Failing(why) if !matches!(before, Health::Failing(_)) => {
                tracing::warn!(service, part, why, "{part} is failing: {why}");
            }
            Health::Ok if before != Health::Starting => {
                tracing::info!(service, part, "{part} is well again");
            }
            _ => {}
        }
    }

    fn show(&self) {
        let labels = [
            ("service", self.inner.service.clone()),
            ("part", self.inner.name.clone()),
        ];
        ::metrics::gauge!("codementor_part_up", &labels).set(if self.is_ok() { 1.0 } else { 0.0 });
    }
}

/// What the operator's listener serves; not ready from when `ending` is cancelled.
pub(crate) fn router(ops: Ops, ending: CancellationToken) -> Router {
    Router::new()
        .route(
            LIVEZ,
            get(async |State((ops, _)): State<(Ops, CancellationToken)>| answer(ops.liveness())),
        )
        .route(
            READYZ,
            get(
                async |State((ops, ending)): State<(Ops, CancellationToken)>| {
                    answer(ops.readiness(ending.is_cancelled()))
                },
            ),
        )
        .route(
            STARTUPZ,
            get(async |State((ops, _)): State<(Ops, CancellationToken)>| answer(ops.startup())),
        )
        .route(METRICS, get(show_metrics))
        .with_state((ops, ending))
}

fn answer(report: Report) -> Response {
    let status = if report.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(report)).into_response()
}

async fn show_metrics() -> Response {
    let registry = metrics::install_once();
    registry.run_upkeep();
    let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, registry.render()).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_when_every_required_part_is_well() {
        let ops = Ops::new("execute");
        let (database, kafka) = (ops.part("database"), ops.optional_part("kafka"));
        assert!(!ops.readiness(false).ok, "nobody has said that it is well");
        database.ok();
        assert!(ops.readiness(false).ok && ops.is_ready());
        kafka.failing("no broker answers");
        let report = ops.readiness(false);
        assert!(report.ok, "accepting goes on without it");
        assert_eq!(
            report.parts["kafka"].why.as_deref(),
            Some("no broker answers")
        );
        database.failing("connection refused");
        assert!(!ops.readiness(false).ok && !ops.is_ready());
    }

    #[test]
    fn is_not_ready_but_alive_while_it_ends() {
        let ops = Ops::new("execute");
        assert!(!ops.readiness(true).ok);
        assert!(ops.liveness().ok);
    }

    #[test]
    fn has_started_once_all_parts_were_well_whatever_came_after() {
        let ops = Ops::new("execute");
        let part = ops.part("database");
        assert!(!ops.startup().ok);
        part.ok();
        part.failing("gone");
        assert!(ops.startup().ok);
    }

    #[test]
    fn is_not_alive_when_something_does_not_turn() {
        let ops = Ops::new("execute");
        ops.alive("sweeper", || true);
        assert!(ops.liveness().ok);
        ops.alive("poll thread", || false);
        let report = ops.liveness();
        assert!(!report.ok && report.parts["sweeper"].ok && !report.parts["poll thread"].ok);
    }
}
