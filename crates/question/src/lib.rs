//! question: under construction.
pub mod blobs;
pub mod document;
pub mod rules;
pub mod statement;
pub mod test_zip;
