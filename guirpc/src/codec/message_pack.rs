//! `application/msgpack`, by rmp-serde.

use serde::de::{DeserializeSeed, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Codec, DecodeError, EncodeError, MAX_DEPTH};

mod nesting;

/// The body of a usual call fits without growing.
const USUAL_LENGTH: usize = 128;

/// Structs become maps, so that a field can be added without breaking anyone; bytes become `bin`.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut body = Vec::with_capacity(USUAL_LENGTH);
    let mut serializer = rmp_serde::Serializer::new(&mut body)
        .with_struct_map()
        .with_bytes(rmp_serde::config::BytesMode::ForceIterables);
    value.serialize(&mut serializer).map_err(|error| EncodeError::new(Codec::MessagePack, error))?;
    Ok(body)
}

pub(super) fn decode<'de, S: DeserializeSeed<'de>>(seed: S, body: &'de [u8]) -> Result<S::Value, DecodeError> {
    if nesting::is_too_deep(body) {
        return Err(DecodeError::Invalid(shown(&rmp_serde::decode::Error::DepthLimitExceeded)));
    }
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(body);
    deserializer.set_max_depth(MAX_DEPTH);
    let value = seed.deserialize(&mut deserializer).map_err(|error| DecodeError::Invalid(shown(&error)))?;
    match IgnoredAny::deserialize(&mut deserializer) {
        Err(error) if is_end(&error) => Ok(value),
        _ => Err(DecodeError::Invalid("there is more after the MessagePack value".to_owned())),
    }
}

fn is_end(error: &rmp_serde::decode::Error) -> bool {
    matches!(error, rmp_serde::decode::Error::InvalidMarkerRead(error)
        if error.kind() == std::io::ErrorKind::UnexpectedEof)
}

/// The errors of rmp-serde describe its internals; these describe the message.
fn shown(error: &rmp_serde::decode::Error) -> String {
    use rmp_serde::decode::Error;
    match error {
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => "the MessagePack value is cut short".to_owned(),
        Error::DepthLimitExceeded => format!("nested {MAX_DEPTH} levels deep or more"),
        Error::TypeMismatch(marker) => format!("found {}, expected another type", kind(marker.to_u8())),
        error => error.to_string(),
    }
}

/// The type of a value, by its first byte.
fn kind(marker: u8) -> &'static str {
    match marker {
        0x80..=0x8f | 0xde | 0xdf => "a map",
        0x90..=0x9f | 0xdc | 0xdd => "an array",
        0xa0..=0xbf | 0xd9..=0xdb => "a string",
        0xc0 => "nil",
        0xc2 | 0xc3 => "a boolean",
        0xc4..=0xc6 => "bytes",
        0xca | 0xcb => "a float",
        0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff => "an integer",
        _ => "an extension type",
    }
}
