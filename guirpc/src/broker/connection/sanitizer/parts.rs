//! What methods and properties are made of, and how each part of it is made safe.

use super::fields::{sanitize_table, sanitize_text};

/// A part of a method or of the properties of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// A text with its length in one byte before it.
    Short,
    /// A text with its length in four bytes before it.
    Long,
    Table,
    /// Numbers and flags, which may be anything.
    Bytes(usize),
}

impl Part {
    /// Sanitizes what begins with this part, and gives what follows; none if it is not whole.
    pub(super) fn sanitize(self, bytes: &mut [u8]) -> Option<&mut [u8]> {
        match self {
            Part::Short => {
                let (length, rest) = bytes.split_first_mut()?;
                let (text, rest) = rest.split_at_mut_checked((*length).into())?;
                sanitize_text(text);
                Some(rest)
            }
            Part::Long => {
                let (text, rest) = long(bytes)?;
                sanitize_text(text);
                Some(rest)
            }
            Part::Table => {
                let (table, rest) = long(bytes)?;
                sanitize_table(table);
                Some(rest)
            }
            Part::Bytes(length) => bytes.get_mut(length..),
        }
    }
}

fn long(bytes: &mut [u8]) -> Option<(&mut [u8], &mut [u8])> {
    let (length, rest) = bytes.split_first_chunk_mut()?;
    rest.split_at_mut_checked(u32::from_be_bytes(*length) as usize)
}

/// The properties of a message, in the order of the flags that announce them.
const PROPERTIES: [Part; 14] = [
    Part::Short,    // content type
    Part::Short,    // content encoding
    Part::Table,    // headers
    Part::Bytes(1), // delivery mode
    Part::Bytes(1), // priority
    Part::Short,    // correlation id
    Part::Short,    // reply to
    Part::Short,    // expiration
    Part::Short,    // message id
    Part::Bytes(8), // timestamp
    Part::Short,    // type
    Part::Short,    // user id
    Part::Short,    // app id
    Part::Short,    // cluster id
];

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
        if flags & (1 << 15 >> place) != 0 {
            rest = property.sanitize(rest)?;
        }
    }
    Some(())
}
