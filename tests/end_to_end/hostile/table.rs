//! The fields of headers, in the bytes that travel.

use crate::raw::{long, short};

pub(super) fn text(text: &[u8]) -> Vec<u8> {
    [b"S", &long(text)[..]].concat()
}

pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [b"x", &long(bytes)[..]].concat()
}

pub(super) fn integer(integer: i64) -> Vec<u8> {
    [b"l", &integer.to_be_bytes()[..]].concat()
}

pub(super) fn array(fields: &[u8]) -> Vec<u8> {
    [b"A", &long(fields)[..]].concat()
}

pub(super) fn table(name: &[u8], field: &[u8]) -> Vec<u8> {
    [b"F", &long(&[&short(name), field].concat())[..]].concat()
}

pub(super) fn void() -> Vec<u8> {
    vec![b'V']
}

/// A field of every kind, some with values at their limits; each with the name of the kind.
pub(super) fn odd() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("the smallest integer", integer(i64::MIN)),
        ("the largest integer", integer(i64::MAX)),
        ("minus one", integer(-1)),
        ("nothing", void()),
        ("true", vec![b't', 1]),
        ("a byte", vec![b'b', 0x80]),
        ("an unsigned byte", vec![b'B', 0xff]),
        ("a short integer", vec![b's', 0x80, 0]),
        ("an unsigned short integer", vec![b'u', 0xff, 0xff]),
        ("an integer", vec![b'I', 0x80, 0, 0, 0]),
        ("an unsigned integer", vec![b'i', 0xff, 0xff, 0xff, 0xff]),
        ("a float", [b"f", &f32::MIN.to_be_bytes()[..]].concat()),
        ("a double", [b"d", &f64::MAX.to_be_bytes()[..]].concat()),
        ("a decimal", vec![b'D', 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("a moment", [b"T", &[0xff; 8][..]].concat()),
        ("no text", text(b"")),
        ("a text", text(b"soon")),
        ("digits", text(b"99999999999999999999999999")),
        ("a long text", text(&vec![b'x'; 40_000])),
        ("a text that is not UTF-8", text(&[0xff; 300])),
        ("a text with zeros", text(&[0; 300])),
        ("bytes", bytes(&[0xff; 300])),
        ("an empty array", array(b"")),
        ("an array", array(&[void(), text(b"a"), integer(1)].concat())),
        ("a table", table(b"a", &table(b"b", &text(b"c")))),
        ("an empty table", [b"F", &long(b"")[..]].concat()),
    ]
}
