//! Arguments as the Python original writes them: JSON, a text, a pickle; the function in one byte, then the content.
#![no_main]

use guirpc::{Dialect, Request};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [function, content @ ..] = bytes else { return };
    for body in [content.to_vec(), base64(content)] {
        let function = functions::name(*function);
        functions::dispatch(&Request { dialect: Dialect::Python, function, body, ..Request::default() });
    }
});

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).flat_map(|group| {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or_default()));
        let bits = a << 16 | b << 8 | c;
        [18, 12, 6, 0]
            .into_iter()
            .enumerate()
            .map(move |(at, shift)| if at > group.len() { b'=' } else { DIGITS[(bits >> shift & 63) as usize] })
    });
    groups.collect()
}
