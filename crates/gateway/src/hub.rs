//! Hub.
mod follower;
mod frame;
mod holds;
