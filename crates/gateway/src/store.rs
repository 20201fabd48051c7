//! All SQL of the gateway, as free functions: what is not there is `Ok(None)`, what was not changed is `Ok(false)`.
//!
//! Times are Postgres' `now()`. Rules are not decided here, but what must hold between two statements is done in one.

pub(crate) mod account;
pub(crate) mod api_token;
pub(crate) mod audit;
pub(crate) mod code;
pub(crate) mod key;
pub(crate) mod session;
pub(crate) mod signed_in;

/// The gateway's tables, version by version.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/gateway");

/// The schema that they lie in.
pub const SCHEMA: &str = "gateway";
