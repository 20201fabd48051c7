//! Execute: takes submissions and runs, keeps them and their event logs, and sees to it that each one ends.
//!
//! ```text
//!  POST ─► intake ─► accept ─► one statement ─► outbox ─► codementor.submissions.v1 ─► (evaluation)
//!                                                                                          │
//!  GET, streams ◄─ log ◄─ chronicle: the one fold ◄─ log writer ◄─ codementor.events.v1 ◄──┤
//!                                                                      ▲                   │
//!               watch: deadlines, lost jobs ─► ending ─► outbox ───────┘      dead letters ┘
//! ```
//! What is answered with 202 is stored and will end in exactly one terminal event. Never runs code, never calls a language
//! model, never touches another service's tables.
//!
//! In reading order: [`config`]; `intake`, `job`, `accept` and `outbox` on the way in; `standing`, `chronicle` and `log_writer`
//! on the way back; `ending`, `endings`, `lost` and `watch` for what no worker ends; `picture` for what people look at;
//! `routes`; `store` for all SQL.

pub mod audit;
pub mod config;

mod accept;
mod batch_stream;
mod batches;
mod chronicle;
mod dead_letters;
mod ending;
mod endings;
mod error;
mod intake;
mod job;
mod languages;
mod log_writer;
mod lost;
mod muted;
mod outbox;
mod picture;
mod questions;
mod routes;
mod run;
mod standing;
mod state;
mod store;
mod watch;

pub use config::Config;
pub use error::Error;
pub use routes::{openapi, router};
pub use run::run;
pub use state::State;
pub use store::MIGRATOR;
