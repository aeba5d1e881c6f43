//! What a copy of a client may have different from another.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use crate::codec::{Codec, PythonOptions};
use crate::config::{Coalescing, DEFAULT_MAX_BODY};
use crate::message::{Dialect, HeaderValue, Headers, Name};

/// A few seconds' worth of large calls, for an outage of the broker.
const DEFAULT_MAX_QUEUED: u64 = 256 << 20;

/// What a copy of a client may have different from another.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) max_body: usize,
    pub(super) service: Option<Name>,
    /// What the names of services end in on a broker on which others serve the same.
    pub(super) suffix: Option<Name>,
    /// The queue and workers of their own that serve a function beside its service's.
    pub(super) lane: Option<Name>,
    pub(super) exchange: Option<Name>,
    pub(super) routing_key: Option<Name>,
    pub(super) app_id: Option<Name>,
    pub(super) priority: Option<u8>,
    pub(super) timeout: Option<Duration>,
    pub(super) expires: Option<Duration>,
    pub(super) codec: Codec,
    pub(super) dialect: Option<Dialect>,
    pub(super) python: Option<PythonOptions>,
    pub(super) headers: Arc<Headers>,
    /// Bytes of calls that may wait for the broker.
    pub(super) max_queued: u64,
    /// Whether calls travel together, if it is not the functions that say so.
    pub(super) coalesces: Option<bool>,
    /// How they do.
    pub(super) coalescing: Coalescing,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_body: DEFAULT_MAX_BODY,
            service: None,
            suffix: None,
            lane: None,
            exchange: None,
            routing_key: None,
            app_id: None,
            priority: None,
            timeout: None,
            expires: None,
            codec: Codec::default(),
            dialect: None,
            python: None,
            headers: Arc::default(),
            max_queued: DEFAULT_MAX_QUEUED,
            coalesces: None,
            coalescing: Coalescing::DEFAULT,
        }
    }
}

impl Client {
    /// Waits this long for a reply, whatever the function's own timeout is (the default is 10 s).
    ///
    /// The server learns of it: what nobody waits for any more is not run.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = Some(timeout))
    }

    /// Lets the broker drop a [`send`](Client::send) that has not begun after this time; without it, it stays.
    ///
    /// It makes no difference to calls, which expire with their timeout.
    pub fn with_expires(&self, after: Duration) -> Self {
        self.with(|settings| settings.expires = Some(after))
    }

    /// Sends this header along, as `traceparent` or a tenant's name.
    ///
    /// Inside a function, calls have the `traceparent`, `tracestate` and `baggage` of the function's caller, unless these
    /// are set here; see [`Scope`](crate::Scope).
    ///
    /// Names that begin with `x-` belong to the broker, names that begin with `guirpc-` to guirpc.
    pub fn with_header(&self, name: impl Into<String>, value: impl Into<HeaderValue>) -> Self {
        self.with(|settings| Arc::make_mut(&mut settings.headers).set(name, value))
    }

    /// Calls this service, whatever service the functions are defined for.
    pub fn with_service(&self, service: &str) -> Self {
        self.with(|settings| settings.service = Some(service.to_owned().into()))
    }

    /// Calls through this lane of the service, whatever lane the functions are defined for.
    ///
    /// A lane has a queue and workers of its own: what waits in it does not wait behind other calls, nor they behind it.
    /// In [`Dialect::Python`] there are none.
    pub fn with_lane(&self, lane: &str) -> Self {
        self.with(|settings| settings.lane = Some(lane.to_owned().into()))
    }

    /// Has requests precede those of a lower priority (0 is the lowest, and what those without one have),
    /// if the service's queue goes by priority.
    pub fn with_priority(&self, priority: u8) -> Self {
        self.with(|settings| settings.priority = Some(priority))
    }

    /// Publishes requests to this exchange; somebody else declares it (the default is `guirpc`).
    ///
    /// Before its first use it is tried: a call through one that is not there is
    /// [`CallError::Unroutable`](crate::CallError::Unroutable), one that may not be written to
    /// [`CallError::Unsendable`](crate::CallError::Unsendable), and neither costs other calls anything.
    /// If it is deleted later, the next call through it costs the client a channel: what is under way fails as if the
    /// connection were lost, the connection itself stays, and the broker is asked again.
    pub fn with_exchange(&self, exchange: &str) -> Self {
        self.with(|settings| settings.exchange = Some(exchange.to_owned().into()))
    }

    /// Publishes requests under this routing key, where it is not the service's name.
    pub fn with_routing_key(&self, routing_key: &str) -> Self {
        self.with(|settings| settings.routing_key = Some(routing_key.to_owned().into()))
    }

    /// Calls services by names that end so: those that are served apart.
    #[cfg(feature = "testing")]
    pub(crate) fn apart(&self, suffix: &str) -> Self {
        self.with(|settings| settings.suffix = Some(suffix.to_owned().into()))
    }

    /// Encodes arguments so (the default is MessagePack); replies come back encoded alike.
    pub fn with_codec(&self, codec: Codec) -> Self {
        self.with(|settings| settings.codec = codec)
    }

    /// Writes requests in this dialect, whatever dialect the functions are defined for.
    ///
    /// In [`Dialect::Python`] they go through the exchange `rpc_gateway`, which the consumer in Python declares,
    /// unless [`with_exchange`](Client::with_exchange) says otherwise; replies are understood in either dialect.
    ///
    /// ```no_run
    /// # use guirpc::Dialect;
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let client = client.with_dialect(Dialect::Python).with_routing_key("my_queue");
    /// let sum = client.call_json("foobar", "foobar_sum", serde_json::json!({"foo": 1, "bar": 2}))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_dialect(&self, dialect: Dialect) -> Self {
        self.with(|settings| settings.dialect = Some(dialect))
    }

    /// Writes requests in Python's dialect so, whatever the functions' option `python(…)` says.
    ///
    /// A reply says itself how it is written.
    pub fn with_python(&self, options: PythonOptions) -> Self {
        self.with(|settings| settings.python = Some(options))
    }

    /// Tells services who calls, in the AMQP property `app_id`.
    pub fn with_app_id(&self, app_id: &str) -> Self {
        self.with(|settings| settings.app_id = Some(app_id.to_owned().into()))
    }

    /// Sends requests, and takes replies, of at most so many bytes (the default is 16 MiB).
    ///
    /// A larger reply is [`CallError::Undecodable`](crate::CallError::Undecodable). One that is larger than any copy of
    /// this client takes is dropped as it comes in, and takes no memory.
    /// A broker has a limit of its own (`max_message_size`; RabbitMQ 3: 128 MiB, 4: 16 MiB), and so has a service: what
    /// is larger fails with [`CallError::Unsendable`](crate::CallError::Unsendable), or is refused.
    pub fn with_max_body(&self, bytes: usize) -> Self {
        self.connected.core.body_limit.raise(bytes);
        self.with(|settings| settings.max_body = bytes)
    }

    /// Lets calls of at most so many bytes wait in this client for the broker (the default is 256 MiB).
    ///
    /// A call waits while there is no connection, or while the broker reads more slowly than calls are made; beyond this
    /// bound it fails with [`CallError::Backpressure`](crate::CallError::Backpressure).
    pub fn with_max_queued(&self, bytes: usize) -> Self {
        self.with(|settings| settings.max_queued = bytes as u64)
    }

    /// Lets calls travel together in one message that are made while others to the same queue are unanswered, whether or not
    /// their functions have the option `coalesce`.
    ///
    /// It is for many cheap calls at once. When it is worth while, and when not, is described with
    /// [`coalescing`](crate::coalescing).
    ///
    /// ```no_run
    /// # #[guirpc::function(service = "math")] fn add(a: i64, b: i64) -> i64;
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let client = client.with_coalescing(guirpc::Coalescing::default());
    /// for sum in add::call_many(&client, (0..1_000_000).map(|n| (n, 1))) {
    ///     println!("{}", sum?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_coalescing(&self, coalescing: Coalescing) -> Self {
        self.with(|settings| (settings.coalesces, settings.coalescing) = (Some(true), coalescing))
    }

    /// Has every call travel by itself, also of functions with the option `coalesce`.
    pub fn without_coalescing(&self) -> Self {
        self.with(|settings| settings.coalesces = Some(false))
    }

    /// What holds for functions with the option `coalesce`, if these settings leave it to them.
    #[cfg(feature = "config")]
    pub(super) fn coalescing_as(&self, coalesces: Option<bool>, coalescing: Coalescing) -> Self {
        self.with(|settings| (settings.coalesces, settings.coalescing) = (coalesces, coalescing))
    }

    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut client = self.clone();
        change(&mut client.settings);
        client
    }
}
