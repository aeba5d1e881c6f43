//! Collects mistakes, so that one does not hide the next.

use quote::ToTokens;
use syn::{Error, Result};

/// What is wrong so far.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    /// Adds a mistake: the tokens to underline, and what is wrong with them in words.
    pub(crate) fn note(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(tokens, message));
    }

    pub(crate) fn add(&mut self, mistake: Error) {
        match &mut self.0 {
            Some(mistakes) => mistakes.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    /// The value, or `None` and one mistake more.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|mistake| self.add(mistake)).ok()
    }

    /// The value, if nothing was wrong.
    pub(crate) fn unless_any<T>(self, value: Option<T>) -> Result<T> {
        match (self.0, value) {
            (None, Some(value)) => Ok(value),
            (Some(mistakes), _) => Err(mistakes),
            (None, None) => Err(Error::new(proc_macro2::Span::call_site(), "this function cannot be served")),
        }
    }
}
