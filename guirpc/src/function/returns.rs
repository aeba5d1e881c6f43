//! What a function returns: an output, or a `Result` of one, each perhaps inside a [`Reply`].

use std::convert;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, DecodeError, EncodeError, Format};
use crate::error::Fault;
use crate::message::{EncodedReply, Headers, Reply};

/// A return type, taken apart.
///
/// No implementation asks anything of the output or of the error: [`Function`](super::Function) does, once,
/// so that a missing `derive` is one error in the user's code and not one for each use.
#[diagnostic::on_unimplemented(
    message = "the return type is no `Result`, although it is taken for one",
    label = "not a `Result`",
    note = "a return type whose name ends in `Result` is taken for a `Result`; if it is data, write \
            `#[guirpc::function(infallible)]`"
)]
pub trait Return {
    /// What the function returns.
    type Value;
    /// What its caller gets.
    type Output;
    /// What stands for its error where errors travel; `Never` if it has none.
    type Failure;
    /// The error that its caller gets.
    type Error;

    /// What is to be sent.
    fn reply(value: Self::Value) -> Result<Reply<Self::Output>, Self::Failure>;

    /// The error as its caller gets it.
    fn error(failure: Self::Failure) -> Self::Error;
}

/// What its caller gets of a return type.
pub type OutputOfReturn<R> = <R as Return>::Output;

/// The error that its caller gets of a return type.
pub type ErrorOfReturn<R> = <R as Return>::Error;

/// A function that returns `T`.
pub struct Infallible<T>(PhantomData<T>);

impl<T> Return for Infallible<T> {
    type Value = T;
    type Output = T;
    type Failure = Never;
    type Error = convert::Infallible;

    fn reply(value: T) -> Result<Reply<T>, Never> {
        Ok(Reply::new(value))
    }

    fn error(never: Never) -> convert::Infallible {
        match never {}
    }
}

/// A function that returns `R`, which is a `Result` by whatever name.
pub struct Fallible<R>(PhantomData<R>);

#[diagnostic::do_not_recommend]
impl<R: Outcome> Return for Fallible<R> {
    type Value = R;
    type Output = R::Output;
    type Failure = R::Error;
    type Error = R::Error;

    fn reply(value: R) -> Result<Reply<R::Output>, R::Error> {
        value.into_result().map(Reply::new)
    }

    fn error(error: R::Error) -> R::Error {
        error
    }
}

/// A function that returns `R`, the output of which is a [`Reply`].
pub struct Replying<R>(PhantomData<R>);

#[diagnostic::do_not_recommend]
impl<T, R: Return<Output = Reply<T>>> Return for Replying<R> {
    type Value = R::Value;
    type Output = T;
    type Failure = R::Failure;
    type Error = R::Error;

    fn reply(value: R::Value) -> Result<Reply<T>, R::Failure> {
        R::reply(value).map(Reply::into_value)
    }

    fn error(failure: R::Failure) -> R::Error {
        R::error(failure)
    }
}

/// Any `Result`: reaches the two types in it through an alias too.
pub trait Outcome {
    /// The type of its `Ok`.
    type Output;
    /// The type of its `Err`.
    type Error;

    /// Itself.
    fn into_result(self) -> Result<Self::Output, Self::Error>;
}

impl<T, E> Outcome for Result<T, E> {
    type Output = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

/// A value that can be sent back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a served function",
    label = "not both `serde::Serialize` and `serde::Deserialize`",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}` and on the types in it",
    note = "a `guirpc::Reply<T>` is recognised by its name, so it cannot hide behind an alias"
)]
pub trait Output: Sized {
    /// The reply that carries it.
    fn encode(&self, format: Format, status: u16, headers: Headers) -> Result<EncodedReply, EncodeError>;

    /// The value, from the body of a reply that carries one.
    fn decode(format: Format, body: &[u8]) -> Result<Self, DecodeError>;
}

// serde's traits are not supertraits: the compiler would complain of each of them, in serde's words.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Output for T {
    fn encode(&self, format: Format, status: u16, headers: Headers) -> Result<EncodedReply, EncodeError> {
        codec::output(format, status, headers, self)
    }

    fn decode(format: Format, body: &[u8]) -> Result<Self, DecodeError> {
        format.decode(body)
    }
}

/// The error of a function that has none.
pub enum Never {}

/// An error that can be sent back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a served function",
    label = "this error cannot be sent",
    note = "return `Result<T, guirpc::Fault>`: `?` turns every `std::error::Error` into a `Fault`, and \
            `.or_fault(status)?` anything else that can be shown",
    note = "or give `{Self}` `serde::Serialize`, `serde::Deserialize` and `std::fmt::Display`, and it arrives typed"
)]
pub trait Failure: Sized {
    /// The reply that tells the caller.
    fn encode(&self, format: Format) -> Result<EncodedReply, EncodeError>;

    /// The error, from the body of a reply that a function's own error made.
    fn decode(format: Format, body: &[u8]) -> Result<Self, DecodeError>;

    /// The fault, if it is one: there may be more in it for the server's log than travels.
    fn as_fault(&self) -> Option<&Fault> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<E: Serialize + DeserializeOwned + fmt::Display> Failure for E {
    fn encode(&self, format: Format) -> Result<EncodedReply, EncodeError> {
        codec::function_error(format, self)
    }

    fn decode(format: Format, body: &[u8]) -> Result<Self, DecodeError> {
        format.decode(body)
    }
}

impl Failure for Fault {
    fn encode(&self, format: Format) -> Result<EncodedReply, EncodeError> {
        Ok(codec::fault(format, self))
    }

    fn decode(_format: Format, _body: &[u8]) -> Result<Self, DecodeError> {
        Err(unexpected("a `Fault`"))
    }

    fn as_fault(&self) -> Option<&Fault> {
        Some(self)
    }
}

impl Failure for Never {
    fn encode(&self, _format: Format) -> Result<EncodedReply, EncodeError> {
        match *self {}
    }

    fn decode(_format: Format, _body: &[u8]) -> Result<Self, DecodeError> {
        Err(unexpected("no error at all"))
    }
}

fn unexpected(expected: &str) -> DecodeError {
    DecodeError::Unsupported(format!("the service sent an error of a type of its own, the stub expects {expected}"))
}

/// Tells whether `R` is a `Result` in disguise; see [`refuse_result`].
///
/// The constant in its own implementation is preferred over that of the trait [`NoResult`],
/// which is how a plain type can be asked what it is not.
pub struct ReturnType<R>(PhantomData<R>);

impl<T, E> ReturnType<Result<T, E>> {
    /// It is one.
    pub const IS_RESULT: bool = true;
}

/// The other half of [`ReturnType`]: what holds for all types for which nothing else is said.
pub trait NoResult {
    /// It is none.
    const IS_RESULT: bool = false;
}

impl<R> NoResult for ReturnType<R> {}

/// Stops the compilation of a function that is taken for one that cannot fail, and yet returns a `Result`.
///
/// Sent as an output, an `Err` would look like a success to its caller.
///
/// # Panics
/// If it is one: at compile time, with what to do about it.
#[track_caller]
pub const fn refuse_result(is_result: bool) {
    assert!(
        !is_result,
        "this return type is a `Result` under a name that does not end in `Result`: write \
         `#[guirpc::function(fallible)]`"
    );
}
