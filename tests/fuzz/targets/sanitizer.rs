//! What a broker sends: nothing reaches amiquip's parser that it would not take.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guirpc::fuzzing::frames(bytes));
