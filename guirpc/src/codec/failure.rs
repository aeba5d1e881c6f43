//! Why a value cannot be encoded, or bytes cannot be decoded.

use std::fmt;

use super::{Codec, PythonSerializer};
use crate::arguments::UnknownNames;

/// Why a value cannot be encoded.
#[derive(Debug)]
pub struct EncodeError(String);

impl EncodeError {
    pub(super) fn no_json(error: &dyn fmt::Display) -> Self {
        EncodeError(format!("are not JSON: {error}"))
    }

    pub(super) fn new(codec: Codec, error: impl fmt::Display) -> Self {
        EncodeError(format!("cannot be sent as {}: {error}", codec.content_type()))
    }

    pub(super) fn python(serializer: PythonSerializer, error: impl fmt::Display) -> Self {
        EncodeError(format!("cannot be sent by Python's {}: {error}", serializer.class()))
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why bytes cannot be decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// The bytes are not what the type wants.
    Invalid(String),
    /// No bytes of this content type could ever be what the type wants.
    Unsupported(String),
}

impl DecodeError {
    /// The same error, with the place in front of it at which the bytes are wrong.
    pub(super) fn at(self, place: Option<String>) -> Self {
        match (self, place) {
            (DecodeError::Invalid(message), Some(place)) => DecodeError::Invalid(format!("{place}: {message}")),
            (error, _) => error,
        }
    }

    /// The same error, with what else may be the mistake behind it.
    pub(super) fn beside(self, unknown: &UnknownNames) -> Self {
        match self {
            DecodeError::Invalid(message) if !unknown.is_empty() => {
                DecodeError::Invalid(format!("{message}; it has no argument {unknown}"))
            }
            error => error,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Invalid(message) | DecodeError::Unsupported(message) => f.write_str(message),
        }
    }
}
