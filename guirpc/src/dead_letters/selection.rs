//! The letters that an operation applies to.

use std::mem;

use super::{DeadLetter, Missing};
use crate::error::nearest;

/// Of so many ids the nearest to one that is unknown is looked for.
const CANDIDATES: usize = 10_000;

/// The letters that an operation applies to: all, unless a filter is added.
///
/// ```
/// use guirpc::dead_letters::Selection;
///
/// let oldest_failures = Selection::all().reason("failed").limit(10);
/// let one = Selection::all().id("3");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    ids: Vec<String>,
    function: Option<String>,
    reason: Option<String>,
    pub(super) limit: Option<usize>,
}

impl Selection {
    /// All letters.
    pub fn all() -> Self {
        Selection::default()
    }

    /// Only letters that are named: by the correlation id of the request, or by the letter's number.
    ///
    /// What has digits only, and nine at most, is a number: 1 is the oldest letter.
    /// Numbers change when letters are taken away, so correlation ids are safer where several people do that at once.
    /// Letters of one correlation id are all meant.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.ids.push(id.into());
        self
    }

    /// Only letters that ask for this function.
    pub fn function(mut self, function: impl Into<String>) -> Self {
        self.function = Some(function.into());
        self
    }

    /// Only letters that are dead for this reason: `crashed`, `uncounted`, `failed` or `unanswerable`.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Only so many, the oldest.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// An id as it is understood.
#[derive(Debug)]
enum Id<'a> {
    Number(usize),
    CorrelationId(&'a str),
}

impl<'a> Id<'a> {
    fn parse(id: &'a str) -> Self {
        let is_number = (1..=9).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        match id.parse() {
            Ok(number) if is_number => Id::Number(number),
            _ => Id::CorrelationId(id),
        }
    }

    fn names(&self, letter: &DeadLetter) -> bool {
        match self {
            Id::Number(number) => letter.number() == *number,
            Id::CorrelationId(id) => letter.correlation_id() == Some(id),
        }
    }
}

/// A selection while letters are looked through.
#[derive(Debug)]
pub(super) struct Search<'a> {
    selection: &'a Selection,
    /// The ids, and whether a letter was found for them.
    ids: Vec<(Id<'a>, bool)>,
    /// How many letters were looked at.
    seen: usize,
    /// The correlation ids of letters that were not named.
    others: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(selection: &'a Selection) -> Self {
        let ids = selection.ids.iter().map(|id| (Id::parse(id), false)).collect();
        Search { selection, ids, seen: 0, others: Vec::new() }
    }

    /// The number of the next letter.
    pub(super) fn next_number(&mut self) -> usize {
        self.seen += 1;
        self.seen
    }

    /// Whether the selection is about a letter.
    pub(super) fn takes(&mut self, letter: &DeadLetter) -> bool {
        let wants = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        if !wants(&self.selection.function, Some(letter.function())) || !wants(&self.selection.reason, letter.reason())
        {
            return false;
        }
        let mut named = self.ids.is_empty();
        for (id, found) in &mut self.ids {
            if id.names(letter) {
                (*found, named) = (true, true);
            }
        }
        if !named
            && self.others.len() < CANDIDATES
            && let Some(id) = letter.correlation_id()
        {
            self.others.push(id.to_owned());
        }
        named
    }

    /// Whether no further letter can be meant: all ids are numbers, of letters that were looked at.
    pub(super) fn is_over(&self) -> bool {
        let is_past = |(id, _): &(Id<'_>, bool)| matches!(id, Id::Number(number) if *number <= self.seen);
        !self.ids.is_empty() && self.ids.iter().all(is_past)
    }

    /// The ids of which there is no letter.
    pub(super) fn missing(&mut self) -> Vec<Missing> {
        let others = mem::take(&mut self.others);
        let ids = self.selection.ids.iter().zip(&self.ids);
        let missing = ids.filter(|(_, (_, found))| !found).map(|(text, (id, _))| Missing {
            id: text.clone(),
            nearest: match id {
                Id::Number(_) => None,
                Id::CorrelationId(id) => nearest_to(id, &others),
            },
            looked_at: self.seen,
        });
        missing.collect()
    }
}

/// The id that begins so, if there is one, or else the one most like it.
fn nearest_to(id: &str, others: &[String]) -> Option<String> {
    let longer = others.iter().find(|other| !id.is_empty() && other.starts_with(id)).map(String::as_str);
    longer.or_else(|| nearest(id, others.iter().map(String::as_str))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{HeaderValue, Request, dead};

    fn letter(number: usize, correlation_id: &str, function: &str, reason: &str) -> DeadLetter {
        let headers = [(dead::REASON.to_owned(), HeaderValue::from(reason))].into_iter().collect();
        let request = Request {
            function: function.to_owned(),
            correlation_id: Some(correlation_id.to_owned()),
            headers,
            ..Request::default()
        };
        DeadLetter::of("shop", number, &request)
    }

    fn letters() -> [DeadLetter; 3] {
        [
            letter(1, "first-1", "price", "failed"),
            letter(2, "second-2", "place", "crashed"),
            letter(3, "12", "price", "crashed"),
        ]
    }

    #[track_caller]
    fn check(selection: &Selection, expected: &[usize]) {
        let mut search = Search::new(selection);
        let letters = letters();
        let taken = letters.iter().filter(|letter| search.takes(letter)).map(DeadLetter::number);
        assert_eq!(taken.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_filter_counts() {
        check(&Selection::all(), &[1, 2, 3]);
        check(&Selection::all().function("price"), &[1, 3]);
        check(&Selection::all().reason("crashed"), &[2, 3]);
        check(&Selection::all().reason("crashed").function("price"), &[3]);
        check(&Selection::all().id("2").id("first-1"), &[1, 2]);
        check(&Selection::all().id("2").function("price"), &[]);
    }

    #[test]
    fn digits_are_a_number_and_never_a_correlation_id() {
        check(&Selection::all().id("12"), &[]);
        check(&Selection::all().id("3"), &[3]);
        check(&Selection::all().id("+3"), &[]);
        assert!(matches!(Id::parse("1234567890"), Id::CorrelationId(_)));
    }

    #[test]
    fn an_id_without_a_letter_is_missed_with_the_nearest() {
        let selection = Selection::all().id("first").id("secund-2").id("nothing like it").id("9");
        let mut search = Search::new(&selection);
        for letter in &letters() {
            assert_eq!(search.next_number(), letter.number());
            assert!(!search.takes(letter));
        }
        let missing = search.missing();
        let nearest: Vec<_> = missing.iter().map(|missing| missing.nearest.as_deref()).collect();
        assert_eq!(nearest, [Some("first-1"), Some("second-2"), None, None]);
        assert_eq!(missing[3].to_string(), "there is no dead letter `9`; there are 3");
    }

    #[test]
    fn it_is_over_when_all_numbers_are_past() {
        let selection = Selection::all().id("1").id("2");
        let mut search = Search::new(&selection);
        search.next_number();
        assert!(!search.is_over());
        search.next_number();
        assert!(search.is_over());
        let all = Selection::all();
        assert!(!Search::new(&all).is_over());
    }
}
