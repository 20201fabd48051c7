//! The sandbox through its public door: every limit, every attack, and nothing left afterwards.
#![cfg(test)]

mod attacks;
mod basics;
mod between_runs;
mod collecting;
mod interactive;
mod limits;
mod strict;
mod support;
