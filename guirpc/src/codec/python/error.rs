//! What is wrong with data, and where in it; and what a request is answered that cannot be read at all.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::charset::bytes_literal;
use super::{PythonSerializer, PythonTextCodec};

/// What is wrong with a piece of data.
#[derive(Debug)]
pub(super) struct Error {
    /// The keys on the way to it, the innermost first.
    path: Vec<String>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Missing(String),
    Mistyped(String),
    Other(String),
}

impl Error {
    pub(super) fn missing(field: &str) -> Self {
        Error { path: Vec::new(), problem: Problem::Missing(field.to_owned()) }
    }

    /// The same error, seen from further out.
    pub(super) fn within(mut self, key: impl fmt::Display) -> Self {
        self.path.push(key.to_string());
        self
    }

    /// Whether its text is exactly this.
    pub(super) fn says(&self, text: &str) -> bool {
        matches!(&self.problem, Problem::Other(problem) if problem == text)
    }

    /// Whether the data as a whole is of another type, and nothing inside it was looked at.
    pub(super) fn is_of_the_whole(&self) -> bool {
        self.path.is_empty() && matches!(self.problem, Problem::Mistyped(_))
    }
}

impl fmt::Display for Error {
    /// As the original's own examples say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outer = self.path.iter().rev().map(String::as_str);
        let path = |inner: Option<&str>| outer.clone().chain(inner).collect::<Vec<_>>().join(".");
        match &self.problem {
            Problem::Missing(field) => write!(f, "'{}' field is required.", path(Some(field))),
            Problem::Mistyped(expected) if self.path.is_empty() => write!(f, "the object is not {expected}."),
            Problem::Mistyped(expected) => write!(f, "'{}' field is not {expected}.", path(None)),
            Problem::Other(problem) if self.path.is_empty() => write!(f, "{problem}."),
            Problem::Other(problem) => write!(f, "'{}' field: {problem}.", path(None)),
        }
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error { path: Vec::new(), problem: Problem::Other(message.to_string()) }
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string().as_str() {
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => {
                "an integer".to_owned()
            }
            "f32" | "f64" => "a number".to_owned(),
            other => other.to_owned(),
        };
        Error { path: Vec::new(), problem: Problem::Mistyped(expected) }
    }

    fn missing_field(field: &'static str) -> Self {
        Error::missing(field)
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        serde::de::Error::custom(message)
    }
}

/// Why a request could not become arguments.
#[derive(Debug)]
pub enum Unreadable {
    /// There is no data in it: what the original calls an unexpected error, with the class and the text of it.
    Unexpected {
        /// The exception that the original would have met.
        class: &'static str,
        /// What that would say.
        text: String,
        /// What is wrong in our words, for the log.
        reason: String,
    },
    /// There is, and it does not fit the function.
    Invalid(String),
}

/// A message that is longer is not repeated in full.
const MOST_SHOWN: usize = 1024;

impl Unreadable {
    pub(super) fn new(class: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Unreadable::Unexpected { class, reason: text.clone(), text }
    }

    pub(super) fn content(bytes: &[u8], codec: PythonTextCodec) -> Self {
        let shown = bytes_literal(&bytes[..bytes.len().min(MOST_SHOWN)]);
        let more = if bytes.len() > MOST_SHOWN { "..." } else { "" };
        let name = codec.name();
        Unreadable::new(
            "Exception",
            format!("ContentDecodingError: an error occurred while trying to decode {shown}{more} into '{name}'"),
        )
    }

    pub(super) fn deserialization(text: &str, serializer: PythonSerializer, reason: String) -> Self {
        let shown = &text[..text.floor_char_boundary(MOST_SHOWN)];
        let more = if shown.len() < text.len() { "..." } else { "" };
        let class = serializer.class();
        let text = format!(
            "DeserializationError: an error occurred while deserializing message {shown}{more} with \
             <class 'guirpc.amqp.serializers.{class}'>"
        );
        Unreadable::Unexpected { class: "Exception", text, reason }
    }

    /// What is wrong, in our words.
    pub(crate) fn reason(&self) -> String {
        match self {
            Unreadable::Unexpected { reason, .. } => reason.clone(),
            Unreadable::Invalid(message) => message.clone(),
        }
    }
}
