//! The bodies of messages that hold several calls, or several replies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guirpc::fuzzing::coalesced(bytes));
