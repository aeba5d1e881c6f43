//! The URIs of brokers.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| guirpc::fuzzing::uris(text));
