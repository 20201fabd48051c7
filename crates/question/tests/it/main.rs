//! The service as others see it: a real socket, a real Postgres, tokens signed by real keys.

mod bad_input;
mod changes;
mod judging;
mod packages;
mod permissions;
mod progress;
mod publishing;
mod questions;
mod secrecy;
mod server;
mod test_sets;
