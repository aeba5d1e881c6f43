//! Arguments as people can read them, for any function.

use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::codec::{Codec, Format, PythonOptions, PythonSerializer, PythonTextCodec};
use crate::message::Dialect;

/// Larger bodies are not decoded: what they become takes many times their memory.
const LARGEST: usize = 1 << 20;
/// How many bytes of a value are shown.
const BYTES: usize = 1024;

/// The arguments from a body of any function.
pub(super) fn arguments(dialect: Dialect, content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    if body.len() > LARGEST {
        return Err(format!("they have {} bytes, and no more than {LARGEST} are decoded", body.len()));
    }
    let format = match dialect {
        Dialect::Native => Format::Native(native(content_type)?),
        Dialect::Python => Format::Python(python(content_type)),
    };
    if format == Format::Native(Codec::Text) {
        return match str::from_utf8(body) {
            Ok(text) => Ok(text.into()),
            Err(error) => Err(error.to_string()),
        };
    }
    format.decode::<Shown>(body).map(|shown| shown.0).map_err(|error| error.to_string())
}

fn native(content_type: Option<&str>) -> Result<Codec, String> {
    let Some(content_type) = content_type else { return Ok(Codec::default()) };
    Codec::from_content_type(content_type).ok_or_else(|| format!("the content type `{content_type}` is unknown"))
}

/// As the original writes requests: without a content type they are pickles, of which nothing is run.
fn python(content_type: Option<&str>) -> PythonOptions {
    let response = match content_type.and_then(Codec::from_content_type) {
        Some(Codec::Text) => PythonSerializer::Text,
        Some(_) => PythonSerializer::Json,
        None if content_type.is_some() => PythonSerializer::Json,
        None => PythonSerializer::Binary,
    };
    PythonOptions { response, response_codec: PythonTextCodec::Utf8, ..PythonOptions::new() }
}

/// Bytes as a text: `0x`, and two digits for each.
fn hex(bytes: &[u8]) -> String {
    let mut text = "0x".to_owned();
    for byte in &bytes[..bytes.len().min(BYTES)] {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > BYTES {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

/// Any value, with what JSON does not have as a text.
struct Shown(Value);

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShownVisitor)
    }
}

struct ShownVisitor;

impl<'de> Visitor<'de> for ShownVisitor {
    type Value = Shown;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shown, E> {
        Ok(Shown(value.into()))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Shown, E> {
        Ok(Shown(integer.into()))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Shown, E> {
        Ok(Shown(integer.into()))
    }

    fn visit_i128<E>(self, integer: i128) -> Result<Shown, E> {
        Ok(Shown(integer.to_string().into()))
    }

    fn visit_u128<E>(self, integer: u128) -> Result<Shown, E> {
        Ok(Shown(integer.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Shown, E> {
        Ok(Shown(Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Shown, E> {
        Ok(Shown(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Shown, E> {
        Ok(Shown(text.into()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Shown, E> {
        Ok(Shown(hex(bytes).into()))
    }

    fn visit_unit<E>(self) -> Result<Shown, E> {
        Ok(Shown(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Shown, E> {
        Ok(Shown(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shown, D::Error> {
        Shown::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shown, D::Error> {
        Shown::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shown, A::Error> {
        let mut list = Vec::new();
        while let Some(Shown(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(Shown(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shown, A::Error> {
        let mut map = Map::new();
        while let Some((Shown(key), Shown(value))) = entries.next_entry()? {
            let key = match key {
                Value::String(text) => text,
                other => other.to_string(),
            };
            map.insert(key, value);
        }
        Ok(Shown(Value::Object(map)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(content_type: Option<&str>, body: &[u8], expected: &Value) {
        assert_eq!(arguments(Dialect::Native, content_type, body).as_ref(), Ok(expected));
    }

    #[track_caller]
    fn check_python(content_type: Option<&str>, body: &[u8], expected: &Value) {
        assert_eq!(arguments(Dialect::Python, content_type, body).as_ref(), Ok(expected));
    }

    #[test]
    fn every_content_type_is_shown_as_what_it_says() {
        check(None, b"\x82\xa1a\x01\xa1b\xc4\x02\x00\xff", &json!({ "a": 1, "b": [0, 255] }));
        check(Some("application/msgpack"), b"\x93\xc0\xc3\xcb\x7f\xf8\0\0\0\0\0\0", &json!([null, true, "NaN"]));
        check(Some("application/json"), br#"{"a": [1.5, "x"]}"#, &json!({ "a": [1.5, "x"] }));
        check(Some("text/plain; charset=utf-8"), "tea ü".as_bytes(), &json!("tea ü"));
        check(Some("application/octet-stream"), b"\x01\x02", &json!("0x0102"));
    }

    #[test]
    fn what_only_messagepack_has_is_shown_as_a_text() {
        check(None, b"\x81\x05\x06", &json!({ "5": 6 }));
    }

    #[test]
    fn pythons_requests_are_shown() {
        check_python(Some("application/json"), b"eyJhIjogMX0=", &json!({ "a": 1 }));
        check_python(Some("text/plain"), b"dGVh", &json!("tea"));
        // pickle.dumps([1, b"\x00"])
        check_python(None, b"gASVDAAAAAAAAABdlChLAUMBAJRlLg==", &json!([1, "0x00"]));
    }

    #[test]
    fn what_cannot_be_decoded_says_why() {
        let error = |content_type, body: &[u8]| arguments(Dialect::Native, content_type, body).unwrap_err();
        assert_eq!(error(None, b"\xc1"), "found a byte that MessagePack does not use");
        assert_eq!(error(None, b"\xd4\x07\x08"), "found an extension type, which JSON has not either");
        assert_eq!(error(Some("image/png"), b""), "the content type `image/png` is unknown");
        assert!(error(Some("text/plain"), b"\xff").contains("utf-8"));
        assert!(error(None, &vec![0x90; LARGEST + 1]).contains("no more than"));
        assert!(error(None, &[0x91; 1000]).contains("levels deep"));
        assert!(arguments(Dialect::Python, None, b"garbage").is_err());
    }

    #[test]
    fn long_bytes_are_cut() {
        assert_eq!(hex(b"\x00\xff"), "0x00ff");
        assert!(hex(&[1; BYTES + 1]).ends_with("01… (1025 bytes)"));
    }
}
