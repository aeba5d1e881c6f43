//! Messages off the wire, to a client: the size of the properties in two bytes, the properties, the body.
#![no_main]

use guirpc::fuzzing::{outcome, reply};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(reply) = reply(bytes) {
        outcome::<functions::scalars>(&reply);
        outcome::<functions::record>(&reply);
        outcome::<functions::anything>(&reply);
        outcome::<functions::bytes>(&reply);
        outcome::<functions::python_text>(&reply);
    }
});
