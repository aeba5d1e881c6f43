//! Calling: a [`Client`], and what it gives for a call that is under way, a [`Pending`].

use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::warn;

use crate::broker::Addresses;
use crate::codec::{Codec, Format};
use crate::error::{CallError, Error};
use crate::function::{ArgumentsOf, CallResult, ErrorOf, Function, OutputOf};
use crate::health::Status;
use crate::message::{PING, Pong};

mod callers;
mod clock;
mod configured;
mod confirms;
mod link;
mod outcome;
mod patience;
mod pending;
mod pump;
mod request;
mod settings;
mod supervisor;
mod table;

use patience::Patience;
pub use pending::Pending;
use pending::Ticket;
use request::Callee;
use settings::Settings;
use supervisor::Supervisor;

/// How long a caller waits if neither the client nor the function says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// A century is as good as for ever, and no clock overflows when it is added.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

/// What a call of `F` yields that is not waited for yet.
pub type StartResult<F> = Result<Pending<OutputOf<F>, ErrorOf<F>>, CallError<ErrorOf<F>>>;

/// What sending a call yields that nobody waits for: whether the broker has taken it.
pub type SendResult = Result<(), CallError>;

/// A caller of functions: one connection to the broker, shared by any number of threads.
///
/// It is cheap to clone; what changes a setting ([`timeout`](Client::timeout), [`header`](Client::header), …)
/// gives a changed copy on the same connection, so it can be used for a single call:
///
/// ```no_run
/// # use std::time::Duration;
/// # #[guirpc::function] fn add(a: i64, b: i64) -> i64 { a + b }
/// let client = guirpc::Client::connect("amqp://localhost")?;
/// let sum = add::call(&client, 2, 3)?;
/// let patient = add::call(&client.timeout(Duration::from_secs(60)), 2, 3)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A connection that is lost is opened again in the background, for as long as the client lives;
/// [`status`](Client::status) says how that stands.
/// Calls that were under way fail at once, unless their function is `idempotent`: these are made again on the new
/// connection, under the same correlation id, until their own deadline.
/// Later calls wait for the new connection until theirs.
///
/// Inside a function, a call waits no longer than the caller of that function does.
#[derive(Clone)]
pub struct Client {
    supervisor: Arc<Supervisor>,
    settings: Settings,
}

#[allow(clippy::needless_pass_by_value, reason = "arguments are given away, as in a call of the function itself")]
impl Client {
    /// Connects to the broker at an AMQP URI, `amqp://user:password@host:5672/vhost`, or to one of several.
    ///
    /// What it may say beside that, [`configuration`](crate::configuration) tells.
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: &str) -> Result<Self, Error> {
        let supervisor = Supervisor::start(Addresses::parse(uri)?)?;
        Ok(Client { supervisor: Arc::new(supervisor), settings: Settings::default() })
    }

    /// Calls `F` and waits for its output; the stub's `call` does this.
    pub fn call<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> CallResult<F> {
        self.start::<F>(arguments)?.wait()
    }

    /// Calls `F` without waiting yet; the stub's `start` does this.
    ///
    /// # Errors
    /// The call could not be sent. What becomes of it afterwards, the [`Pending`] says.
    pub fn start<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> StartResult<F> {
        let callee = Callee::of::<F>(self.format(F::DIALECT, F::PYTHON));
        let ticket = encode::<F>(callee.format, &arguments)
            .and_then(|body| self.publish_call(&callee, &body))
            .map_err(CallError::widen)?;
        Ok(Pending::new(ticket, outcome::decode::<F>))
    }

    /// Sends a request that nobody waits for; the stub's `send` does this.
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
        let callee = Callee::of::<F>(self.format(F::DIALECT, F::PYTHON));
        let body = encode::<F>(callee.format, &arguments)?;
        self.publish_send(&callee, &body)
    }

    /// Calls a function without its stub: `arguments` is an object by parameter name, or an array in order.
    ///
    /// In [`Dialect::Python`](crate::Dialect::Python) they are whatever the function takes, and are written as [`python`](Client::python) says.
    ///
    /// The function's own error comes as the JSON it is encoded as.
    ///
    /// ```no_run
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let sum = client.call_json("math", "add", serde_json::json!({"a": 1, "b": 2}))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_json(&self, service: &str, function: &str, arguments: Value) -> Result<Value, CallError<Value>> {
        let callee = self.named(service, function);
        let ticket = json_arguments(callee.format, &arguments)
            .and_then(|body| self.publish_call(&callee, &body))
            .map_err(CallError::widen)?;
        Pending::new(ticket, outcome::decode_json).wait()
    }

    /// Sends without a stub, as [`call_json`](Client::call_json) calls.
    pub fn send_json(&self, service: &str, function: &str, arguments: Value) -> Result<(), CallError> {
        let callee = self.named(service, function);
        let body = json_arguments(callee.format, &arguments)?;
        self.publish_send(&callee, &body)
    }

    /// Publishes a text as it is, to whoever has bound a queue; no function is asked for.
    ///
    /// It returns when the broker has the message in a queue.
    ///
    /// # Errors
    /// The broker did not take it, or did not say so in time; [`CallError::Unroutable`] if there is no such exchange,
    /// or no queue that is bound to it with the routing key.
    pub fn publish(&self, exchange: &str, routing_key: &str, text: &str) -> Result<(), CallError> {
        let client = self.exchange(exchange).routing_key(routing_key);
        let format = Format::Native(Codec::Text);
        let nothing =
            Callee { service: routing_key, lane: None, function: "", timeout: None, idempotent: false, format };
        client.publish_send(&nothing, text.as_bytes())
    }

    /// Asks a service whether it is there, without running any function of it.
    pub fn ping(&self, service: &str) -> Result<Pong, CallError> {
        let format = Format::Native(Codec::Json);
        let callee = Callee { service, lane: None, function: PING, timeout: None, idempotent: true, format };
        let ticket = self.publish_call(&callee, b"{}")?;
        Pending::new(ticket, outcome::decode_pong).wait()
    }

    /// How many replies have come after their caller had given up, over the life of this client.
    pub fn late_replies(&self) -> u64 {
        self.supervisor.callers().late_replies()
    }

    /// How the client stands with its broker at the moment.
    ///
    /// The broker says that it is blocked only to whoever publishes, so it may be blocked before this tells.
    pub fn status(&self) -> Status {
        self.supervisor.status()
    }

    fn publish_call(&self, callee: &Callee<'_>, body: &[u8]) -> Result<Ticket, CallError> {
        let timeout = self.settings.timeout.or(callee.timeout).unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let patience = Patience::until_outer(timeout, callee.idempotent)?;
        let request = self.outbound(callee, body, Some(patience.timeout))?;
        self.supervisor.call(&request, patience)
    }

    fn publish_send(&self, callee: &Callee<'_>, body: &[u8]) -> Result<(), CallError> {
        static TOLD: Once = Once::new();
        if matches!(callee.format, Format::Python(_)) {
            TOLD.call_once(|| {
                warn!(
                    "a message sent to a consumer in Python is lost if the broker restarts: its queue is not durable"
                );
            });
        }
        let timeout = self.settings.timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let request = self.outbound(callee, body, self.settings.expires.map(|expires| expires.min(LONGEST_TIMEOUT)))?;
        let deadline = Instant::now() + timeout;
        self.supervisor.send(&request, Patience { deadline, timeout, idempotent: callee.idempotent })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("broker", self.supervisor.address()).field("settings", &self.settings).finish()
    }
}

fn encode<F: Function>(format: Format, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, CallError> {
    format
        .encode_arguments::<F>(arguments)
        .map_err(|error| CallError::Unsendable { message: format!("the arguments of `{}` {error}", F::NAME) })
}

fn json_arguments(format: Format, arguments: &Value) -> Result<Vec<u8>, CallError> {
    if matches!(format, Format::Native(_)) && !(arguments.is_object() || arguments.is_array()) {
        let message = format!("arguments are an object by parameter name or an array in order, not `{arguments}`");
        return Err(CallError::Unsendable { message });
    }
    format.encode_object(arguments).map_err(|error| CallError::Unsendable { message: format!("the arguments {error}") })
}
