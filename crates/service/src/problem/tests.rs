//! What clients are told, and what they are not.
