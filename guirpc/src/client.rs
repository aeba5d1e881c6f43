//! Calling: a [`Client`], and what it gives for a call that is under way, a [`Pending`].

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::warn;

use crate::broker::{Address, EXCHANGE, Outbound, PYTHON_EXCHANGE};
use crate::codec::{Codec, Format, PythonOptions};
use crate::config::DEFAULT_MAX_BODY;
use crate::error::{CallError, Error};
use crate::function::{ArgumentsOf, CallResult, ErrorOf, Function, OutputOf};
use crate::message::{Dialect, HeaderValue, Headers, PING, Pong};

mod configured;
mod link;
mod outcome;
mod pending;
mod pump;
mod supervisor;
mod table;

pub use pending::Pending;
use pending::Ticket;
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
/// A connection that is lost is opened again in the background, for as long as the client lives.
/// Calls that were under way fail at once; later ones wait for the new connection until their own deadline.
#[derive(Clone)]
pub struct Client {
    supervisor: Arc<Supervisor>,
    settings: Settings,
}

/// What a copy of a client may have different from another.
#[derive(Clone, Debug)]
struct Settings {
    max_body: usize,
    service: Option<Arc<str>>,
    /// What the names of services end in on a broker on which others serve the same.
    suffix: Option<Arc<str>>,
    exchange: Option<Arc<str>>,
    routing_key: Option<Arc<str>>,
    app_id: Option<Arc<str>>,
    timeout: Option<Duration>,
    expires: Option<Duration>,
    codec: Codec,
    dialect: Option<Dialect>,
    python: Option<PythonOptions>,
    headers: Headers,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_body: DEFAULT_MAX_BODY,
            service: None,
            suffix: None,
            exchange: None,
            routing_key: None,
            app_id: None,
            timeout: None,
            expires: None,
            codec: Codec::default(),
            dialect: None,
            python: None,
            headers: Headers::new(),
        }
    }
}

/// What of a call depends on the function.
struct Callee<'a> {
    service: &'a str,
    function: &'a str,
    timeout: Option<Duration>,
    idempotent: bool,
    format: Format,
}

impl Callee<'_> {
    fn of<F: Function>(format: Format) -> Callee<'static> {
        Callee { service: F::SERVICE, function: F::NAME, timeout: F::TIMEOUT, idempotent: F::IDEMPOTENT, format }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "arguments are given away, as in a call of the function itself")]
impl Client {
    /// Connects to the broker at an AMQP URI, `amqp://user:password@host:5672/vhost`.
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: &str) -> Result<Self, Error> {
        let supervisor = Supervisor::start(Address::parse(uri)?)?;
        Ok(Client { supervisor: Arc::new(supervisor), settings: Settings::default() })
    }

    /// Waits this long for a reply, whatever the function's own timeout is (the default is 10 s).
    ///
    /// The server learns of it: what nobody waits for any more is not run.
    pub fn timeout(&self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = Some(timeout))
    }

    /// Lets the broker drop a [`send`](Client::send) that has not begun after this time; without it, it stays.
    ///
    /// It makes no difference to calls, which expire with their timeout.
    pub fn expires(&self, after: Duration) -> Self {
        self.with(|settings| settings.expires = Some(after))
    }

    /// Sends this header along, as `traceparent` or a tenant's name.
    ///
    /// Names that begin with `x-` belong to the broker, names that begin with `guirpc-` to guirpc.
    pub fn header(&self, name: impl Into<String>, value: impl Into<HeaderValue>) -> Self {
        self.with(|settings| settings.headers.set(name, value))
    }

    /// Calls this service, whatever service the functions are defined for.
    pub fn service(&self, service: &str) -> Self {
        self.with(|settings| settings.service = Some(service.into()))
    }

    /// Publishes requests to this exchange; somebody else declares it (the default is `guirpc`).
    ///
    /// Before its first use on a connection the broker is asked for it: a call through one that is not there is
    /// [`CallError::Unroutable`], and costs other calls nothing.
    /// One that is deleted later, while the client is connected, costs the client its connection.
    pub fn exchange(&self, exchange: &str) -> Self {
        self.with(|settings| settings.exchange = Some(exchange.into()))
    }

    /// Publishes requests under this routing key, where it is not the service's name.
    pub fn routing_key(&self, routing_key: &str) -> Self {
        self.with(|settings| settings.routing_key = Some(routing_key.into()))
    }

    /// Calls services by names that end so: those that are served apart.
    #[cfg(feature = "testing")]
    pub(crate) fn apart(&self, suffix: &str) -> Self {
        self.with(|settings| settings.suffix = Some(suffix.into()))
    }

    /// Encodes arguments so (the default is MessagePack); replies come back encoded alike.
    pub fn codec(&self, codec: Codec) -> Self {
        self.with(|settings| settings.codec = codec)
    }

    /// Writes requests in this dialect, whatever dialect the functions are defined for.
    ///
    /// In [`Dialect::Python`] they go through the exchange `rpc_gateway`, which the consumer in Python declares,
    /// unless [`exchange`](Client::exchange) says otherwise; replies are understood in either dialect.
    ///
    /// ```no_run
    /// # use guirpc::Dialect;
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let client = client.dialect(Dialect::Python).routing_key("my_queue");
    /// let sum = client.call_json("foobar", "foobar_sum", serde_json::json!({"foo": 1, "bar": 2}))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dialect(&self, dialect: Dialect) -> Self {
        self.with(|settings| settings.dialect = Some(dialect))
    }

    /// Writes requests in Python's dialect so, whatever the functions' option `python(…)` says.
    ///
    /// A reply says itself how it is written.
    pub fn python(&self, options: PythonOptions) -> Self {
        self.with(|settings| settings.python = Some(options))
    }

    /// Tells services who calls, in the AMQP property `app_id`.
    pub fn app_id(&self, app_id: &str) -> Self {
        self.with(|settings| settings.app_id = Some(app_id.into()))
    }

    /// Sends requests of at most so many bytes (the default is 16 MiB).
    ///
    /// A broker closes the connection of whoever sends more than it takes (RabbitMQ 3: 128 MiB, 4: 16 MiB),
    /// and other calls with it; a service has a limit of its own.
    pub fn max_body(&self, bytes: usize) -> Self {
        self.with(|settings| settings.max_body = bytes)
    }

    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut client = self.clone();
        change(&mut client.settings);
        client
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
    ///
    /// In [`Dialect::Python`] the queue is the consumer's own, which is not durable unless the consumer is of this
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
    /// In [`Dialect::Python`] they are whatever the function takes, and are written as [`python`](Client::python) says.
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
        let nothing = Callee { service: routing_key, function: "", timeout: None, idempotent: false, format };
        client.publish_send(&nothing, text.as_bytes())
    }

    /// Asks a service whether it is there, without running any function of it.
    pub fn ping(&self, service: &str) -> Result<Pong, CallError> {
        let format = Format::Native(Codec::Json);
        let callee = Callee { service, function: PING, timeout: None, idempotent: true, format };
        let ticket = self.publish_call(&callee, b"{}")?;
        Pending::new(ticket, outcome::decode_pong).wait()
    }

    /// How many replies have come after their caller had given up, over the life of this client.
    pub fn late_replies(&self) -> u64 {
        self.supervisor.late_replies()
    }

    /// How a request to a function is written that is defined so.
    fn format(&self, dialect: Dialect, python: PythonOptions) -> Format {
        match self.settings.dialect.unwrap_or(dialect) {
            Dialect::Native => Format::Native(self.settings.codec),
            Dialect::Python => Format::Python(self.settings.python.unwrap_or(python)),
        }
    }

    /// A function of which nothing is known but its name.
    fn named<'a>(&self, service: &'a str, function: &'a str) -> Callee<'a> {
        let format = match self.format(Dialect::default(), PythonOptions::default()) {
            Format::Native(_) => Format::Native(Codec::Json),
            python @ Format::Python(_) => python,
        };
        Callee { service, function, timeout: None, idempotent: false, format }
    }

    fn publish_call(&self, callee: &Callee<'_>, body: &[u8]) -> Result<Ticket, CallError> {
        let timeout = self.settings.timeout.or(callee.timeout).unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let request = self.outbound(callee, body, Some(timeout))?;
        self.supervisor.call(&request, Instant::now() + timeout, timeout, callee.idempotent)
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
        self.supervisor.send(&request, Instant::now() + timeout, timeout, callee.idempotent)
    }

    fn outbound<'a>(
        &'a self,
        callee: &'a Callee<'a>,
        body: &'a [u8],
        expires: Option<Duration>,
    ) -> Result<Outbound<'a>, CallError> {
        let (size, limit) = (body.len(), self.settings.max_body);
        if size > limit {
            let message = format!("the request has {size} bytes, this client sends at most {limit} (`max_body`)");
            return Err(CallError::Unsendable { message });
        }
        let service = self.settings.service.as_deref().unwrap_or(callee.service);
        let routing_key = match (self.settings.routing_key.as_deref(), self.settings.suffix.as_deref()) {
            (Some(routing_key), _) => Cow::Borrowed(routing_key),
            (None, None) => Cow::Borrowed(service),
            (None, Some(suffix)) => Cow::Owned(format!("{service}{suffix}")),
        };
        let Callee { function, format, .. } = *callee;
        let exchange = self.settings.exchange.as_deref().unwrap_or(match format {
            Format::Native(_) => EXCHANGE,
            Format::Python(_) => PYTHON_EXCHANGE,
        });
        let app_id = self.settings.app_id.as_deref();
        let headers = &self.settings.headers;
        let request = Outbound { exchange, routing_key, function, format, body, app_id, headers, expires };
        request.check().map_err(|message| CallError::Unsendable { message })?;
        Ok(request)
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
