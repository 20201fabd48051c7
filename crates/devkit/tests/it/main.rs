//! The real servers, started, killed and started again.

mod kafka;
mod postgres;
mod stack;
