//! What is known of a value once it is written: what of it is doubtful, and where the error is.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::codec::Codec;

/// Why it is not certain that a value arrives as itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Doubt {
    /// A `Some` of what is written as nothing.
    Nothing,
    /// An integer of 128 bits, which serde does not keep for a type that it does not know yet.
    Wide,
    /// A key that is no text, which serde does not read as anything else where it keeps a text.
    Key,
}

/// How often there is each of them; a value that arrives as itself has as many.
pub(in crate::codec) type Doubts = [usize; 3];

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::Nothing => {
                "`Some` of nothing (`()`, `None`, `null`) would arrive as `None`; use an enum with a variant for each"
            }
            Doubt::Wide => {
                "an integer of 128 bits would not arrive in a type that serde reads by `untagged`, `tag` or `flatten`; \
                 make it one of 64 bits, or a text"
            }
            Doubt::Key => {
                "a map's key that is no text would not arrive in a type that serde reads by `untagged`, `tag` or \
                 `flatten`, or is there twice; make it a text"
            }
        })
    }
}

/// What is known of a value once it is written.
pub(in crate::codec) struct Writing {
    pub(in crate::codec) codec: Codec,
    /// What is refused that is merely doubtful else.
    refused: Option<Doubt>,
    doubts: Cell<Doubts>,
    /// Where in the value the error is, innermost first.
    place: RefCell<Vec<Segment>>,
}

/// A step from a value into it.
pub(super) enum Segment {
    Name(String),
    Index(usize),
}

impl Writing {
    pub(in crate::codec) fn new(codec: Codec) -> Self {
        Writing { codec, refused: None, doubts: Cell::default(), place: RefCell::default() }
    }

    /// Refuses what is doubtful for this reason, to find out where it is.
    pub(in crate::codec) fn refusing(codec: Codec, doubt: Doubt) -> Self {
        Writing { refused: Some(doubt), ..Writing::new(codec) }
    }

    pub(in crate::codec) fn doubts(&self) -> Doubts {
        self.doubts.get()
    }

    pub(in crate::codec) fn is_certain(&self) -> bool {
        self.doubts() == Doubts::default()
    }

    /// What is not as it is in the other; if that could not be read, what there is at all.
    pub(in crate::codec) fn differs(&self, other: Option<&Writing>) -> Option<Doubt> {
        let others = other.map(Writing::doubts).unwrap_or_default();
        [Doubt::Wide, Doubt::Key, Doubt::Nothing]
            .into_iter()
            .find(|doubt| self.doubts()[*doubt as usize] != others[*doubt as usize])
    }

    /// The place of the error: the outermost name, and the rest.
    pub(in crate::codec) fn place(&self) -> (Option<String>, String) {
        let mut segments = self.place.take();
        let outermost = match segments.pop() {
            Some(Segment::Name(name)) => Some(name),
            Some(index) => {
                segments.push(index);
                None
            }
            None => None,
        };
        let mut inside = String::new();
        for segment in segments.iter().rev() {
            match segment {
                Segment::Name(name) if inside.is_empty() => inside.push_str(name),
                Segment::Name(name) => inside.extend([".", name]),
                Segment::Index(index) => inside.extend(["[", &index.to_string(), "]"]),
            }
        }
        (outermost, inside)
    }

    pub(super) fn note<E: serde::ser::Error>(&self, doubt: Doubt) -> Result<(), E> {
        if self.refused == Some(doubt) {
            return Err(E::custom(doubt));
        }
        let mut doubts = self.doubts();
        doubts[doubt as usize] += 1;
        self.doubts.set(doubts);
        Ok(())
    }

    /// Remembers where an error went by, on its way out.
    pub(super) fn at<E>(&self, error: E, segment: impl FnOnce() -> Segment) -> E {
        self.place.borrow_mut().push(segment());
        error
    }
}
