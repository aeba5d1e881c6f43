//! Arguments in each of guirpc's own content types: which of them and the function in two bytes, then the body.
#![no_main]

use guirpc::{Codec, Request};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [codec, function, body @ ..] = bytes else { return };
    let codecs = [Codec::MessagePack, Codec::Json, Codec::Text, Codec::OctetStream];
    functions::dispatch(&Request {
        function: functions::name(*function),
        content_type: Some(codecs[usize::from(*codec) % codecs.len()].content_type().to_owned()),
        body: body.to_vec(),
        ..Request::default()
    });
});
