//! Faults: the ready-made error of a function.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use serde_json::Value;

use super::CallError;
use crate::message::status;

#[cfg(test)]
mod tests;

/// The ready-made error of a function: a status, a message and, if wanted, details.
///
/// Use it where a caller needs no error type of its own to react:
/// `?` turns every [`std::error::Error`] into a fault of status 500, and [`OrFault::or_fault`] gives another status.
/// The sources of such an error go to the server's log only, never to the caller.
///
/// A `Fault` is deliberately not a [`std::error::Error`] itself (else `?` could not take them all);
/// the caller's [`CallError`] is one.
/// Where a boxed error is returned, `?` takes a fault all the same; where an `anyhow::Error` is, with the cargo feature
/// `anyhow`. It arrives as [`CallError::Fault`], which `?` turns into the same fault again.
///
/// ```
/// use guirpc::{Fault, OrFault};
///
/// fn parse(text: &str) -> Result<i64, Fault> {
///     let number: i64 = text.trim().parse().or_fault(400)?;
///     if number < 0 {
///         return Err(Fault::new(409, "negative numbers are taken"));
///     }
///     Ok(number)
/// }
///
/// assert_eq!(parse("12").unwrap(), 12);
/// assert_eq!(parse("twelve").unwrap_err().status(), 400);
/// assert_eq!(parse("-1").unwrap_err().message(), "negative numbers are taken");
/// ```
pub struct Fault {
    status: u16,
    message: String,
    details: Option<Value>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault with a status from 400 to 599 (as in HTTP: 4xx blames the caller, 5xx the service).
    ///
    /// Any other status would read as a success or as nothing at all, so it becomes 500.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        let status = if (400..600).contains(&status) { status } else { status::INTERNAL };
        Fault { status, message: message.into(), details: None, source: None }
    }

    /// Adds details for programs: any JSON.
    pub fn with_details(mut self, details: impl Into<Value>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The status, from 400 to 599.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What went wrong, for programs.
    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    /// What the function met, for the server's own log; it does not travel.
    pub(crate) fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Fault");
        shown.field("status", &self.status).field("message", &self.message);
        if let Some(details) = &self.details {
            shown.field("details", details);
        }
        shown.finish_non_exhaustive()
    }
}

/// Equal if the caller could see no difference.
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.message, &self.details) == (other.status, &other.message, &other.details)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        // The fault of a function that this function called keeps its status.
        let mut error = Some(error);
        let any: &mut dyn Any = &mut error;
        if let Some(error) = any.downcast_mut::<Option<CallError>>() {
            return Fault::from_call(error.take());
        }
        if let Some(error) = any.downcast_mut::<Option<CallError<Fault>>>() {
            return Fault::from_call(error.take());
        }
        Fault::from_source(status::INTERNAL, error.map(|error| Box::new(error) as _))
    }
}

impl Fault {
    fn from_call<E: fmt::Display + fmt::Debug + Send + Sync + 'static>(error: Option<CallError<E>>) -> Self {
        match error {
            Some(CallError::Fault(fault)) => fault,
            other => Fault::from_source(status::INTERNAL, other.map(|error| Box::new(error) as _)),
        }
    }

    fn from_source(status: u16, source: Option<Box<dyn Error + Send + Sync>>) -> Self {
        let message = source.as_ref().map_or_else(String::new, ToString::to_string);
        Fault { source: source.filter(|error| error.source().is_some()), ..Fault::new(status, message) }
    }
}

/// So that `?` takes a fault where a boxed error is returned; it arrives as a [`CallError::Fault`].
impl From<Fault> for Box<dyn Error + Send + Sync> {
    fn from(fault: Fault) -> Self {
        Box::new(CallError::<Infallible>::Fault(fault))
    }
}

/// As for those that are `Send` and `Sync`.
impl From<Fault> for Box<dyn Error> {
    fn from(fault: Fault) -> Self {
        Box::new(CallError::<Infallible>::Fault(fault))
    }
}

/// So that `?` takes a fault where an [`anyhow::Error`] is returned; it arrives as a [`CallError::Fault`].
#[cfg(feature = "anyhow")]
impl From<Fault> for anyhow::Error {
    fn from(fault: Fault) -> Self {
        anyhow::Error::new(CallError::<Infallible>::Fault(fault))
    }
}

/// Turns the error of a `Result`, or the absence of a value, into a [`Fault`] with a status of one's choice.
///
/// It takes every `Display`: also `anyhow::Error`, boxed errors and plain texts, which `?` cannot take
/// because they are no [`std::error::Error`].
pub trait OrFault<T> {
    /// The value, or a fault of this status whose message is what the error displays.
    fn or_fault(self, status: u16) -> Result<T, Fault>;
}

impl<T, E: fmt::Display> OrFault<T> for Result<T, E> {
    fn or_fault(self, status: u16) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(status, error.to_string()))
    }
}

impl<T> OrFault<T> for Option<T> {
    /// The value, or a fault of this status whose message is that there is none.
    fn or_fault(self, status: u16) -> Result<T, Fault> {
        self.ok_or_else(|| Fault::new(status, "no such value"))
    }
}
