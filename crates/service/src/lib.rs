//! What every service is: configuration, telemetry, metrics, probes, shutdown, problem+json, tokens, database pool.
//!
//! A service brings its routes and rules; everything that must be the same in all of them is here. Nothing here knows what
//! any of them is for.
//!
//! In reading order: [`config`] and [`Listeners`]; [`serve`] with the layers around every route; [`Problem`] and [`extract`]
//! for what comes in and goes out; [`token`] and [`Client`] for how services speak to each other; [`database`], [`Ops`],
//! [`telemetry`], [`trace`], [`Shutdown`].

pub mod config;
pub mod database;
pub mod extract;
pub mod telemetry;
pub mod token;
pub mod trace;

mod client;
mod layers;
mod listeners;
mod ops;
mod problem;
mod server;
mod shutdown;

pub use client::{Client, ClientError, Request};
pub use listeners::{ListenError, Listeners};
pub use ops::{Ops, Part};
pub use problem::{Kind, Problem, Violation};
pub use server::serve;
pub use shutdown::Shutdown;
