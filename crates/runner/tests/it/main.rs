//! The runner through its HTTP API: real compilers, real programs, a real sandbox, and a small blob server.
#![cfg(test)]

mod access;
mod ask;
mod blob_server;
mod caches;
mod ends;
mod functions;
mod hidden;
mod hostile;
mod juries;
mod programs;
mod streams;
mod strict;
mod support;
mod verdicts;
mod weak;
