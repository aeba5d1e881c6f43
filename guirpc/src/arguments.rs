//! The arguments of a function as a list that any codec can write and read.
//!
//! serde's side only: nothing in here knows a codec, or what becomes of the arguments.

mod argument;
mod list;
mod receive;
mod unknown;

pub use argument::{Argument, BytesArgument, TextArgument};
pub(crate) use argument::{BYTES, Compact};
pub use list::{Arguments, Arity, Takes};
#[allow(unreachable_pub, reason = "it is in the signature of a hidden trait")]
pub use unknown::UnknownNames;

pub(crate) use list::{Alone, Named, not_one};
pub(crate) use receive::{AloneSeed, NamedSeed, TrackedSeed, argument_place, missing_text};

/// What a function takes.
///
/// Every [`Function`](crate::Function) has it; `#[guirpc::function]` implements both.
pub trait Signature: Sized {
    /// The names of its arguments, in order.
    const PARAMETERS: &'static [&'static str];
    /// How many arguments it takes; which ones, [`Takes`] says.
    #[doc(hidden)]
    type Arity: Arguments<Self>;
}

/// The arguments of `F` as a tuple.
///
/// A `&str` is a [`TextArgument`] in it, a `&[u8]` is a [`BytesArgument`]: like the function they may borrow what they hold.
pub type ArgumentsOf<'a, F> = <<F as Signature>::Arity as Arguments<F>>::Values<'a>;
