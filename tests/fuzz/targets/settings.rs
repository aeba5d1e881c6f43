//! Files of settings, TOML and INI.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| guirpc::fuzzing::settings(text));
