//! Calling: a [`Client`], and what it gives for a call that is under way, a [`Pending`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::broker::{Address, Outbound};
use crate::codec::Codec;
use crate::config::DEFAULT_MAX_BODY;
use crate::error::{CallError, Error};
use crate::function::{ArgumentsOf, CallResult, ErrorOf, Function, OutputOf};
use crate::message::{HeaderValue, Headers, PING, Pong};

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
    app_id: Option<Arc<str>>,
    timeout: Option<Duration>,
    expires: Option<Duration>,
    codec: Codec,
    headers: Headers,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_body: DEFAULT_MAX_BODY,
            service: None,
            suffix: None,
            app_id: None,
            timeout: None,
            expires: None,
            codec: Codec::default(),
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
}

impl Callee<'_> {
    fn of<F: Function>() -> Callee<'static> {
        Callee { service: F::SERVICE, function: F::NAME, timeout: F::TIMEOUT, idempotent: F::IDEMPOTENT }
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

    /// Calls services by names that end so: those that are served apart.
    #[cfg(feature = "testing")]
    pub(crate) fn apart(&self, suffix: &str) -> Self {
        self.with(|settings| settings.suffix = Some(suffix.into()))
    }

    /// Encodes arguments so (the default is MessagePack); replies come back encoded alike.
    pub fn codec(&self, codec: Codec) -> Self {
        self.with(|settings| settings.codec = codec)
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
        let ticket = self
            .encode::<F>(&arguments)
            .and_then(|body| self.publish_call(&Callee::of::<F>(), self.settings.codec, &body))
            .map_err(CallError::widen)?;
        Ok(Pending::new(ticket, outcome::decode::<F>))
    }

    /// Sends a request that nobody waits for; the stub's `send` does this.
    ///
    /// It returns when the broker has the message: it is persistent, and survives a restart of the broker
    /// in the service's durable queue.
    ///
    /// # Errors
    /// The broker did not take it, or did not say so in time.
    pub fn send<F: Function>(&self, arguments: ArgumentsOf<'_, F>) -> SendResult {
        let body = self.encode::<F>(&arguments)?;
        self.publish_send(&Callee::of::<F>(), self.settings.codec, &body)
    }

    fn encode<F: Function>(&self, arguments: &ArgumentsOf<'_, F>) -> Result<Vec<u8>, CallError> {
        self.settings
            .codec
            .encode_arguments::<F>(arguments)
            .map_err(|error| CallError::Unsendable { message: format!("the arguments of `{}` {error}", F::NAME) })
    }

    /// Calls a function without its stub: `arguments` is an object by parameter name, or an array in order.
    ///
    /// The function's own error comes as the JSON it is encoded as.
    ///
    /// ```no_run
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let sum = client.call_json("math", "add", serde_json::json!({"a": 1, "b": 2}))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_json(&self, service: &str, function: &str, arguments: Value) -> Result<Value, CallError<Value>> {
        let body = json_arguments(&arguments).map_err(CallError::widen)?;
        let callee = Callee { service, function, timeout: None, idempotent: false };
        let ticket = self.publish_call(&callee, Codec::Json, &body).map_err(CallError::widen)?;
        Pending::new(ticket, outcome::decode_json).wait()
    }

    /// Sends without a stub, as [`call_json`](Client::call_json) calls.
    pub fn send_json(&self, service: &str, function: &str, arguments: Value) -> Result<(), CallError> {
        let body = json_arguments(&arguments)?;
        let callee = Callee { service, function, timeout: None, idempotent: false };
        self.publish_send(&callee, Codec::Json, &body)
    }

    /// Asks a service whether it is there, without running any function of it.
    pub fn ping(&self, service: &str) -> Result<Pong, CallError> {
        let callee = Callee { service, function: PING, timeout: None, idempotent: true };
        let ticket = self.publish_call(&callee, Codec::Json, b"{}")?;
        Pending::new(ticket, outcome::decode_pong).wait()
    }

    /// How many replies have come after their caller had given up, over the life of this client.
    pub fn late_replies(&self) -> u64 {
        self.supervisor.late_replies()
    }

    fn publish_call(&self, callee: &Callee<'_>, codec: Codec, body: &[u8]) -> Result<Ticket, CallError> {
        let timeout = self.settings.timeout.or(callee.timeout).unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let request = self.outbound(callee, codec, body, Some(timeout))?;
        self.supervisor.call(&request, Instant::now() + timeout, timeout, callee.idempotent)
    }

    fn publish_send(&self, callee: &Callee<'_>, codec: Codec, body: &[u8]) -> Result<(), CallError> {
        let timeout = self.settings.timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST_TIMEOUT);
        let request =
            self.outbound(callee, codec, body, self.settings.expires.map(|expires| expires.min(LONGEST_TIMEOUT)))?;
        self.supervisor.send(&request, Instant::now() + timeout, timeout, callee.idempotent)
    }

    fn outbound<'a>(
        &'a self,
        callee: &'a Callee<'a>,
        codec: Codec,
        body: &'a [u8],
        expires: Option<Duration>,
    ) -> Result<Outbound<'a>, CallError> {
        let (size, limit) = (body.len(), self.settings.max_body);
        if size > limit {
            let message = format!("the request has {size} bytes, this client sends at most {limit} (`max_body`)");
            return Err(CallError::Unsendable { message });
        }
        let service = self.settings.service.as_deref().unwrap_or(callee.service);
        let service = match self.settings.suffix.as_deref() {
            None => Cow::Borrowed(service),
            Some(suffix) => Cow::Owned(format!("{service}{suffix}")),
        };
        let app_id = self.settings.app_id.as_deref();
        let headers = &self.settings.headers;
        let request = Outbound { service, function: callee.function, codec, body, app_id, headers, expires };
        request.check().map_err(|message| CallError::Unsendable { message })?;
        Ok(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("broker", self.supervisor.address()).field("settings", &self.settings).finish()
    }
}

fn json_arguments(arguments: &Value) -> Result<Vec<u8>, CallError> {
    if !(arguments.is_object() || arguments.is_array()) {
        let message = format!("arguments are an object by parameter name or an array in order, not `{arguments}`");
        return Err(CallError::Unsendable { message });
    }
    Ok(arguments.to_string().into_bytes())
}
