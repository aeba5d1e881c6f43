//! The two places where a publisher's own bytes stand in the broker's frames.

use super::fields::{sanitize_table, sanitize_text};

/// The properties of a message, in the order of the flags that announce them.
const PROPERTIES: [Property; 14] = [
    Property::ShortText, // content type
    Property::ShortText, // content encoding
    Property::Table,     // headers
    Property::Bytes(1),  // delivery mode
    Property::Bytes(1),  // priority
    Property::ShortText, // correlation id
    Property::ShortText, // reply to
    Property::ShortText, // expiration
    Property::ShortText, // message id
    Property::Bytes(8),  // timestamp
    Property::ShortText, // type
    Property::ShortText, // user id
    Property::ShortText, // app id
    Property::ShortText, // cluster id
];

#[derive(Debug, Clone, Copy)]
enum Property {
    ShortText,
    Table,
    Bytes(usize),
}

/// The flags and the properties of a content header; where one runs out of the frame, it is left with none at all.
pub(super) fn sanitize_properties(properties: &mut [u8]) {
    if let Some((flags, rest)) = properties.split_first_chunk_mut()
        && sanitize_announced(u16::from_be_bytes(*flags), rest).is_none()
    {
        *flags = [0; 2];
    }
}

/// None where a property is not whole.
fn sanitize_announced(flags: u16, mut rest: &mut [u8]) -> Option<()> {
    for (place, property) in PROPERTIES.into_iter().enumerate() {
        if flags & (1 << 15 >> place) == 0 {
            continue;
        }
        rest = match property {
            Property::ShortText => sanitize_short_text(rest)?,
            Property::Table => {
                let (length, rest) = rest.split_first_chunk_mut()?;
                let (table, rest) = rest.split_at_mut_checked(u32::from_be_bytes(*length) as usize)?;
                sanitize_table(table);
                rest
            }
            Property::Bytes(length) => rest.get_mut(length..)?,
        };
    }
    Some(())
}

/// The delivery tag, and whether the message was delivered before.
const TAG_AND_REDELIVERED: usize = 9;

/// The arguments of `basic.deliver`; none where one is not whole, which would be the broker's own doing.
pub(super) fn sanitize_deliver(arguments: &mut [u8]) -> Option<()> {
    sanitize_get_ok(sanitize_short_text(arguments)?)
}

/// The arguments of `basic.get-ok`, which has no consumer tag.
///
/// Whoever may publish chooses the routing key: the header `CC` brings the message to any queue under any key.
pub(super) fn sanitize_get_ok(arguments: &mut [u8]) -> Option<()> {
    let exchange = arguments.get_mut(TAG_AND_REDELIVERED..)?;
    let routing_key = sanitize_short_text(exchange)?;
    sanitize_short_text(routing_key).map(drop)
}

/// Mends a text that begins with its length in one byte, and returns what follows it.
fn sanitize_short_text(bytes: &mut [u8]) -> Option<&mut [u8]> {
    let (length, rest) = bytes.split_first_mut()?;
    let (text, rest) = rest.split_at_mut_checked((*length).into())?;
    sanitize_text(text);
    Some(rest)
}
