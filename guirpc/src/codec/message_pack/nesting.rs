//! How deeply a MessagePack value is nested, found out without recursion and before it is decoded.
//!
//! rmp-serde counts the levels of arrays and maps, but not of the maps that it reads as enums:
//! an argument such as `enum Term { Not(Box<Term>), … }` would let a message exhaust the stack.

use crate::codec::MAX_DEPTH;

/// Whether the value is nested too deeply to be decoded; everything else that is wrong with it is the decoder's to report.
pub(super) fn is_too_deep(body: &[u8]) -> bool {
    // Every level takes a byte.
    if body.len() < MAX_DEPTH {
        return false;
    }
    let mut rest = body;
    // How many values are still to come on each level that is open.
    let mut left = [0_u64; MAX_DEPTH];
    let mut level = 0;
    left[level] = 1;
    loop {
        while left[level] == 0 {
            if level == 0 {
                return false;
            }
            level -= 1;
        }
        left[level] -= 1;
        match Value::first_of(&mut rest) {
            None => return false,
            Some(Value::Of(count)) => {
                level += 1;
                if level == MAX_DEPTH {
                    return true;
                }
                left[level] = count;
            }
            Some(Value::Plain(length)) => match usize::try_from(length).ok().and_then(|length| rest.get(length..)) {
                None => return false,
                Some(after) => rest = after,
            },
        }
    }
}

/// What the head of a value announces.
enum Value {
    /// So many bytes that hold no further values.
    Plain(u64),
    /// So many values: an array's elements, a map's keys and values.
    Of(u64),
}

impl Value {
    /// Reads a head, as the MessagePack specification lists them; `None` if it is cut short.
    fn first_of(rest: &mut &[u8]) -> Option<Value> {
        let (&head, after) = rest.split_first()?;
        *rest = after;
        Some(match head {
            0x80..=0x8f => Value::Of(u64::from(head & 0x0f) * 2),
            0x90..=0x9f => Value::Of(u64::from(head & 0x0f)),
            0xa0..=0xbf => Value::Plain(u64::from(head & 0x1f)),
            0xc4 | 0xd9 => Value::Plain(number::<1>(rest)?),
            0xc5 | 0xda => Value::Plain(number::<2>(rest)?),
            0xc6 | 0xdb => Value::Plain(number::<4>(rest)?),
            0xc7 => Value::Plain(number::<1>(rest)? + 1),
            0xc8 => Value::Plain(number::<2>(rest)? + 1),
            0xc9 => Value::Plain(number::<4>(rest)? + 1),
            0xcc | 0xd0 => Value::Plain(1),
            0xcd | 0xd1 | 0xd4 => Value::Plain(2),
            0xd5 => Value::Plain(3),
            0xca | 0xce | 0xd2 => Value::Plain(4),
            0xd6 => Value::Plain(5),
            0xcb | 0xcf | 0xd3 => Value::Plain(8),
            0xd7 => Value::Plain(9),
            0xd8 => Value::Plain(17),
            0xdc => Value::Of(number::<2>(rest)?),
            0xdd => Value::Of(number::<4>(rest)?),
            0xde => Value::Of(number::<2>(rest)? * 2),
            0xdf => Value::Of(number::<4>(rest)? * 2),
            // The one that the specification never uses.
            0xc1 => return None,
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Value::Plain(0),
        })
    }
}

/// A length of so many bytes.
fn number<const BYTES: usize>(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, after) = rest.split_first_chunk::<BYTES>()?;
    *rest = after;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::{MAX_DEPTH, is_too_deep};

    /// So many arrays of one element, each in another, behind a text that makes the body long.
    fn nested(levels: usize) -> Vec<u8> {
        let mut body = vec![0x92, 0xd9, 200];
        body.extend([b'x'; 200]);
        body.extend(vec![0x91; levels - 1]);
        body.push(0xc0);
        body
    }

    #[test]
    fn the_limit_is_that_of_json() {
        let in_json = |levels| serde_json::from_str::<Json>(&("[".repeat(levels) + &"]".repeat(levels))).is_ok();
        for levels in [1, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
            assert_eq!(is_too_deep(&nested(levels)), !in_json(levels), "{levels} levels");
        }
    }

    #[test]
    fn maps_and_their_keys_are_levels_too() {
        let as_value = [0x81, 0xa1, b'a'].repeat(MAX_DEPTH);
        let as_key = [0xdf, 0, 0, 0, 1].repeat(MAX_DEPTH);
        assert!(is_too_deep(&as_value) && is_too_deep(&as_key));
    }

    #[test]
    fn width_is_not_depth() {
        let mut wide = vec![0xdc, 0x10, 0x00];
        wide.extend([0x91, 0x90].repeat(0x1000));
        assert!(!is_too_deep(&wide));
    }

    /// Any byte but the heads of extensions, each of which rmp-serde takes for a level.
    fn plain_head() -> impl Strategy<Value = u8> {
        any::<u8>().prop_filter("an extension", |byte| !matches!(byte, 0xc7..=0xc9 | 0xd4..=0xd8))
    }

    proptest! {
        /// rmp-serde counts the levels of arrays and maps itself: both must agree on them.
        #[test]
        fn the_decoder_agrees(mut body in proptest::collection::vec(plain_head(), 0..400), levels in 0..300_usize) {
            body.splice(0..0, vec![0x91; levels]);
            let mut decoder = rmp_serde::Deserializer::from_read_ref(&body);
            decoder.set_max_depth(MAX_DEPTH);
            let decoded = <serde::de::IgnoredAny as serde::Deserialize>::deserialize(&mut decoder);
            let too_deep = matches!(decoded, Err(rmp_serde::decode::Error::DepthLimitExceeded));
            prop_assert_eq!(is_too_deep(&body), too_deep, "{:?}", decoded);
        }
    }
}
