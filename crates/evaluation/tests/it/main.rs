//! evaluation as a whole, on a real Postgres and the real Kafka, with stand-ins for runners and for a GPT vendor.

mod judging;
mod leases;
mod reviewing;
mod runner;
mod runners;
mod vendor;
mod world;
