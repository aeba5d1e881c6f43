//! What is read, and what is refused; the limits are those of JSON.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value as Json;

use super::Reader;
use crate::codec::MAX_DEPTH;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut reader = Reader::new(body);
    let value = T::deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// So many arrays of one element, each in another.
fn nested(levels: usize) -> Vec<u8> {
    let mut body = vec![0x91; levels - 1];
    body.push(0x90);
    body
}

#[test]
fn the_limit_of_depth_is_that_of_json() {
    let in_json = |levels| serde_json::from_str::<Json>(&("[".repeat(levels) + &"]".repeat(levels))).is_ok();
    for levels in [1, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
        assert_eq!(read::<IgnoredAny>(&nested(levels)).is_ok(), in_json(levels), "{levels} levels");
        assert_eq!(read::<Json>(&nested(levels)).is_ok(), in_json(levels), "{levels} levels");
    }
}

#[test]
fn maps_their_keys_and_variants_are_levels_too() {
    #[derive(serde::Deserialize)]
    enum Term {
        Zero,
        Not(Box<Term>),
    }

    let value = |levels: usize| [[0x81, 0xa1, b'a'].repeat(levels), vec![0xc0]].concat();
    let key = |levels: usize| [[0xdf, 0, 0, 0, 1].repeat(levels), vec![0xc0; levels + 1]].concat();
    let variant = |levels: usize| [[b"\x81\xa3Not".as_slice()].concat().repeat(levels), b"\xa4Zero".to_vec()].concat();
    assert!(read::<IgnoredAny>(&value(MAX_DEPTH - 1)).is_ok() && read::<IgnoredAny>(&value(MAX_DEPTH)).is_err());
    assert!(read::<IgnoredAny>(&key(MAX_DEPTH - 1)).is_ok() && read::<IgnoredAny>(&key(MAX_DEPTH)).is_err());
    let depth = |mut term: Term| {
        let mut depth = 0;
        while let Term::Not(inner) = term {
            (term, depth) = (*inner, depth + 1);
        }
        assert!(matches!(term, Term::Zero));
        depth
    };
    assert_eq!(read::<Term>(&variant(MAX_DEPTH - 1)).map(depth), Ok(MAX_DEPTH - 1));
    assert!(read::<Term>(&variant(MAX_DEPTH)).is_err());
}

#[test]
fn width_is_not_depth() {
    let mut wide = vec![0xdc, 0x10, 0x00];
    wide.extend([0x91, 0x90].repeat(0x1000));
    assert!(read::<IgnoredAny>(&wide).is_ok());
}

#[test]
fn nothing_becomes_another_type() {
    use serde_bytes::ByteBuf;

    assert!(read::<String>(b"\xc4\x02hi").is_err(), "bytes are no text");
    assert!(read::<ByteBuf>(b"\xa2hi").is_err(), "a text is no bytes");
    assert!(read::<String>(b"\xa2\xc3\x28").is_err(), "a text is UTF-8");
    assert!(read::<Vec<u8>>(b"\xa2\xc3\x28").is_err(), "a text that is no UTF-8 is no bytes");
    assert!(read::<u128>(&[vec![0xc4, 16], vec![1; 16]].concat()).is_err(), "bytes are no integer");
    assert!(read::<i128>(&[vec![0xdc, 0, 16], vec![1; 16]].concat()).is_err(), "a list is no integer");
    assert!(read::<std::sync::atomic::AtomicBool>(&[1]).is_err(), "a number is no truth value");
    assert!(read::<Result<u8, u8>>(&[0x81, 0, 1]).is_err(), "a number is no variant");
    assert!(read::<Json>(&[0xd4, 5, 0]).is_err(), "JSON has no extensions");
    assert_eq!(read::<Json>(b"\xc4\x02hi"), Ok(serde_json::json!([104, 105])), "bytes are a list of them");
    assert_eq!(read::<Vec<u8>>(b"\xc4\x02hi"), Ok(b"hi".to_vec()));
    assert_eq!(read::<ByteBuf>(&[0x92, 104, 0xcc, 200]), Ok(ByteBuf::from([104, 200])));
}
