//! What services said of arguments that they ignored.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::log::Field;
use crate::message::IGNORED_ARGUMENTS_OF;

/// Of so many functions it is kept that they ignored an argument.
const MOST_IGNORING: usize = 1000;

/// What services said of arguments that they ignored, by service and function.
#[derive(Debug, Default)]
pub(super) struct IgnoredArguments(Mutex<BTreeMap<(String, String), String>>);

impl IgnoredArguments {
    /// Notes what a service ignored; whether it is the first time for the function with which the sentence begins.
    pub(super) fn note(&self, service: &str, ignored: &str) -> bool {
        // On one line and not too long, whatever the service says.
        let ignored = ignored.logged();
        let function = ignored.split(IGNORED_ARGUMENTS_OF).next().unwrap_or_default();
        let mut noted = self.noted();
        let key = (service.to_owned(), function.to_owned());
        // There are not so many functions; a service that makes them up gets no more memory.
        let has_room = noted.len() < MOST_IGNORING || noted.contains_key(&key);
        has_room && noted.insert(key, ignored).is_none()
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.noted().values().cloned().collect()
    }

    fn noted(&self) -> MutexGuard<'_, BTreeMap<(String, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_ignores_is_new_once() {
        let noted = IgnoredArguments::default();
        let said = ["`find` has no argument `limt`", "`find` has no argument `nmae`", "`add` has no argument `c`"];
        assert_eq!(said.map(|said| noted.note("users", said)), [true, false, true]);
        assert!(noted.note("other users", said[0]) && !noted.note("other users", said[0]));
        for number in 0..10_000 {
            noted.note("users", &format!("`{number}` has no argument `c`"));
        }
        assert_eq!(noted.all().len(), MOST_IGNORING);
        assert!(noted.all().contains(&said[1].to_owned()));
    }
}
