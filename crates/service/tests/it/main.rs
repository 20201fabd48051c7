//! The crate through its public face: real sockets, a real database.

mod client;
mod database;
mod errors;
mod limits;
mod probes;
mod shutdown;
mod signals;
mod support;
mod telemetry;
mod tokens;
mod traces;
