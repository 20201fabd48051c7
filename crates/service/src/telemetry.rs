//! What the operator reads: JSON lines, or lines for people on a terminal, on standard error.
//!
//! Standard output belongs to the commands that print something. Never logs tokens, passwords, e-mail addresses or code.

use std::{
    io::{IsTerminal, stderr},
    panic,
    sync::Once,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{self, VariableError},
    metrics, tls,
    trace::spans,
};

/// Begins logging as `CODEMENTOR_LOG` says (default: from `info` upwards), makes panics part of the log, and installs the registry of
/// metrics, the cryptography of TLS and, where somebody collects spans, their way. Any number of times a process; only the first one does something.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tls::install_once();
        let wanted = config::log_filter();
        let parsed = EnvFilter::try_new(&wanted);
        let refused = parsed.as_ref().err().map(ToString::to_string);
        let filter = parsed.unwrap_or_else(|_| EnvFilter::new(config::DEFAULT_FILTER));
        let registry = tracing_subscriber::registry().with(filter);
        let installed = if stderr().is_terminal() {
            let lines = fmt::layer().with_writer(stderr).with_target(false);
            registry.with(lines).try_init()
        } else {
            let lines = fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .with_writer(stderr);
            registry.with(lines).try_init()
        };
        if installed.is_ok() {
            panic::set_hook(Box::new(log_panic));
        }
        if let Some(reason) = refused {
            tracing::warn!(
                filter = wanted,
                "CODEMENTOR_LOG is not understood ({reason}): logging as if it were not set"
            );
        }
        metrics::install_once();
        report_spans();
    });
}

/// What [`init`] will not understand.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// What is to be logged.
    #[error(
        "CODEMENTOR_LOG is not understood ({0}): it wants what is logged, for example CODEMENTOR_LOG=info,sqlx=debug"
    )]
    Filter(String),
    /// Where spans go.
    #[error(transparent)]
    Collector(#[from] VariableError),
}

/// Whether [`init`] will understand its variables. For a program's beginning, before anything is logged.
pub fn check() -> Result<(), TelemetryError> {
    EnvFilter::try_new(config::log_filter())
        .map_err(|error| TelemetryError::Filter(error.to_string()))?;
    config::collector()?;
    Ok(())
}

/// Sends the spans that are left. For a program's end, outside of the async runtime: waits for seconds where the collector does
/// not answer.
pub fn end() {
    spans::end();
}

/// A collector that cannot be used is told of, and nothing else suffers.
fn report_spans() {
    let begun = match config::collector() {
        Ok(None) => return,
        Ok(Some(collector)) => spans::begin(collector).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = begun {
        tracing::warn!("spans are not reported: {reason}");
    }
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: {message}");
}
