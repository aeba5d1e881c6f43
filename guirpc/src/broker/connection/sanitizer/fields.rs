//! Headers: tables and arrays of fields, which may nest.
//!
//! What cannot stay is overwritten with fields that hold nothing, of exactly its length.

/// How deep tables and arrays may nest, the headers themselves counting as one; nobody needs more.
const DEEPEST: usize = 32;
/// The type of a field that holds nothing.
const VOID: u8 = b'V';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Fields with names.
    Table,
    /// Fields without.
    Array,
}

/// A table or an array: what of it is yet to be looked at.
#[derive(Debug)]
struct Container<'a> {
    kind: Kind,
    rest: &'a mut [u8],
}

/// Mends the content of a table.
///
/// There is no recursion, and each byte is looked at once.
pub(crate) fn sanitize_table(content: &mut [u8]) {
    // No allocation unless something is nested.
    let mut around = Vec::new();
    let mut innermost = Container { kind: Kind::Table, rest: content };
    loop {
        if innermost.rest.is_empty() {
            match around.pop() {
                Some(container) => innermost = container,
                None => return,
            }
            continue;
        }
        // The length of what follows is unknown, so nothing in the container can be found any more.
        let Some((tag, content)) = innermost.take_field() else {
            innermost.make_void();
            continue;
        };
        let kind = match tag {
            b'S' => {
                sanitize_text(content);
                continue;
            }
            b'F' => Kind::Table,
            b'A' => Kind::Array,
            _ => continue,
        };
        let mut container = Container { kind, rest: content };
        if around.len() + 1 < DEEPEST {
            around.push(std::mem::replace(&mut innermost, container));
        } else {
            container.make_void();
        }
    }
}

impl<'a> Container<'a> {
    /// Takes the next field's type and content, its name sanitized; nothing if it is not whole or of no known type.
    fn take_field(&mut self) -> Option<(u8, &'a mut [u8])> {
        let name = match self.kind {
            Kind::Table => 1 + usize::from(*self.rest.first()?),
            Kind::Array => 0,
        };
        let (&tag, value) = self.rest.get(name..)?.split_first()?;
        let (before_content, content) = match tag {
            VOID => (0, 0),
            b't' | b'b' | b'B' => (0, 1),
            b's' | b'u' | b'U' => (0, 2),
            b'i' | b'I' | b'f' => (0, 4),
            b'D' => (0, 5),
            b'l' | b'L' | b'd' | b'T' => (0, 8),
            b'S' | b'x' | b'A' | b'F' => (4, u32::from_be_bytes(*value.first_chunk()?) as usize),
            _ => return None,
        };
        value.get(before_content..)?.get(..content)?;
        if let [_length, name @ ..] = self.rest.split_off_mut(..name)? {
            sanitize_text(name);
        }
        self.rest.split_off_first_mut()?;
        self.rest.split_off_mut(..before_content)?;
        Some((tag, self.rest.split_off_mut(..content)?))
    }

    /// Overwrites the rest with void fields.
    fn make_void(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        if self.kind == Kind::Array {
            return rest.fill(VOID);
        }
        let odd: &[u8] = match rest.len() {
            // A name without a field, with which amiquip's parser ends the table.
            1 => &[0],
            length if length % 2 == 1 => &[1, b'?', VOID],
            _ => &[],
        };
        let (first, pairs) = rest.split_at_mut(odd.len());
        first.copy_from_slice(odd);
        for nameless in pairs.chunks_exact_mut(2) {
            nameless.copy_from_slice(&[0, VOID]);
        }
    }
}

/// Puts a question mark in place of each byte that keeps a text from being UTF-8.
pub(super) fn sanitize_text(mut text: &mut [u8]) {
    // Nearly all are, and that is quicker to see.
    if text.is_ascii() {
        return;
    }
    while let Err(error) = str::from_utf8(text) {
        let after = &mut text[error.valid_up_to()..];
        let bad = error.error_len().unwrap_or(after.len());
        after[..bad].fill(b'?');
        text = &mut text[error.valid_up_to() + bad..];
    }
}
