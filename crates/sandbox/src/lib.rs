//! One program, run where it can harm nobody, under limits that hold, measured exactly.
//!
//! The only crate with `unsafe` and the only one that executes foreign code. It knows nothing of languages, problems or
//! verdicts: it takes a [`Program`] and gives an [`Outcome`].
//!
//! ```text
//!  service (tokio)                        slot: namespaces made once, init as pid 1
//!  ┌──────────────────────┐  SEQPACKET   ┌───────────────────────────────────────────┐
//!  │ Sandbox ─ Slot::run ─┼──────────────┤ init ── fork ─ cgroup, limits, uid,        │
//!  │   │  pipes, cpu.stat │  + fds       │   │            landlock, seccomp ─ program │
//!  │ keeper thread        │              │   └ kill the rest, collect, drop mounts    │
//!  └───┼──────────────────┘              └───────────────────────────────────────────┘
//!      └ boots and replaces inits, makes and removes cgroups
//! ```
//!
//! In reading order: [`program`](Program) and outcome; `sandbox` (start, slots), `slot` (one run, host side), `keeper`,
//! `cgroup`, `spawn`; then the other side: `init` and its parts. `wire` is what the two sides say to each other.
//!
//! What it never does: give a program a network, run it as root or as pid 1, follow a path inside a program's tree from
//! the host, reuse a tree, a cgroup or an IPC namespace for a second run, or weaken itself without being told to.

mod artefact;
mod cgroup;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod init;
mod instance;
mod keeper;
mod program;
mod race;
mod report;
mod sandbox;
mod sealed;
mod self_test;
mod slot;
mod spawn;
mod wire;

pub use artefact::Artefact;
pub use error::SandboxError;
pub use init::init_if_requested;
pub use program::{
    Collect, CollectedFile, Content, InputFile, LimitKind, Limits, Outcome, PipeEnd, Profile,
    Program, Status, Stdin, Stdout, pipe,
};
pub use race::Race;
pub use report::{Backend, Features, Privilege, Report};
pub use sandbox::{Config, Sandbox};
pub use sealed::sealed_file;
pub use slot::Slot;
