//! runner: to be written.
