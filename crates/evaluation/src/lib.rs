//! evaluation: to be written.
