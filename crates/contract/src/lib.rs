//! What the services say to each other: ids, languages, manifests, jobs, verdicts, stream events and their one fold, topics.
//!
//! Types and pure rules only: serde, no input or output, no clock. Fields are only ever added; unknown ones are ignored.
//! Golden files of every message lie in `golden/`, read by the Rust and the TypeScript tests alike.
//!
//! In reading order: [`id`], [`account`], [`language`], [`verdict`]; then [`manifest`] and [`job`] on the way in,
//! [`signature`] for functions, [`event`] and [`fold`] on the way back; [`topic`], [`runner_api`], [`internal`] and [`batch`] for how they travel, [`record`] for what others keep of them.

pub mod account;
pub mod batch;
pub mod event;
pub mod fold;
pub mod id;
pub mod internal;
pub mod job;
pub mod language;
pub mod manifest;
pub mod record;
pub mod runner_api;
pub mod signature;
pub mod topic;
pub mod verdict;

pub use account::{Account, Locale, Role};
pub use event::{EventBody, EventKey, LAST_ATTEMPT, StreamEvent};
pub use fold::{Shown, Step};
pub use id::{AccountId, BatchId, QuestionId, SubmissionId};
pub use language::Language;
pub use topic::{Headers, Topic};
pub use verdict::Verdict;
