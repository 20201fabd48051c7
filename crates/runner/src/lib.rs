//! runner: to be written.
mod blobs;
mod checker;
mod compile;
mod judge;
mod language;
mod lines;
mod lru;
mod report;
mod score;
mod signal;
mod text;
mod toolchain;
mod verdict;
