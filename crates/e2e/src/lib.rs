//! What the end-to-end tests share: the product as a process, and people who use it over its public API.
//!
//! Written apart from the product's own client: it believes nothing that it did not see itself. Nothing here is shipped.

#![expect(
    clippy::missing_panics_doc,
    reason = "a test that is disappointed panics; that is its answer"
)]

pub mod person;
pub mod product;
pub mod samples;
pub mod stream;

pub use person::Person;
pub use product::{Product, Start};
pub use stream::{Frame, Transcript};
