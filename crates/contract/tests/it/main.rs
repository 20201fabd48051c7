//! Tests of the contract: its golden files and its fold.

mod fold;
mod golden;
mod schema;
