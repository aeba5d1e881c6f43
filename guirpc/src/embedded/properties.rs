//! The properties of a message as bytes: read and changed one by one, the others left as their publisher wrote them.

use std::ops::Range;

use amq_protocol::types::generation::gen_field_table;
use amq_protocol::types::parsing::parse_field_table;
use amq_protocol::types::{AMQPValue, FieldTable};

use super::fields::type_name;
use super::methods::generate;
use crate::broker::sanitize_table;

/// The properties, in the order of the flags that announce them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    ContentType,
    ContentEncoding,
    Headers,
    DeliveryMode,
    Priority,
    CorrelationId,
    ReplyTo,
    Expiration,
    MessageId,
    Timestamp,
    Type,
    UserId,
    AppId,
    ClusterId,
}

const IN_ORDER: [Property; 14] = [
    Property::ContentType,
    Property::ContentEncoding,
    Property::Headers,
    Property::DeliveryMode,
    Property::Priority,
    Property::CorrelationId,
    Property::ReplyTo,
    Property::Expiration,
    Property::MessageId,
    Property::Timestamp,
    Property::Type,
    Property::UserId,
    Property::AppId,
    Property::ClusterId,
];

impl Property {
    fn flag(self) -> u16 {
        1 << 15 >> self as u16
    }

    /// How long its value is, at the start of these bytes.
    fn length(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Property::DeliveryMode | Property::Priority => Some(1),
            Property::Timestamp => Some(8),
            Property::Headers => Some(4 + u32::from_be_bytes(*bytes.first_chunk()?) as usize),
            _ => Some(1 + usize::from(*bytes.first()?)),
        }
    }

    /// How long what stands before the content of its value is.
    fn prefix(self) -> usize {
        match self {
            Property::DeliveryMode | Property::Priority | Property::Timestamp => 0,
            Property::Headers => 4,
            _ => 1,
        }
    }
}

const FLAGS: usize = 2;

/// Flags, then the values that they announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Properties(Vec<u8>);

impl Properties {
    /// Takes them from a content header; nothing if they are not whole.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let flags = u16::from_be_bytes(*bytes.first_chunk()?);
        let mut end = FLAGS;
        for property in IN_ORDER.into_iter().filter(|property| flags & property.flag() != 0) {
            end += property.length(bytes.get(end..)?)?;
            bytes.get(..end)?;
        }
        Some(Properties(bytes[..end].to_vec()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn flags(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// The bytes of a property's value, or where they would be inserted.
    fn range(&self, wanted: Property) -> Range<usize> {
        let mut start = FLAGS;
        for property in IN_ORDER.into_iter().filter(|property| self.flags() & property.flag() != 0) {
            let end = start + property.length(&self.0[start..]).expect("it was whole when it was parsed");
            if property == wanted {
                return start..end;
            }
            if property as usize > wanted as usize {
                break;
            }
            start = end;
        }
        start..start
    }

    /// The content of a property, without the length in front of it.
    pub(super) fn get(&self, property: Property) -> Option<&[u8]> {
        if self.flags() & property.flag() == 0 {
            return None;
        }
        self.0[self.range(property)].get(property.prefix()..)
    }

    /// The content of a property that is a text.
    pub(super) fn text(&self, property: Property) -> Option<String> {
        self.get(property).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Gives a property this content, or takes it away.
    pub(super) fn set(&mut self, property: Property, content: Option<&[u8]>) {
        let mut value = Vec::new();
        if let Some(content) = content {
            let length = u32::try_from(content.len()).expect("it fits into a frame").to_be_bytes();
            value.extend_from_slice(&length[length.len() - property.prefix()..]);
            value.extend_from_slice(content);
        }
        let flags = if content.is_some() { self.flags() | property.flag() } else { self.flags() & !property.flag() };
        let range = self.range(property);
        self.0.splice(range, value);
        self.0[..FLAGS].copy_from_slice(&flags.to_be_bytes());
    }

    /// The headers, as far as the codec can read them: texts that are not UTF-8 and what nests too deep are mended.
    pub(super) fn headers(&self) -> FieldTable {
        let mut table = self.0[self.range(Property::Headers)].to_vec();
        let Some(content) = table.get_mut(Property::Headers.prefix()..) else { return FieldTable::new() };
        sanitize_table(content);
        parse_field_table(&table).map(|(_, headers)| headers).unwrap_or_default()
    }

    pub(super) fn set_headers(&mut self, headers: &FieldTable) {
        let mut table = Vec::new();
        generate(&mut table, |buffer| gen_field_table(buffer, headers).map(|(_, end)| end));
        self.set(Property::Headers, Some(&table[Property::Headers.prefix()..]));
    }

    /// The routing keys that the header `CC` or `BCC` adds.
    ///
    /// # Errors
    /// It is no array; gives RabbitMQ's name for what it is.
    pub(super) fn further_keys(&self, header: &str) -> Result<Vec<Vec<u8>>, &'static str> {
        let named = [&[u8::try_from(header.len()).unwrap_or(0)], header.as_bytes()].concat();
        let content = self.get(Property::Headers).unwrap_or_default();
        // Nearly no message has one, and reading all headers is not for nothing.
        if !content.windows(named.len()).any(|window| window == named) {
            return Ok(Vec::new());
        }
        let text = |key| match key {
            AMQPValue::LongString(key) => Some(key.into_bytes()),
            _ => None,
        };
        match self.headers().remove(header) {
            None => Ok(Vec::new()),
            Some(AMQPValue::FieldArray(keys)) => Ok(keys.into_iter().filter_map(text).collect()),
            Some(other) => Err(type_name(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Content type `t`, headers `{a: "b"}`, reply address `r`, and nothing else.
    const SOME: &[u8] = b"\xA2\x00\x01t\x00\x00\x00\x08\x01aS\x00\x00\x00\x01b\x01r";

    #[test]
    fn a_property_is_read_without_its_length() {
        let properties = Properties::parse(SOME).unwrap();
        assert_eq!(properties.get(Property::ContentType), Some(&b"t"[..]));
        assert_eq!(properties.text(Property::ReplyTo).as_deref(), Some("r"));
        assert_eq!(properties.get(Property::Expiration), None);
        assert_eq!(properties.headers()["a"], AMQPValue::LongString("b".to_owned()));
    }

    #[test]
    fn what_is_cut_short_is_none() {
        for end in 0..SOME.len() {
            assert_eq!(Properties::parse(&SOME[..end]), None, "{end} bytes");
        }
        assert_eq!(Properties::parse(&[SOME, b"more"].concat()), Properties::parse(SOME));
    }

    #[test]
    fn a_changed_property_leaves_the_others_alone() {
        let mut properties = Properties::parse(SOME).unwrap();
        properties.set(Property::ReplyTo, Some(b"elsewhere"));
        properties.set(Property::Expiration, Some(b"10"));
        properties.set(Property::ContentType, None);
        let again = Properties::parse(properties.bytes()).unwrap();
        assert_eq!(again, properties);
        assert_eq!(again.text(Property::ReplyTo).as_deref(), Some("elsewhere"));
        assert_eq!(again.text(Property::Expiration).as_deref(), Some("10"));
        assert_eq!(again.get(Property::ContentType), None);
        assert_eq!(again.headers().len(), 1);
    }

    #[test]
    fn headers_can_be_replaced() {
        let mut properties = Properties::parse(b"\0\0").unwrap();
        let keys = AMQPValue::FieldArray(vec![AMQPValue::LongString("k".to_owned())]);
        properties.set_headers(&FieldTable::from([("CC".to_owned(), keys)]));
        assert_eq!(properties.further_keys("CC"), Ok(vec![b"k".to_vec()]));
        assert_eq!(properties.further_keys("BCC"), Ok(vec![]));
    }
}
