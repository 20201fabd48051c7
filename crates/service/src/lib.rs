//! What every service of CodeMentor is, beside its own rules: configuration, telemetry, probes, shutdown, problems, tokens, pool.
//!
//! A service hands its router and its listeners to [`serve`] and gets the rest: limits, request ids, traces, metrics, an access
//! log, and `application/problem+json` for whatever goes wrong. Knows no service by name, holds no rule of the domain, never
//! reads the environment outside [`config`], never writes a token, a password or a learner's code into a log.
//!
//! In reading order: [`config`], [`telemetry`], [`Shutdown`], [`Listeners`]; [`Start`], [`serve`] with [`Ops`]; then what handlers use:
//! [`Problem`], [`extract`], [`token`], [`trace`]; and what they call with: [`Client`], [`database`], [`ndjson`].

pub mod config;
pub mod database;
pub mod extract;
pub mod metrics;
pub mod ndjson;
pub mod problem;
pub mod telemetry;
pub mod tls;
pub mod token;
pub mod trace;

mod client;
mod layers;
mod listeners;
mod ops;
mod server;
mod shutdown;
mod socket;
mod start;

pub use client::{Client, ClientError, Request};
pub use listeners::{ListenError, Listeners, LocalAddrs};
pub use ops::{Ops, Part};
pub use problem::{Kind, Problem};
pub use server::serve;
pub use shutdown::Shutdown;
pub use start::Start;
