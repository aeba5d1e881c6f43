//! What was published again and is not decided yet: which confirmation or return is about what. Pure data, no I/O.
//!
//! Any number of messages is on the way at once. The broker confirms them by their numbers, in any order and several
//! in one; what no queue takes it returns first, without a number. A confirmation that is late is late, and no more.

use std::collections::BTreeMap;

/// Messages on their way to the broker; `J` is what each was published for.
#[derive(Debug)]
pub(super) struct Unconfirmed<J> {
    published: u64,
    open: BTreeMap<u64, Open<J>>,
}

#[derive(Debug)]
struct Open<J> {
    job: J,
    is_returned: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The broker has it.
    Taken,
    /// The queue does not take it: it is full, or has failed.
    Rejected,
    /// There is no such queue.
    Unroutable,
}

impl<J> Default for Unconfirmed<J> {
    fn default() -> Self {
        Unconfirmed { published: 0, open: BTreeMap::new() }
    }
}

impl<J> Unconfirmed<J> {
    /// Notes that a message is published: it is the next in number.
    pub(super) fn published(&mut self, job: J) {
        self.published += 1;
        self.open.insert(self.published, Open { job, is_returned: false });
    }

    /// Those that are not decided, in the end.
    pub(super) fn into_jobs(self) -> impl Iterator<Item = J> {
        self.open.into_values().map(|Open { job, .. }| job)
    }

    /// A message came back; it is that of the first job that it may be of. Says whether there is one.
    ///
    /// Of several that are alike in all respects it does not matter which.
    pub(super) fn returned(&mut self, is_of: impl Fn(&J) -> bool) -> bool {
        let of = self.open.values_mut().find(|open| !open.is_returned && is_of(&open.job));
        of.map(|open| open.is_returned = true).is_some()
    }

    /// The broker has decided about a message, or with `multiple` about all until there.
    pub(super) fn confirmed(&mut self, number: u64, multiple: bool, taken: bool) -> Vec<(J, Outcome)> {
        let decided = if multiple {
            let later = self.open.split_off(&number.saturating_add(1));
            std::mem::replace(&mut self.open, later)
        } else {
            self.open.remove(&number).map(|open| (number, open)).into_iter().collect()
        };
        let outcome = |is_returned| match (is_returned, taken) {
            (true, _) => Outcome::Unroutable,
            (false, true) => Outcome::Taken,
            (false, false) => Outcome::Rejected,
        };
        decided.into_values().map(|Open { job, is_returned }| (job, outcome(is_returned))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on_the_way(jobs: impl IntoIterator<Item = &'static str>) -> Unconfirmed<&'static str> {
        let mut unconfirmed = Unconfirmed::default();
        jobs.into_iter().for_each(|job| unconfirmed.published(job));
        unconfirmed
    }

    #[test]
    fn one_confirmation_may_be_about_several() {
        let mut unconfirmed = on_the_way(["a", "b", "c"]);
        assert_eq!(unconfirmed.confirmed(2, true, true), [("a", Outcome::Taken), ("b", Outcome::Taken)]);
        assert_eq!(unconfirmed.confirmed(3, false, false), [("c", Outcome::Rejected)]);
        assert_eq!(unconfirmed.confirmed(3, true, true), []);
    }

    #[test]
    fn what_is_returned_is_confirmed_as_well() {
        let mut unconfirmed = on_the_way(["a", "b"]);
        assert!(unconfirmed.returned(|job| *job == "b"));
        assert!(!unconfirmed.returned(|job| *job == "b"), "it is returned once");
        assert_eq!(unconfirmed.confirmed(1, false, true), [("a", Outcome::Taken)]);
        assert_eq!(unconfirmed.confirmed(2, false, true), [("b", Outcome::Unroutable)]);
    }

    /// What a broker does with a message.
    #[derive(Clone, Copy, Debug)]
    enum Does {
        Take,
        Reject,
        Return,
    }

    proptest! {
        /// In whatever order the broker decides, and however many in one, each job has exactly the outcome of its message.
        #[test]
        fn every_job_has_the_outcome_of_its_message(
            does in proptest::collection::vec(
                prop_oneof![Just(Does::Take), Just(Does::Reject), Just(Does::Return)], 1..40),
            seeds in proptest::collection::vec(any::<prop::sample::Index>(), 80),
        ) {
            let mut unconfirmed = Unconfirmed::default();
            (1..).zip(&does).for_each(|(number, _): (u64, _)| unconfirmed.published(number));
            let mut open: Vec<u64> = (1..).take(does.len()).collect();
            let of = |number: u64| does[usize::try_from(number).unwrap() - 1];
            let mut outcomes = BTreeMap::new();
            for seed in &seeds {
                if open.is_empty() {
                    break;
                }
                let number = open.remove(seed.index(open.len()));
                if matches!(of(number), Does::Return) {
                    unconfirmed.returned(|job| *job == number);
                }
                // All before it that are still open and have the same fate may be confirmed in the same frame.
                let is_alike = |other: &u64| matches!((of(*other), of(number)), (Does::Take, Does::Take));
                let multiple = open.iter().filter(|other| **other < number).all(is_alike);
                if multiple {
                    open.retain(|other| *other > number);
                }
                outcomes.extend(unconfirmed.confirmed(number, multiple, !matches!(of(number), Does::Reject)));
            }
            for (number, outcome) in outcomes {
                let expected = match of(number) {
                    Does::Take => Outcome::Taken,
                    Does::Reject => Outcome::Rejected,
                    Does::Return => Outcome::Unroutable,
                };
                prop_assert_eq!(outcome, expected);
            }
            prop_assert!(unconfirmed.open.len() == open.len());
        }
    }
}
