//! What the operator reads: JSON lines, or lines for people on a terminal, on standard error.
//!
//! Standard output belongs to the commands that print something. Never logs tokens, passwords, e-mail addresses or code.

use std::{
    io::{IsTerminal, stderr},
    panic,
    sync::Once,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{config, metrics, tls};

/// Begins logging as `CODEMENTOR_LOG` says (default: from `info` upwards), makes panics part of the log, and installs the registry of
/// metrics and the cryptography of TLS. Any number of times a process; only the first one does something.
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
    });
}

/// `CODEMENTOR_LOG` is not understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "CODEMENTOR_LOG is not understood ({0}): it wants what is logged, for example CODEMENTOR_LOG=info,sqlx=debug"
)]
pub struct FilterError(String);

/// Whether [`init`] will understand what is to be logged. For a program's beginning, before anything is logged.
pub fn check() -> Result<(), FilterError> {
    match EnvFilter::try_new(config::log_filter()) {
        Ok(_) => Ok(()),
        Err(error) => Err(FilterError(error.to_string())),
    }
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: {message}");
}
