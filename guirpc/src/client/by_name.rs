//! Calling without a stub: by the names of a service and a function, with JSON.

use std::fmt;

use serde_json::Value;

use super::request::Callee;
use super::{CallHandle, Client, Pending, SendResult, outcome};
use crate::codec::{Codec, Format};
use crate::error::CallError;
use crate::message::{PING, ServiceInfo};

/// What a call yields whose function is known by its name only.
type JsonResult = Result<Value, CallError<Value>>;

/// Calling without a stub.
#[allow(clippy::needless_pass_by_value, reason = "arguments are given away, as in a call of the function itself")]
impl Client {
    /// Calls a function without its stub: `arguments` is an object by parameter name, or an array in order.
    ///
    /// In [`Dialect::Python`](crate::Dialect::Python) they are whatever the function takes, and are written as [`python`](Client::with_python) says.
    ///
    /// The function's own error comes as the JSON it is encoded as.
    ///
    /// A `Value` holds numbers of 64 bits: an output with a larger integer is [`CallError::Undecodable`], never rounded.
    /// [`call_json_text`](Client::call_json_text) has them all.
    ///
    /// ```no_run
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let sum = client.call_json("math", "add", serde_json::json!({"a": 1, "b": 2}))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_json(&self, service: &str, function: &str, arguments: Value) -> JsonResult {
        self.call_json_async(service, function, arguments).wait()
    }

    /// Calls as [`call_json`](Client::call_json) does, and gives a future of the output.
    pub fn call_json_async(&self, service: &str, function: &str, arguments: Value) -> Pending<Value, Value> {
        Pending::of(self.begin_json(service, function, &arguments), outcome::decode_json)
    }

    /// Sends without a stub, as [`call_json`](Client::call_json) calls.
    pub fn send_json(&self, service: &str, function: &str, arguments: Value) -> SendResult {
        self.send_json_async(service, function, arguments).wait()
    }

    /// Sends as [`send_json`](Client::send_json) does, and gives a future that is ready when the broker has the message.
    pub fn send_json_async(&self, service: &str, function: &str, arguments: Value) -> Pending<()> {
        Pending::of(self.begin_send_json(service, function, &arguments), outcome::decode_nothing)
    }

    /// Calls as [`call_json`](Client::call_json) does, with the arguments as JSON, and gives the output as JSON: numbers
    /// of any size arrive digit for digit, and fields in their order.
    ///
    /// In [`Dialect::Python`](crate::Dialect::Python) NaN and infinities are written as Python writes them: `NaN`, `Infinity`.
    ///
    /// ```no_run
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// let double = client.call_json_text("math", "double", r#"{"n": 85070591730234615865843651857942052864}"#)?;
    /// assert_eq!(double, "170141183460469231731687303715884105728");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_json_text(&self, service: &str, function: &str, arguments: &str) -> Result<String, CallError<String>> {
        self.call_json_text_async(service, function, arguments).wait()
    }

    /// Calls as [`call_json_text`](Client::call_json_text) does, and gives a future of the output.
    pub fn call_json_text_async(&self, service: &str, function: &str, arguments: &str) -> Pending<String, String> {
        Pending::of(self.begin_json_text(service, function, arguments), outcome::decode_json_text)
    }

    /// Sends without a stub, as [`call_json_text`](Client::call_json_text) calls.
    pub fn send_json_text(&self, service: &str, function: &str, arguments: &str) -> SendResult {
        let call =
            self.json_text_body(service, function, arguments).and_then(|(callee, body)| self.begin_send(&callee, body));
        Pending::of(call, outcome::decode_nothing).wait()
    }

    /// Publishes a text as it is, to all who have bound a queue; no function is asked for.
    ///
    /// It returns when the broker has the message in a queue.
    ///
    /// # Errors
    /// The broker did not take it, or did not say so in time; [`CallError::Unroutable`] if there is no such exchange,
    /// or no queue that is bound to it with the routing key.
    pub fn publish(&self, exchange: &str, routing_key: &str, text: &str) -> SendResult {
        self.publish_async(exchange, routing_key, text).wait()
    }

    /// Publishes as [`publish`](Client::publish) does, and gives a future that is ready when the broker has the message.
    pub fn publish_async(&self, exchange: &str, routing_key: &str, text: &str) -> Pending<()> {
        Pending::of(self.begin_publish(exchange, routing_key, text), outcome::decode_nothing)
    }

    /// Asks a service whether it is there, without running any function of it.
    pub fn ping(&self, service: &str) -> Result<ServiceInfo, CallError> {
        self.ping_async(service).wait()
    }

    /// Asks as [`ping`](Client::ping) does, and gives a future of the answer.
    pub fn ping_async(&self, service: &str) -> Pending<ServiceInfo> {
        Pending::of(self.begin_ping(service), outcome::decode_service_info)
    }

    fn begin_json(&self, service: &str, function: &str, arguments: &Value) -> Result<CallHandle, CallError> {
        let callee = self.named(service, function);
        let body = json_arguments(callee.format, arguments)?;
        self.begin_call(&callee, body)
    }

    fn begin_send_json(&self, service: &str, function: &str, arguments: &Value) -> Result<CallHandle, CallError> {
        let callee = self.named(service, function);
        let body = json_arguments(callee.format, arguments)?;
        self.begin_send(&callee, body)
    }

    fn begin_json_text(&self, service: &str, function: &str, arguments: &str) -> Result<CallHandle, CallError> {
        let (callee, body) = self.json_text_body(service, function, arguments)?;
        self.begin_call(&callee, body)
    }

    fn json_text_body(&self, service: &str, function: &str, arguments: &str) -> Result<(Callee, Vec<u8>), CallError> {
        let callee = self.named(service, function);
        if matches!(callee.format, Format::Native(_)) && !arguments.trim_start().starts_with(['{', '[']) {
            return Err(no_arguments(arguments));
        }
        let body = callee.format.encode_json_text(arguments);
        let unsendable = |error| CallError::Unsendable { message: format!("the arguments {error}") };
        Ok((callee, body.map_err(unsendable)?))
    }

    fn begin_publish(&self, exchange: &str, routing_key: &str, text: &str) -> Result<CallHandle, CallError> {
        let client = self.with_exchange(exchange).with_routing_key(routing_key);
        let format = Format::Native(Codec::Text);
        client.begin_send(&Callee { format, ..client.named(routing_key, "") }, text.as_bytes().to_owned())
    }

    fn begin_ping(&self, service: &str) -> Result<CallHandle, CallError> {
        let format = Format::Native(Codec::Json);
        let callee = Callee { format, idempotent: true, ..self.named(service, PING) };
        self.begin_call(&callee, b"{}".to_vec())
    }
}

fn json_arguments(format: Format, arguments: &Value) -> Result<Vec<u8>, CallError> {
    if matches!(format, Format::Native(_)) && !(arguments.is_object() || arguments.is_array()) {
        return Err(no_arguments(arguments));
    }
    format.encode_object(arguments).map_err(|error| CallError::Unsendable { message: format!("the arguments {error}") })
}

fn no_arguments(arguments: impl fmt::Display) -> CallError {
    let message = format!("arguments are an object by parameter name or an array in order, not `{arguments}`");
    CallError::Unsendable { message }
}
