//! What can go wrong in the sandbox itself.
//!
//! A learner's failing program is never an error here: that is an [`crate::Outcome`].

use std::io;

/// Why the sandbox could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The request is wrong; nothing was started.
    #[error("invalid request: {0}")]
    Invalid(&'static str),
    /// No usable cgroups, and running without them was not allowed.
    #[error(
        "no usable cgroups ({0}): run this as root, or in cgroups that are handed over to this user"
    )]
    NoCgroups(String),
    /// The program could not be executed: it is missing, not executable or of a foreign format.
    #[error("cannot execute the program")]
    CannotExecute(#[source] io::Error),
    /// A step of ours inside the slot failed; the slot is replaced.
    #[error("the slot failed at {step}")]
    Slot {
        /// Which step.
        step: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The slot's init ended or fell silent in the middle of a run; the slot is replaced.
    #[error("the slot was lost during the run")]
    Lost,
    /// The checks made before the first run found a hole or a limit that does not hold.
    #[error("self-test failed: {0}")]
    SelfTest(String),
    /// A system call on the host side failed.
    #[error("{step}")]
    Host {
        /// What was attempted.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The sandbox has been shut down.
    #[error("the sandbox is shut down")]
    Closed,
}

/// Names the step of a failed host call.
pub(crate) trait Step<T> {
    /// Turns any I/O-like error into [`SandboxError::Host`].
    fn step(self, step: &'static str) -> Result<T, SandboxError>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, step: &'static str) -> Result<T, SandboxError> {
        self.map_err(|source| SandboxError::Host {
            step,
            source: source.into(),
        })
    }
}
