//! Execute as others see it: over HTTP and Kafka, with a real Postgres and a real Kafka.
//!
//! Question and runner are stand-ins on real sockets; the judge is a few events that the test sends.

mod accepting;
mod bad_input;
mod dead_letters;
mod endings;
mod log;
mod outages;
mod overload;
mod permissions;
mod results;
mod support;
mod usage;
