//! devkit: to be written.
