//! The queue's behaviour on the real Kafka.

mod admin;
mod ending;
mod group;
mod ordered;
mod outage;
mod producer;
mod reader;
mod retry;
mod windowed;
mod world;
