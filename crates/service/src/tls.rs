//! The one implementation of cryptography for TLS: rustls with ring.
//!
//! rustls wants it named once a process, before the first client is made.

/// Names it; any number of times.
pub fn install_once() {
    // An error says that one is installed already, by us or by a test: both are fine.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
}
