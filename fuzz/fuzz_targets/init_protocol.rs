//! Anything at all on the socket between the sandbox and a slot's init.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sandbox::fuzzing::protocol(data));
