//! What a client sends to the embedded broker.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guirpc::fuzzing::embedded_frames(bytes));
