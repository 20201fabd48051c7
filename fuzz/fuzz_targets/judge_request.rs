//! Anything at all as the body of a request to the runner.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| runner::fuzzing::request(data));
