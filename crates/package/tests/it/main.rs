//! Packages as they come: well-formed ones of each format, and hostile ones.

mod formats;
mod hostile;
mod points;
mod support;
mod writing;
