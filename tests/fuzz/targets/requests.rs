//! Messages off the wire, to a server: the size of the properties in two bytes, the properties, the body.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(request) = guirpc::fuzzing::request(bytes) {
        functions::dispatch(&request);
    }
});
