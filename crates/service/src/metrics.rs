//! The one registry of a process for Prometheus; services that share a process share it.
//!
//! Metrics are recorded through the `metrics` crate from anywhere; [`Ops`](crate::Ops) shows them. Names begin with
//! `codementor_`, labels never hold ids.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds in seconds: fine where a request should be, coarse up to the longest judging.
const SECONDS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// The registry, made and installed at the first call.
pub fn install_once() -> &'static PrometheusHandle {
    static REGISTRY: OnceLock<PrometheusHandle> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!(
                "another recorder takes the metrics of this process: /metrics stays empty"
            );
        }
        handle
    })
}

fn builder() -> PrometheusBuilder {
    let builder = PrometheusBuilder::new();
    // Fails for an empty list only.
    builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .unwrap_or_else(|_| PrometheusBuilder::new())
}
