//! Errors: what ends the service, and how refusals become problems.

use std::io;

use queue::QueueError;
use service::{ClientError, Problem, database::DatabaseError, token::KeyError};

use crate::intake::{Fault, Refusal};

/// Why execute could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Kafka cannot be used.
    #[error(transparent)]
    Kafka(#[from] QueueError),
    /// The address of another service cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The sockets cannot be used.
    #[error("cannot serve")]
    Serve(#[from] io::Error),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooLarge { what, limit, fault } => {
                let detail = format!("{what} is too long: at most {limit} bytes are taken");
                violation(Self::payload_too_large(detail), fault)
            }
            Refusal::Invalid(fault) => {
                let detail = "it can be read, but not be done as it is: `errors` says why";
                violation(Self::invalid(detail), fault)
            }
            Refusal::NoSuchQuestion => Self::not_found("question"),
        }
    }
}

fn violation(problem: Problem, fault: Fault) -> Problem {
    problem.with_error(fault.pointer, fault.code, fault.message)
}
