//! Which letter is which, however often it is copied.

use std::hash::{BuildHasher, Hash};

use amiquip::{AmqpProperties, AmqpValue, FieldTable};
use foldhash::quality::FixedState;

use super::super::wire::{self, COPIES};
use crate::broker::Limits;
use crate::message::dead;

/// What a letter says of itself, in its headers.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    pub(super) id: Option<String>,
    /// The look that has copied it.
    pub(super) look: Option<String>,
}

impl Stamp {
    pub(super) fn of(letter: &AmqpProperties) -> Self {
        let text = |name: &str| match letter.headers().as_ref()?.get(name)? {
            AmqpValue::LongString(text) => Some(text.clone()),
            _ => None,
        };
        Stamp { id: text(dead::ID), look: text(dead::LOOK) }
    }
}

/// The id of a letter; of one that guirpc has not written what it says, hashed.
pub(in crate::broker) fn of(letter: &AmqpProperties, body: &[u8]) -> String {
    Stamp::of(letter).id.unwrap_or_else(|| {
        let own = letter.headers().iter().flatten().filter(|(name, _)| !is_added(name));
        let said = (format!("{:?} {:?}", wire::copy(letter), own.collect::<Vec<_>>()), body);
        let [high, low] = [1, 2].map(|seed| FixedState::with_seed(seed).hash_one(Hashed(&said)));
        format!("{high:016x}{low:016x}")
    })
}

struct Hashed<'a>(&'a (String, &'a [u8]));

impl Hash for Hashed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Headers that say where a letter has been, not what it is.
fn is_added(name: &str) -> bool {
    name == dead::LOOK || COPIES.contains(&name) || dead::COUNTS.contains(&name)
}

/// The properties of a letter's copy, with its id.
///
/// The broker takes a user's id from that user only, so one of somebody else's is left out.
pub(super) fn copy(letter: &AmqpProperties, user: &str, (id, look): (&str, &str), limits: Limits) -> AmqpProperties {
    let mut copy = wire::copy(letter);
    if let Some(reply_to) = letter.reply_to() {
        copy = copy.with_reply_to(reply_to.clone());
    }
    if let Some(delivery_mode) = letter.delivery_mode() {
        copy = copy.with_delivery_mode(*delivery_mode);
    }
    if let Some(expiration) = letter.expiration() {
        copy = copy.with_expiration(expiration.clone());
    }
    if letter.user_id().as_deref() == Some(user) {
        copy = copy.with_user_id(user.to_owned());
    }
    let headers = letter.headers().clone().unwrap_or_default();
    let headers: FieldTable = headers.into_iter().filter(|(name, _)| !is_added(name)).collect();
    let mut stamped = headers.clone();
    for (name, value) in [(dead::ID, id), (dead::LOOK, look)] {
        stamped.insert(name.to_owned(), AmqpValue::LongString(value.to_owned()));
    }
    let stamped = copy.clone().with_headers(stamped);
    // One that fills its frame has no room for it.
    if wire::check_frame(&stamped, limits).is_ok() { stamped } else { copy.with_headers(headers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AmqpValue {
        AmqpValue::LongString(text.to_owned())
    }

    fn letter(headers: &[(&str, &str)]) -> AmqpProperties {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        AmqpProperties::default()
            .with_correlation_id("7".to_owned())
            .with_reply_to("replies".to_owned())
            .with_expiration("60000".to_owned())
            .with_user_id("ada".to_owned())
            .with_delivery_mode(2)
            .with_headers(headers)
    }

    #[test]
    fn a_copy_is_the_same_letter_and_says_everything_that_it_said() {
        let original = letter(&[("tenant", "acme"), ("x-delivery-count", "3"), ("CC", "elsewhere")]);
        let id = of(&original, b"[1]");
        let once = copy(&original, "ada", (&id, "first"), Limits::default());
        let expected = letter(&[("tenant", "acme"), (dead::ID, &id), (dead::LOOK, "first")]);
        assert_eq!(once, expected);
        let twice = copy(&once, "ada", (&of(&once, b"[1]"), "second"), Limits::default());
        assert_eq!(of(&twice, b"[1]"), id);
        assert_eq!(Stamp::of(&twice).look.as_deref(), Some("second"));
        assert_eq!(
            copy(&original, "grace", (&id, "third"), Limits::default()).user_id(),
            &None,
            "the broker would refuse it"
        );
    }

    #[test]
    fn letters_that_differ_have_different_ids() {
        let first = letter(&[("tenant", "acme")]);
        assert_eq!(of(&first, b"[1]"), of(&letter(&[("tenant", "acme"), ("x-delivery-count", "1")]), b"[1]"));
        assert_ne!(of(&first, b"[1]"), of(&first, b"[2]"));
        assert_ne!(of(&first, b"[1]"), of(&letter(&[("tenant", "bolt")]), b"[1]"));
        assert_eq!(of(&letter(&[(dead::ID, "mine")]), b"[1]"), "mine");
    }

    #[test]
    fn one_that_fills_its_frame_is_copied_without_an_id() {
        let of_length = |length| letter(&[("huge", &"x".repeat(length))]);
        let fits = |length: &usize| wire::check_frame(&of_length(*length), Limits::default()).is_ok();
        let longest = (0..128 << 10).rev().find(fits).unwrap();
        let full = of_length(longest);
        let once = copy(&full, "ada", ("id", "look"), Limits::default());
        assert_eq!(once.headers().as_ref().map(FieldTable::len), Some(1));
    }
}
