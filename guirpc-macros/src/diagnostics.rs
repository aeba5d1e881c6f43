//! Collects compile errors, so that the first does not hide the others.

use quote::ToTokens;
use syn::{Error, Result};

/// The compile errors so far.
#[derive(Default)]
pub(crate) struct Diagnostics(Option<Error>);

impl Diagnostics {
    /// Adds an error: the tokens to underline, and what is wrong with them in words.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or `None` and one error more.
    pub(crate) fn handle<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The errors, all in one.
    pub(crate) fn into_error(self) -> Option<Error> {
        self.0
    }

    /// The value, if there was no error.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T> {
        match (self.0, value) {
            (None, Some(value)) => Ok(value),
            (Some(errors), _) => Err(errors),
            (None, None) => Err(Error::new(proc_macro2::Span::call_site(), "this function cannot be served")),
        }
    }
}
