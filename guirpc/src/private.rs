//! Everything that an expansion of `#[guirpc::function]` may name. Not for anybody else.
//!
//! Its public name bears the version, so that two versions of guirpc in one program cannot be mixed up unnoticed.

pub use std::result::Result::Ok;

pub use inventory;

#[cfg(feature = "main")]
pub use crate::app::{Program, main};
pub use crate::arguments::{Argument, Arguments, ArgumentsOf, Arity, BytesArgument, Signature, Takes, TextArgument};
pub use crate::client::{CallFuture, CallMany, CallManyStream, Client, Pending, SendResult, StartResult};
pub use crate::codec::{PythonOptions, PythonSerializer, PythonTextCodec};
/// For the command `guirpc`, which comes in the same version.
#[cfg(feature = "config")]
pub use crate::config::package_of;
pub use crate::context::Context;
/// For the command `guirpc`.
pub use crate::error::masked;
/// For the command `guirpc`.
pub use crate::exit::{Exit, exit_codes};
pub use crate::function::{
    BytesDescription, CallResult, Described, Description, DescriptionOf, ErrorOfReturn, Failure, Fallible, Function,
    Infallible, NoResult, Output, OutputOfReturn, Parameter, Place, Replying, Return, ReturnType, TextDescription,
    TypeDescription, Undescribed, refuse_other_arguments, refuse_result, same_argument, same_error, same_names,
    same_output,
};
#[cfg(feature = "tokio")]
pub use crate::invocation::answer_future;
pub use crate::invocation::{Answer, Invocation};
pub use crate::message::Dialect;
pub use crate::registry::{Ack, Called, Invoke, Registered, Registration, StateType};
