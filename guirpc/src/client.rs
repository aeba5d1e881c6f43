//! Calling: a [`Client`], and what it gives for a call that is under way, a [`Pending`].

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use crate::arguments::ArgumentsOf;
use crate::broker::Outbound;
use crate::codec::Format;
use crate::config::{Coalescing, DEFAULT_TIMEOUT};
use crate::error::CallError;
use crate::function::{CallResult, ErrorOf, Function, OutputOf};
use crate::health::ConnectionStatus;
use crate::log::warn;
#[cfg(feature = "metrics")]
use crate::metrics::CallTimes;
use crate::trace::CallSpan;

mod backlog;
mod batches;
mod by_name;
mod call_many;
mod call_options;
mod calls;
mod clock_skew;
#[cfg(feature = "config")]
mod configured;
mod confirms;
mod connect;
mod core;
mod correlation;
mod driver;
mod events;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod ignored_arguments;
#[cfg(feature = "metrics")]
mod metrics;
mod outcome;
mod pending;
mod queue;
mod replies;
mod request;
mod routes;
mod settings;
mod waiter;
mod window;

pub use backlog::Backlog;
pub use call_many::{CallMany, CallManyStream};
use call_options::CallOptions;
use calls::{NewCall, QueueFull};
use connect::Connected;
use pending::CallHandle;
pub use pending::Pending;
use request::Callee;
use settings::Settings;
use waiter::Waiter;

/// A century is as good as for ever, and no clock overflows when it is added.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

/// A server puts no more bytes of replies into one message, by far.
const REPLIES_TOGETHER: usize = 128 << 10;

/// What a call of `F` yields that is not waited for yet.
pub type StartResult<F> = Result<Pending<OutputOf<F>, ErrorOf<F>>, CallError<ErrorOf<F>>>;

/// What a call of `F` yields that is awaited: a future of what [`CallResult`] has.
pub type CallFuture<F> = Pending<OutputOf<F>, ErrorOf<F>>;

/// What sending a call yields that nobody waits for: whether the broker has taken it.
pub type SendResult = Result<(), CallError>;

/// A caller of functions: one connection to the broker, shared by any number of threads and tasks.
///
/// Each operation that waits has two forms: one that blocks its thread, and one that ends in `_async`, which blocks none
/// and needs no particular runtime. Neither [`start`](Client::start) nor polling a [`Pending`] ever blocks.
///
/// It is cheap to clone; what changes a setting ([`with_timeout`](Client::with_timeout), [`with_header`](Client::with_header), …)
/// gives a changed copy on the same connection, so it can be used for a single call:
///
/// ```no_run
/// # use std::time::Duration;
/// # #[guirpc::function] fn add(a: i64, b: i64) -> i64 { a + b }
/// let client = guirpc::Client::connect("amqp://localhost")?;
/// let sum = add::call(&client, 2, 3)?;
/// let patient = add::call(&client.with_timeout(Duration::from_secs(60)), 2, 3)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A connection that is lost is opened again in the background, for as long as the client lives;
/// [`status`](Client::status) says how that stands.
/// Calls that were in flight fail at once, unless their function is `idempotent`: these are made again on the new
/// connection, under the same correlation id, until their own deadline.
/// Later calls are queued in the client until theirs, up to [`max_queued`](Client::with_max_queued) bytes.
///
/// Inside a function, a call waits no longer than the caller of that function does; see [`Scope`](crate::Scope).
#[derive(Clone)]
pub struct Client {
    connected: Arc<Connected>,
    settings: Settings,
}

#[allow(clippy::needless_pass_by_value, reason = "arguments are given away, as in a call of the function itself")]
impl Client {
    /// Calls `F` and waits for its output; the stub's `call` does this.
    pub fn call<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> CallResult<F> {
        self.start::<F>(arguments)?.wait()
    }

    /// Calls `F`, and gives a future of its output; the stub's `call_async` does this.
    ///
    /// The call is made at once, whether or not the future is polled; dropping it gives the call up.
    /// It is as [`start`](Client::start), but for what is wrong with the call itself: that is the outcome, too.
    pub fn call_async<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> CallFuture<F> {
        Pending::of(self.begin_function::<F>(&arguments), outcome::decode::<F>)
    }

    /// Calls `F` without waiting yet; the stub's `start` does this.
    ///
    /// It never blocks and needs no connection: what cannot be published now is queued.
    ///
    /// # Errors
    /// Something is wrong with the call itself, or too much is queued already ([`CallError::Backpressure`]).
    /// What becomes of it afterwards, the [`Pending`] says.
    pub fn start<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> StartResult<F> {
        let call = self.begin_function::<F>(&arguments).map_err(CallError::widen)?;
        Ok(Pending::new(call, outcome::decode::<F>))
    }

    /// Sends a request without a reply (fire-and-forget); the stub's `send` does this.
    ///
    /// It returns when the broker has the message: it is persistent, and survives a restart of the broker
    /// in the service's durable queue.
    /// If the connection is lost before that, what is `idempotent` is sent again.
    ///
    /// In [`Dialect::Python`](crate::Dialect::Python) the queue is the consumer's own, which is not durable unless the consumer is of this
    /// library and says so: a restart of the broker then loses what is in it, persistent or not.
    ///
    /// # Errors
    /// The broker did not take it, or did not say so in time.
    pub fn send<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> SendResult {
        Pending::of(self.begin_function_send::<F>(&arguments), outcome::decode_nothing).wait()
    }

    /// Sends as [`send`](Client::send) does, and gives a future that is ready when the broker has the message; the
    /// stub's `send_async` does this.
    ///
    /// It is sent at once, whether or not the future is polled.
    pub fn send_async<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> Pending<()> {
        Pending::of(self.begin_function_send::<F>(&arguments), outcome::decode_nothing)
    }

    /// How many replies have come after their caller had given up, over the life of this client.
    pub fn late_replies(&self) -> u64 {
        self.connected.core.late_replies()
    }

    /// What services said of arguments that they ignored, since their functions do not take them; one sentence for each
    /// function, the last: "`find` has no argument `limt`, did you mean `limit`?".
    ///
    /// A misspelt name is such an argument, and so is one that the service is too old to know. The first time for each
    /// function is also in the log, as a warning.
    pub fn ignored_arguments(&self) -> Vec<String> {
        self.connected.core.ignored_arguments.all()
    }

    /// How the client stands with its broker at the moment.
    ///
    /// The broker says that it is blocked only to those who publish, so it may be blocked before this shows it.
    pub fn status(&self) -> ConnectionStatus {
        self.connected.core.status()
    }

    fn begin_function<F: Function>(&self, arguments: &ArgumentsOf<'_, F>) -> Result<CallHandle, CallError> {
        self.make(&self.prepare_function::<F>(arguments)?)
    }

    /// A call that is yet to be made.
    fn prepare_function<F: Function>(&self, arguments: &ArgumentsOf<'_, F>) -> Result<Prepared, CallError> {
        let callee = Callee::of::<F>(self.format(F::DIALECT, F::PYTHON));
        let body = encode::<F>(callee.format, arguments)?;
        self.prepare_call(&callee, body)
    }

    fn begin_function_send<F: Function>(&self, arguments: &ArgumentsOf<'_, F>) -> Result<CallHandle, CallError> {
        let callee = Callee::of::<F>(self.format(F::DIALECT, F::PYTHON));
        let body = encode::<F>(callee.format, arguments)?;
        self.begin_send(&callee, body)
    }

    fn begin_call(&self, callee: &Callee, body: Vec<u8>) -> Result<CallHandle, CallError> {
        self.make(&self.prepare_call(callee, body)?)
    }

    fn prepare_call(&self, callee: &Callee, body: Vec<u8>) -> Result<Prepared, CallError> {
        let timeout = self.settings.timeout.or(callee.timeout).unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let coalescing = self.settings.coalescing_of(callee);
        if coalescing.is_some() {
            // Such a message is larger than each reply in it.
            self.connected.core.body_limit.raise(REPLIES_TOGETHER);
        }
        let (request, span) = self.outbound(callee, body, true)?;
        Ok(self.prepared(callee, (request, span), timeout, Purpose::Call { coalescing }))
    }

    fn begin_send(&self, callee: &Callee, body: Vec<u8>) -> Result<CallHandle, CallError> {
        static WARNED: Once = Once::new();
        if matches!(callee.format, Format::Python(_)) {
            WARNED.call_once(|| {
                warn!(
                    "a message sent to a consumer in Python is lost if the broker restarts: its queue is not durable"
                );
            });
        }
        let timeout = self.settings.timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let expires = self.settings.expires.map(|expires| expires.min(LONGEST_TIMEOUT));
        let outbound = self.outbound(callee, body, false)?;
        self.make(&self.prepared(callee, outbound, timeout, Purpose::Send { expires }))
    }

    #[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, reason = "nothing is measured"))]
    fn prepared(
        &self,
        callee: &Callee,
        (request, span): (Arc<Outbound>, CallSpan),
        timeout: Duration,
        purpose: Purpose,
    ) -> Prepared {
        Prepared {
            request,
            span,
            timeout,
            idempotent: callee.idempotent,
            purpose,
            #[cfg(feature = "metrics")]
            times: self.times_of(callee),
        }
    }

    /// Makes a call that is not made again if there is no room for it.
    fn make(&self, prepared: &Prepared) -> Result<CallHandle, CallError> {
        self.begin(prepared).inspect_err(|error| prepared.fail(error))
    }

    fn begin(&self, prepared: &Prepared) -> Result<CallHandle, CallError> {
        let Prepared { request, span, timeout, idempotent, purpose, .. } = prepared;
        let (timeout, idempotent, routing_key) = (*timeout, *idempotent, request.routing_key.clone());
        let (options, expires, coalescing) = match purpose {
            Purpose::Call { coalescing } => (CallOptions::until_outer(timeout, idempotent)?, None, *coalescing),
            Purpose::Send { expires } => (CallOptions::new(timeout, idempotent), *expires, None),
        };
        let (waiter, receiver) = Waiter::new(span.clone());
        #[cfg(feature = "metrics")]
        let waiter = waiter.measured_by(prepared);
        let (request, deadline) = (Arc::clone(request), options.deadline);
        let call = NewCall { waiter, request, deadline, idempotent, expires, coalescing };
        let entered = self.connected.core.enter(call, self.settings.max_queued);
        let number = entered.map_err(|QueueFull { bytes }| CallError::Backpressure { queued: bytes })?;
        let (client, max_body) = (Arc::clone(&self.connected), self.settings.max_body);
        Ok(CallHandle::new(client, number, receiver, routing_key, options, max_body))
    }
}

/// A call or a send that can be made.
struct Prepared {
    request: Arc<Outbound>,
    span: CallSpan,
    timeout: Duration,
    idempotent: bool,
    purpose: Purpose,
    /// Where it is measured, if it is.
    #[cfg(feature = "metrics")]
    times: Option<Arc<CallTimes>>,
}

impl Prepared {
    /// It is not made.
    fn fail(&self, error: &CallError) {
        self.span.fail(match error {
            CallError::Backpressure { .. } => "backpressure",
            _ => "expired",
        });
    }
}

/// Whether a reply is waited for.
enum Purpose {
    Call {
        coalescing: Option<Coalescing>,
    },
    Send {
        /// After which it is of no use.
        expires: Option<Duration>,
    },
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("broker", &self.connected.addresses).field("settings", &self.settings).finish()
    }
}

fn encode<F: Function>(format: Format, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, CallError> {
    format
        .encode_arguments::<F>(arguments)
        .map_err(|error| CallError::Unsendable { message: format!("the arguments of `{}` {error}", F::NAME) })
}
