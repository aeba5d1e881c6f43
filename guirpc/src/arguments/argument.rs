//! One argument: what it must be able to do, and the two that a function may borrow.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use castaway::cast;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The name by which a type asks for bytes, which no text is, of a format that tells them from lists.
pub(crate) const BYTES: &str = "guirpc::BytesArgument";

/// An argument that can be sent, and received from a message that lives for `'a`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a served function",
    label = "not both `serde::Serialize` and `serde::Deserialize`",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}` and on the types in it"
)]
pub trait Argument<'a>: Sized {
    /// Writes it.
    fn send<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads it.
    fn receive<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error>;
}

// serde's traits are not supertraits: the compiler would complain of each of them, in serde's words.
#[diagnostic::do_not_recommend]
impl<'a, T: Serialize + Deserialize<'a>> Argument<'a> for T {
    fn send<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn receive<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A value that is bytes if it is exactly a `Vec<u8>`, which serde would make a list of numbers of.
pub(crate) struct Compact<'v, T>(pub(crate) &'v T);

impl<T: Serialize> Serialize for Compact<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        compact(self.0, serializer, |serializer| self.0.serialize(serializer))
    }
}

/// Writes bytes, or anything else as it would be.
pub(super) fn compact<T, S: Serializer>(
    value: &T,
    serializer: S,
    otherwise: impl FnOnce(S) -> Result<S::Ok, S::Error>,
) -> Result<S::Ok, S::Error> {
    match cast!(value, &Vec<u8>) {
        Ok(bytes) => serializer.serialize_bytes(bytes),
        Err(_) => otherwise(serializer),
    }
}

/// A `&str` argument on its way: it borrows from the message where it can.
///
/// It does so from MessagePack always, from JSON where nothing is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextArgument<'a>(Cow<'a, str>);

impl<'a> TextArgument<'a> {
    /// The text, borrowed.
    pub const fn new(text: &'a str) -> Self {
        TextArgument(Cow::Borrowed(text))
    }
}

impl Deref for TextArgument<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Serialize for TextArgument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for TextArgument<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;

        impl<'de> Visitor<'de> for AsText {
            type Value = TextArgument<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<TextArgument<'de>, E> {
                Ok(TextArgument::new(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<TextArgument<'de>, E> {
                Ok(TextArgument(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<TextArgument<'de>, E> {
                Ok(TextArgument(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(AsText)
    }
}

/// A `&[u8]` argument on its way: it borrows from the message where it can.
///
/// It takes whatever a `Vec<u8>` takes, so that a function may change from one to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesArgument<'a>(Cow<'a, [u8]>);

impl<'a> BytesArgument<'a> {
    /// The bytes, borrowed.
    pub const fn new(bytes: &'a [u8]) -> Self {
        BytesArgument(Cow::Borrowed(bytes))
    }
}

impl Deref for BytesArgument<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for BytesArgument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Deserialize<'de> for BytesArgument<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsBytes;

        impl<'de> Visitor<'de> for AsBytes {
            type Value = BytesArgument<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<BytesArgument<'de>, E> {
                Ok(BytesArgument::new(bytes))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<BytesArgument<'de>, E> {
                Ok(BytesArgument(Cow::Owned(bytes.to_owned())))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<BytesArgument<'de>, E> {
                Ok(BytesArgument(Cow::Owned(bytes)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<BytesArgument<'de>, A::Error> {
                // What a message says of its own length must not make us reserve memory for it.
                let mut bytes = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(4096));
                while let Some(byte) = sequence.next_element()? {
                    bytes.push(byte);
                }
                Ok(BytesArgument(Cow::Owned(bytes)))
            }
        }

        struct Named;

        impl<'de> Visitor<'de> for Named {
            type Value = BytesArgument<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            // Not `deserialize_bytes`: JSON would then take a text for bytes, which `Vec<u8>` does not.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_any(AsBytes)
            }
        }

        deserializer.deserialize_newtype_struct(BYTES, Named)
    }
}
