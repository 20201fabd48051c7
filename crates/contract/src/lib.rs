//! contract: to be written.
