//! What the attribute makes of a function: a type that implements [`Function`].
//!
//! Types only. Nothing in here knows how a call travels; the codecs know how it is written down.

use std::time::Duration;

use crate::arguments::Signature;
use crate::codec::PythonOptions;
use crate::error::CallError;
use crate::message::Dialect;

mod description;
mod implements;
mod returns;
#[cfg(test)]
mod tests;

pub use description::{
    BytesDescription, Described, Description, DescriptionOf, Parameter, Place, TextDescription, TypeDescription,
    Undescribed,
};
pub use implements::{refuse_other_arguments, same_argument, same_error, same_names, same_output};
pub use returns::{
    ErrorOfReturn, Failure, Fallible, Infallible, NoResult, Output, OutputOfReturn, Replying, Return, ReturnType,
    refuse_result,
};

/// A function that can be called by message: `#[guirpc::function]` implements it for the stub.
///
/// The stub is an uninhabited type of the function's name, so generic code names it like any other type:
///
/// ```
/// use guirpc::{Function, Signature};
///
/// /// Adds two integers.
/// #[guirpc::function(service = "math")]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// fn describe<F: Function>() -> String {
///     format!("{}.{}({})", F::SERVICE, F::NAME, F::PARAMETERS.join(", "))
/// }
///
/// assert_eq!(describe::<add>(), "math.add(a, b)");
/// ```
///
/// Its types are reached through [`ArgumentsOf`](crate::ArgumentsOf), [`OutputOf`] and [`ErrorOf`].
pub trait Function: Signature {
    /// The name by which it is called.
    const NAME: &'static str;
    /// The service that it belongs to, unless a client says otherwise.
    const SERVICE: &'static str;
    /// The lane that serves it: a queue and workers of its own beside those of its service.
    const LANE: Option<&'static str> = None;
    /// How long a caller waits, unless the client says otherwise.
    const TIMEOUT: Option<Duration>;
    /// Whether it is safe to run twice for one call.
    const IDEMPOTENT: bool;
    /// Whether calls that are made while others are unanswered travel together, unless the client says otherwise.
    const COALESCE: bool = false;
    /// How a caller writes the request, unless the client says otherwise.
    const DIALECT: Dialect = Dialect::Native;
    /// How requests and replies are written in Python's dialect.
    const PYTHON: PythonOptions = PythonOptions::new();
    /// The hash of the contract that callers were made from, which they say in the header `guirpc-contract`.
    const CONTRACT: Option<&'static str> = None;
    /// What it returns.
    #[doc(hidden)]
    type Return: Return<Output: Output, Failure: Failure>;
}

/// What a successful call of `F` yields.
pub type OutputOf<F> = <<F as Function>::Return as Return>::Output;

/// The error that `F` itself returns; [`std::convert::Infallible`] if it returns none.
pub type ErrorOf<F> = <<F as Function>::Return as Return>::Error;

/// What a call of `F` yields: its output, or why there is none.
pub type CallResult<F> = Result<OutputOf<F>, CallError<ErrorOf<F>>>;
