//! A private Postgres and the real Apache Kafka on this machine, for `codementor up` and for tests.
//!
//! The installed servers are started as they are, each in its own folder and on its own port, and are ended again: nothing
//! outlives its owner, and what an earlier owner could not end (because it was killed) is ended before the next start.
//!
//! Never touches a server it did not start, never weakens durability (`fsync` stays on), never opens a port to other machines.

pub mod config;

mod cable;
mod companion;
mod error;
mod folder;
mod kafka;
mod port;
mod postgres;
mod process;
mod ready;
mod stack;

pub use cable::Cable;
pub use companion::{Companion, Program};
pub use error::DevkitError;
pub use kafka::{Kafka, resolve_jars};
pub use port::{KeptPort, any as free_port};
pub use postgres::Postgres;
pub use stack::Stack;
