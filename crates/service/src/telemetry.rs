//! Logs and metrics of a process: set up once, whichever services run in it.
//!
//! Logs are JSON lines, or readable ones on a terminal. They never carry code, tokens or addresses of people.

use std::{io::IsTerminal, sync::OnceLock};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged where `CODEMENTOR_LOG` does not say.
const DEFAULT_FILTER: &str = "info,rdkafka=warn,sqlx=warn,hyper=warn";

/// Bounds of histograms, in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Starts logging, to standard error. A second call changes nothing.
pub fn init() {
    let filter = EnvFilter::builder()
        .with_env_var("CODEMENTOR_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    // Already set: another service of this process was first.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}

/// The process's metrics; installed by the first that asks.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; ours stays empty");
        }
        handle
    })
}
