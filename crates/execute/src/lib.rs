//! execute: to be written.
