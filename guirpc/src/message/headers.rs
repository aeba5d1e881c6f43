//! Headers: named scalars beside the body of a request or a reply.

use std::borrow::Cow;
use std::{fmt, iter, vec};

/// The value of a header, one variant for each type of AMQP 0-9-1.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HeaderValue {
    /// A truth value.
    Bool(bool),
    /// An integer of any of AMQP's widths.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes (an extension of RabbitMQ's).
    Bytes(Vec<u8>),
    /// Seconds since the Unix epoch.
    Timestamp(u64),
    /// No value.
    Void,
    /// Several values; guirpc reads such headers and never sends one.
    List(Vec<HeaderValue>),
    /// Headers inside a header; guirpc reads such headers and never sends one.
    Table(Headers),
}

impl HeaderValue {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            HeaderValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How many bytes it takes on the wire, roughly.
    pub(crate) fn size(&self) -> usize {
        match self {
            HeaderValue::Text(text) => text.len() + 5,
            HeaderValue::Bytes(bytes) => bytes.len() + 5,
            HeaderValue::List(values) => values.iter().map(HeaderValue::size).sum::<usize>() + 5,
            HeaderValue::Table(headers) => headers.size() + 5,
            _ => 9,
        }
    }

    /// What Python's `str` makes of it, for a name that should have been a text.
    pub(crate) fn python_text(&self) -> String {
        match self {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Bool(true) => "True".to_owned(),
            HeaderValue::Bool(false) => "False".to_owned(),
            HeaderValue::Void => "None".to_owned(),
            HeaderValue::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
            HeaderValue::Integer(integer) => integer.to_string(),
            HeaderValue::Float(number) => number.to_string(),
            HeaderValue::Timestamp(seconds) => seconds.to_string(),
            HeaderValue::List(values) => {
                format!("[{}]", values.iter().map(HeaderValue::python_text).collect::<Vec<_>>().join(", "))
            }
            HeaderValue::Table(headers) => {
                let pair = |(name, value): (&str, &HeaderValue)| format!("'{name}': {}", value.python_text());
                format!("{{{}}}", headers.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            HeaderValue::Integer(integer) => Some(*integer),
            _ => None,
        }
    }
}

/// The value as people write it: texts in quotation marks.
impl fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderValue::Bool(value) => value.fmt(f),
            HeaderValue::Integer(value) => value.fmt(f),
            HeaderValue::Float(value) => value.fmt(f),
            HeaderValue::Text(value) => write!(f, "{value:?}"),
            HeaderValue::Bytes(value) => write!(f, "{value:?}"),
            HeaderValue::Timestamp(seconds) => write!(f, "@{seconds}"),
            HeaderValue::Void => f.write_str("void"),
            HeaderValue::List(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", values.join(", "))
            }
            HeaderValue::Table(headers) => {
                let pairs: Vec<String> = headers.iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
                write!(f, "{{{}}}", pairs.join(", "))
            }
        }
    }
}

/// The value itself may be a secret, so that only its kind is shown.
impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeaderValue::Bool(_) => "Bool(…)",
            HeaderValue::Integer(_) => "Integer(…)",
            HeaderValue::Float(_) => "Float(…)",
            HeaderValue::Text(_) => "Text(…)",
            HeaderValue::Bytes(_) => "Bytes(…)",
            HeaderValue::Timestamp(_) => "Timestamp(…)",
            HeaderValue::Void => "Void",
            HeaderValue::List(_) => "List(…)",
            HeaderValue::Table(_) => "Table(…)",
        })
    }
}

impl From<&str> for HeaderValue {
    fn from(text: &str) -> Self {
        HeaderValue::Text(text.to_owned())
    }
}

impl From<String> for HeaderValue {
    fn from(text: String) -> Self {
        HeaderValue::Text(text)
    }
}

impl From<i64> for HeaderValue {
    fn from(integer: i64) -> Self {
        HeaderValue::Integer(integer)
    }
}

impl From<i32> for HeaderValue {
    fn from(integer: i32) -> Self {
        HeaderValue::Integer(integer.into())
    }
}

impl From<bool> for HeaderValue {
    fn from(value: bool) -> Self {
        HeaderValue::Bool(value)
    }
}

impl From<f64> for HeaderValue {
    fn from(number: f64) -> Self {
        HeaderValue::Float(number)
    }
}

/// The headers of a message, in the order in which they were set.
///
/// There are few of them, so a list is smaller and faster than a map.
#[derive(Clone, Default, PartialEq)]
pub struct Headers(Vec<Entry>);

type Entry = (Cow<'static, str>, HeaderValue);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Headers(Vec::new())
    }

    /// The value of the header of this exact name.
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets a header; one of the same name is replaced.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<HeaderValue>) {
        self.put(Cow::Owned(name.into()), value.into());
    }

    /// Sets a header of guirpc's own, whose name takes no memory.
    pub(crate) fn set_own(&mut self, name: &'static str, value: impl Into<HeaderValue>) {
        self.put(Cow::Borrowed(name), value.into());
    }

    fn put(&mut self, name: Cow<'static, str>, value: HeaderValue) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes the header of this exact name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All headers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// No more than this many bytes on the wire.
    pub(crate) fn size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + 1 + value.size()).sum()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(String, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, HeaderValue)>>(headers: I) -> Self {
        Headers(headers.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
    }
}

impl IntoIterator for Headers {
    type Item = (String, HeaderValue);
    type IntoIter = iter::Map<vec::IntoIter<Entry>, fn(Entry) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(name, value)| (name.into_owned(), value))
    }
}
