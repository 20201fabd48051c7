//! The sandbox through its public door: every limit, every attack, and nothing left afterwards.
#![cfg(test)]

mod basics;
mod support;
