//! One request on its way through one function: what the code that the attribute generates is made of.
//!
//! It is there in every program, also in one that only calls: the attribute does not know which it is in.

use std::fmt;
use std::sync::OnceLock;
#[cfg(feature = "tokio")]
use std::{future::Future, pin::Pin};

use crate::arguments::{ArgumentsOf, UnknownNames};
use crate::codec::{self, DecodeError, Format, PythonOptions, Unreadable};
use crate::context::{Context, StateMap};
use crate::error::{Fault, Refusal};
use crate::function::{Failure, Function, Output, Return};
use crate::log::{error, warn};
use crate::message::{EncodedReply, IGNORED_ARGUMENTS_OF, Request, status};

/// What comes of running a function, or why it was not run.
pub type Answer = Result<EncodedReply, NotRun>;

/// What comes of running an `async fn`.
#[cfg(feature = "tokio")]
pub(crate) type AnswerFuture<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// The future of a function's code.
#[cfg(feature = "tokio")]
pub fn answer_future<'a>(future: impl Future<Output = Answer> + Send + 'a) -> AnswerFuture<'a> {
    Box::pin(future)
}

/// Why a function was not run.
#[derive(Debug)]
pub enum NotRun {
    /// It was declined.
    Refused(Refusal),
    /// The request, of Python's dialect, could not become arguments.
    Unreadable(PythonOptions, Unreadable),
}

impl From<Refusal> for NotRun {
    fn from(refusal: Refusal) -> Self {
        NotRun::Refused(refusal)
    }
}

/// One request on its way through one function: what the code that the attribute generates works with.
pub struct Invocation<'a> {
    /// The function's name.
    pub(crate) function: &'static str,
    pub(crate) request: &'a Request,
    pub(crate) format: Format,
    pub(crate) context: Context<'a>,
    pub(crate) state: &'a StateMap,
    /// Whether arguments that the function does not take are refused.
    pub(crate) refuses_unknown: bool,
    /// Those that were ignored.
    pub(crate) ignored: OnceLock<String>,
}

impl<'a> Invocation<'a> {
    /// The arguments, decoded; those that are borrowed point into the request.
    ///
    /// # Errors
    /// They do not decode, or there are others that are to be refused (400), or this content type cannot carry them (415).
    pub fn arguments<F: Function>(&self) -> Result<ArgumentsOf<'a, F>, NotRun> {
        match self.format {
            Format::Native(codec) => {
                let mut unknown = UnknownNames::default();
                let arguments = codec.decode_arguments::<F>(&self.request.body, &mut unknown).map_err(|error| {
                    let status = match error {
                        DecodeError::Invalid(_) => status::BAD_REQUEST,
                        DecodeError::Unsupported(_) => status::UNSUPPORTED_CONTENT_TYPE,
                    };
                    Refusal::new(status, format!("`{}` cannot be called so: {error}", self.function))
                })?;
                if !unknown.is_empty() {
                    self.note_unknown(unknown)?;
                }
                Ok(arguments)
            }
            Format::Python(options) => {
                options.decode_arguments::<F>(&self.request.body).map_err(|why| NotRun::Unreadable(options, why))
            }
        }
    }

    /// The state of this type.
    ///
    /// # Panics
    /// If it is missing, which a dispatcher checks when it is made.
    pub fn state<T: 'static>(&self) -> &T {
        self.state.find().expect("the server checks before it starts that all state is there")
    }

    /// The call.
    pub fn context(&self) -> &Context<'a> {
        &self.context
    }

    /// What the function returned, encoded.
    ///
    /// # Errors
    /// Never: the function has run. The type is that of the code around it.
    pub fn answer<F: Function>(&self, returned: <F::Return as Return>::Value) -> Answer {
        let encoded = match F::Return::reply(returned) {
            Ok(reply) => {
                let (status, headers, output) = reply.into_parts();
                output.encode(self.format, status, headers)
            }
            Err(failure) => {
                self.log_sources(failure.as_fault());
                failure.encode(self.format)
            }
        };
        Ok(encoded.unwrap_or_else(|error| {
            let message = format!("what `{}` returned {error}", self.function);
            error!(function = self.function, correlation_id = self.request.correlation_id, "{message}");
            codec::unexpected(self.format, "SerializationError", &message)
        }))
    }
}

impl Invocation<'_> {
    #[cold]
    fn note_unknown(&self, unknown: UnknownNames) -> Result<(), Refusal> {
        if self.refuses_unknown {
            let message = format!("`{}`{IGNORED_ARGUMENTS_OF}{unknown}", self.function);
            return Err(Refusal::new(status::BAD_REQUEST, message));
        }
        // They are read once.
        let _ = self.ignored.set(unknown.into_text());
        Ok(())
    }

    /// What lies behind a fault is for us to see, not for the caller.
    fn log_sources(&self, fault: Option<&Fault>) {
        let Some(source) = fault.and_then(Fault::source) else { return };
        let sources: Vec<String> =
            std::iter::successors(source.source(), |error| error.source()).map(ToString::to_string).collect();
        warn!(
            function = self.function,
            correlation_id = self.request.correlation_id,
            "failed: {source}: {}",
            sources.join(": ")
        );
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("context", &self.context).finish_non_exhaustive()
    }
}
