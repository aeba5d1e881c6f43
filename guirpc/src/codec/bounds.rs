//! What a message may hold, in every codec: how deep its values are, and how many there are.
//!
//! Depth is stack, and values are memory: a list of nothing is a byte of a message, and many of memory.

use std::fmt;

mod bounded;

pub(super) use bounded::Bounds;

/// Values that are nested so deeply are refused, so that no message can exhaust a worker's stack.
///
/// It is the limit of `serde_json`, which cannot be set.
pub(super) const MAX_DEPTH: usize = 128;

/// Any message may hold so many values, and a large one a value for each so many bytes.
const FEWEST_VALUES: usize = 1 << 20;
const BYTES_OF_A_VALUE: usize = 16;

/// How many values a message of so many bytes may hold.
///
/// Numbers and truth values count where the type that reads them does not say that it takes one; so do all in Python's
/// dialect, whose messages become a tree first.
pub(super) fn most_values(bytes: usize) -> usize {
    (bytes / BYTES_OF_A_VALUE).max(FEWEST_VALUES)
}

/// What is said of a message that holds more.
pub(super) fn too_many_values(most: usize) -> String {
    format!(
        "more than {most} values in one message of this size: send fewer at once, or many small ones together as one text \
         or as bytes"
    )
}

/// How deep in a message a value is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// In so many lists, maps and variants.
    nested: usize,
    /// And then in so many `Some`s and newtypes, which leave no trace in a message: a type that is made of itself by
    /// these alone would be read for ever.
    wrapped: usize,
}

/// It is deeper than any may be.
#[derive(Debug)]
pub(super) struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nested {MAX_DEPTH} levels deep or more")
    }
}

impl Depth {
    /// In a list, a map or a variant of this depth.
    #[inline]
    pub(super) fn nested(self) -> Result<Self, TooDeep> {
        let nested = self.nested + 1;
        if nested < MAX_DEPTH { Ok(Depth { nested, wrapped: 0 }) } else { Err(TooDeep) }
    }

    /// In a `Some` or a newtype of this depth.
    #[inline]
    pub(super) fn wrapped(self) -> Result<Self, TooDeep> {
        let wrapped = self.wrapped + 1;
        if wrapped < MAX_DEPTH { Ok(Depth { wrapped, ..self }) } else { Err(TooDeep) }
    }
}

#[cfg(test)]
mod tests;
