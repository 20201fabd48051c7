//! evaluation: takes jobs, has them judged by runners and reviewed, and says what happens as events.

mod reviewer;
mod store;
mod texts;

pub use store::MIGRATOR;
