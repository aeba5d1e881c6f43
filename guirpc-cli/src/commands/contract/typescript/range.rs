//! The range of an integer, from its format and its bounds.

use serde_json::Value;

/// Up to here a number of JavaScript is exact.
const SAFE: i128 = (1 << 53) - 1;

/// What an integer may be; without a greatest one it is that of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: i128,
    pub(super) most: Option<i128>,
}

impl Range {
    /// A format that is unknown, or none, is that of 64 bits, signed or not.
    pub(super) fn of(schema: &Value) -> Self {
        let bound = |name: &str| schema.get(name).and_then(integer);
        let of = |least: i128, most: i128| Range { least, most: Some(most) };
        let range = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
            "int8" => of(i8::MIN.into(), i8::MAX.into()),
            "int16" => of(i16::MIN.into(), i16::MAX.into()),
            "int32" => of(i32::MIN.into(), i32::MAX.into()),
            "int64" | "int" => of(i64::MIN.into(), i64::MAX.into()),
            "int128" => of(i128::MIN, i128::MAX),
            "uint8" => of(0, u8::MAX.into()),
            "uint16" => of(0, u16::MAX.into()),
            "uint32" => of(0, u32::MAX.into()),
            "uint64" | "uint" => of(0, u64::MAX.into()),
            "uint128" => Range { least: 0, most: None },
            _ => of(i64::MIN.into(), u64::MAX.into()),
        };
        let least = bound("minimum").map_or(range.least, |least| range.least.max(least));
        let most = match (bound("maximum"), range.most) {
            (Some(bound), Some(most)) => Some(most.min(bound)),
            (bound, most) => bound.or(most),
        };
        Range { least, most }
    }

    /// Whether some of it is beyond what a number holds exactly.
    pub(super) fn is_big(self) -> bool {
        self.least < -SAFE || self.most.is_none_or(|most| most > SAFE)
    }

    pub(super) fn bounds(self) -> (String, String) {
        (self.least.to_string(), self.most.map_or_else(|| u128::MAX.to_string(), |most| most.to_string()))
    }
}

/// schemars may write a bound as a float.
fn integer(bound: &Value) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation, reason = "a bound is a whole number, and a cast saturates")]
    let float = || bound.as_f64().map(|bound| bound as i128);
    bound.as_i64().map(i128::from).or_else(|| bound.as_u64().map(i128::from)).or_else(float)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, least: &str, most: &str, is_big: bool) {
        let range = Range::of(schema);
        assert_eq!((range.bounds(), range.is_big()), ((least.to_owned(), most.to_owned()), is_big));
    }

    #[test]
    fn a_range_is_that_of_the_format_within_the_bounds() {
        check(&json!({ "format": "uint32", "minimum": 0 }), "0", "4294967295", false);
        check(&json!({ "format": "int8", "minimum": -1000, "maximum": 5 }), "-128", "5", false);
        check(&json!({ "format": "uint64", "minimum": 1.0 }), "1", "18446744073709551615", true);
        check(&json!({ "format": "uint128" }), "0", "340282366920938463463374607431768211455", true);
        check(&json!({ "minimum": 0, "maximum": 9 }), "0", "9", false);
        check(&json!({}), "-9223372036854775808", "18446744073709551615", true);
    }
}
