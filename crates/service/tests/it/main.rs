//! The crate through its public face: real sockets, a real database.
