//! queue: to be written.
