//! The real servers, started, killed and started again.

mod companion;
mod kafka;
mod owner;
mod postgres;
mod stack;
