//! All SQL of the gateway, as free functions: what is not there is `Ok(None)`, what was not changed is `Ok(false)`.
//!
//! Times are Postgres' `now()`. Rules are not decided here, but what must hold between two statements is done in one.

pub mod account;
pub mod api_token;
pub mod audit;
pub mod code;
pub mod key;
pub mod session;

/// The gateway's tables, version by version.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/gateway");

/// The schema that they lie in.
pub const SCHEMA: &str = "gateway";
