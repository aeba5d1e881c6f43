//! The outcome of listing, requeueing and dropping.

use std::fmt;

use super::DeadLetter;

/// How many letters that stay are listed one by one.
const KEPT: usize = 100;

/// The letters that a selection is about.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct List {
    /// The letters, oldest first, without their bodies.
    pub letters: Vec<DeadLetter>,
    /// How many were not looked at, since the list was long enough; they are younger than all that were.
    pub unread: usize,
    /// Ids of which there is no letter.
    pub missing: Vec<Missing>,
}

/// The outcome of requeueing or dropping letters.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// With how many it was done.
    pub done: usize,
    /// How many stay.
    pub kept_count: usize,
    /// Those that stay, each with the reason; only the first hundred.
    pub kept: Vec<Kept>,
    /// Ids of which there is no letter.
    pub missing: Vec<Missing>,
}

impl Outcome {
    pub(super) fn keep(&mut self, letter: &DeadLetter, reason: String) {
        self.kept_count += 1;
        if self.kept.len() < KEPT {
            let correlation_id = letter.correlation_id().map(str::to_owned);
            self.kept.push(Kept { number: letter.number(), correlation_id, reason });
        }
    }
}

/// A letter that stays where it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// Its number while letters were looked through; those that went have been counted too.
    pub number: usize,
    /// The correlation id of its request.
    pub correlation_id: Option<String>,
    /// Why it stays.
    pub reason: String,
}

/// An id of which there is no letter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Missing {
    /// The id.
    pub id: String,
    /// The most similar correlation id that there is, if one is similar.
    pub nearest: Option<String>,
    /// How many letters there are, or were until the search was over.
    pub looked_at: usize,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missing { id, nearest, looked_at } = self;
        write!(f, "there is no dead letter `{id}`")?;
        match (nearest, looked_at) {
            (Some(nearest), _) => write!(f, "; did you mean `{nearest}`?"),
            (None, 0) => Ok(()),
            (None, count) => write!(f, "; there are {count}"),
        }
    }
}
