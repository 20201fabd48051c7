//! The gateway as its clients meet it: over real sockets, with a real Postgres and a real Kafka, and stand-ins for the services
//! behind it.

mod accounts;
mod attaching;
mod credentials;
mod limits;
mod openapi;
mod outages;
mod passing_on;
mod sessions;
mod shutdown;
mod sign_in;
mod streams;
mod support;
mod tokens;
