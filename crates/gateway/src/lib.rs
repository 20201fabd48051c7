//! gateway: the one door.

pub mod access_token;
pub mod email;
mod hub;
pub mod password;
pub mod scope;
pub mod secret;
pub mod session;
pub mod store;
