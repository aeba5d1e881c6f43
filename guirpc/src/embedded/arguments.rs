//! The arguments of a queue: which ones there are, what they may be, and when two of them mean the same.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::fields::{integer, type_name};
use super::refusal::Refusal;

/// The arguments of a queue, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    pub(super) quorum: bool,
    pub(super) expires: Option<Duration>,
    pub(super) message_ttl: Option<Duration>,
    pub(super) max_length: Option<usize>,
    pub(super) max_length_bytes: Option<usize>,
    pub(super) reject_publish: bool,
    pub(super) dead_letter_exchange: Option<String>,
    pub(super) dead_letter_routing_key: Option<String>,
    pub(super) delivery_limit: Option<usize>,
    pub(super) max_priority: Option<u8>,
    /// One consumer is given everything; the others wait until it is gone.
    pub(super) single_active_consumer: bool,
}

/// What a queue of either type may have, in the order in which RabbitMQ compares it.
const OF_CLASSIC: [&str; 11] = [
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-single-active-consumer",
    "x-queue-type",
];
const OF_QUORUM: [&str; 10] = [
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-overflow",
    "x-single-active-consumer",
    "x-queue-type",
    "x-delivery-limit",
    "x-message-ttl",
];

fn of_type(quorum: bool) -> &'static [&'static str] {
    if quorum { &OF_QUORUM } else { &OF_CLASSIC }
}

impl Arguments {
    /// Reads the arguments of the queue `name`.
    ///
    /// # Errors
    /// One has a value that it cannot have, or is one that this broker does not implement.
    pub(super) fn parse(name: &str, table: &FieldTable) -> Result<Self, Refusal> {
        let mut arguments = Arguments::default();
        require_fit_for_type(name, table)?;
        for (key, value) in table {
            let set = arguments.set(key, value);
            set.map_err(|error| match error {
                Mistake::Invalid(why) => {
                    Refusal::precondition(format!("invalid arg '{key}' for queue '{name}' in vhost '/': {why}"))
                }
                Mistake::Type(unfit) => Refusal::precondition(format!(
                    "invalid type '{unfit}' for arg '{key}' in queue '{name}' in vhost '/'"
                )),
                Mistake::Unsupported => Refusal::not_implemented(format!(
                    "argument '{key}' with this value is not supported by the embedded broker; RabbitMQ may"
                )),
            })?;
        }
        if arguments.dead_letter_routing_key.is_some() && arguments.dead_letter_exchange.is_none() {
            return Err(Refusal::precondition(format!(
                "invalid arg 'x-dead-letter-routing-key' for queue '{name}' in vhost '/': routing_key_but_no_dlx_defined"
            )));
        }
        Ok(arguments)
    }

    fn set(&mut self, key: &str, value: &AMQPValue) -> Result<(), Mistake> {
        match key {
            "x-queue-type" => match text(value)? {
                "classic" => {}
                "quorum" => self.quorum = true,
                "stream" => return Err(Mistake::Unsupported),
                unknown => return Err(Mistake::Invalid(format!("\"unsupported queue type '{unknown}'\""))),
            },
            "x-expires" => match milliseconds(value)? {
                Duration::ZERO => return Err(Mistake::Invalid("{value_zero,0}".to_owned())),
                expires => self.expires = Some(expires),
            },
            "x-message-ttl" => self.message_ttl = Some(milliseconds(value)?),
            "x-max-length" => self.max_length = Some(count(value)?),
            "x-max-length-bytes" => self.max_length_bytes = Some(count(value)?),
            "x-overflow" => match text(value)? {
                "drop-head" => {}
                "reject-publish" => self.reject_publish = true,
                "reject-publish-dlx" => return Err(Mistake::Unsupported),
                _ => return Err(Mistake::Invalid("invalid_overflow".to_owned())),
            },
            "x-dead-letter-exchange" => self.dead_letter_exchange = Some(text(value)?.to_owned()),
            "x-dead-letter-routing-key" => match text(value)? {
                key if key.len() > LONGEST_KEY => return Err(Mistake::Invalid("too_long".to_owned())),
                key => self.dead_letter_routing_key = Some(key.to_owned()),
            },
            // Where RabbitMQ keeps the messages, which makes no difference to a client.
            "x-queue-mode" => match text(value)? {
                "default" | "lazy" => {}
                _ => return Err(Mistake::Invalid("invalid_queue_mode".to_owned())),
            },
            // RabbitMQ takes anything: a limit below zero is soon reached, what is no number never.
            "x-delivery-limit" => {
                self.delivery_limit = integer(value).map(|limit| usize::try_from(limit).unwrap_or_default());
            }
            "x-max-priority" => {
                let max = count(value)?;
                let max = u8::try_from(max).map_err(|_| Mistake::Invalid(format!("{{max_value_exceeded,{max}}}")))?;
                self.max_priority = Some(max);
            }
            "x-single-active-consumer" => match value {
                AMQPValue::Boolean(on) => self.single_active_consumer = *on,
                value => return Err(Mistake::Invalid(format!("{{unacceptable_type,{}}}", type_name(value)))),
            },
            other if other.starts_with("x-") => return Err(Mistake::Unsupported),
            // RabbitMQ ignores unknown arguments.
            _ => {}
        }
        Ok(())
    }
}

/// AMQP's short strings.
const LONGEST_KEY: usize = 255;

enum Mistake {
    /// In the words of RabbitMQ.
    Invalid(String),
    /// A text is wanted, and this is none.
    Type(&'static str),
    Unsupported,
}

fn text(value: &AMQPValue) -> Result<&str, Mistake> {
    match value {
        AMQPValue::LongString(text) => Ok(text),
        value => Err(Mistake::Type(type_name(value))),
    }
}

fn count(value: &AMQPValue) -> Result<usize, Mistake> {
    let number =
        integer(value).ok_or_else(|| Mistake::Invalid(format!("\"expected integer, got {}\"", type_name(value))))?;
    usize::try_from(number).map_err(|_| Mistake::Invalid(format!("{{value_negative,{number}}}")))
}

/// What RabbitMQ's timers can hold, in milliseconds.
pub(super) const LONGEST_EXPIRY: u64 = u32::MAX as u64;

fn milliseconds(value: &AMQPValue) -> Result<Duration, Mistake> {
    let number = count(value)? as u64;
    if number > LONGEST_EXPIRY {
        return Err(Mistake::Invalid(format!("{{value_too_large,{number}}}")));
    }
    Ok(Duration::from_millis(number))
}

/// # Errors
/// Names an argument that queues of the other type only may have.
fn require_fit_for_type(name: &str, table: &FieldTable) -> Result<(), Refusal> {
    let quorum = is_quorum(table);
    let module = if quorum { "rabbit_quorum_queue" } else { "rabbit_classic_queue" };
    let unfit = |key: &&String| of_type(!quorum).contains(&key.as_str()) && !of_type(quorum).contains(&key.as_str());
    match table.keys().find(unfit) {
        Some(key) => {
            let text = format!("invalid arg '{key}' for queue '{name}' in vhost '/' of queue type {module}");
            Err(Refusal::precondition(text))
        }
        None => Ok(()),
    }
}

fn is_quorum(table: &FieldTable) -> bool {
    table.get("x-queue-type") == Some(&AMQPValue::LongString("quorum".to_owned()))
}

/// Compares the arguments of a declaration with those that `what` has.
///
/// # Errors
/// Names the first one that differs, of those that mean something.
pub(super) fn require_equivalent(what: &str, current: &FieldTable, received: &FieldTable) -> Result<(), Refusal> {
    let first = of_type(is_quorum(current));
    let others: BTreeSet<&str> = current.keys().chain(received.keys()).map(String::as_str).collect();
    let others = others.into_iter().filter(|key| key.starts_with("x-") && !first.contains(key));
    for key in first.iter().copied().chain(others) {
        let (current, received) = (current.get(key), received.get(key));
        // That a queue is classic goes without saying.
        let implied = |value: Option<&AMQPValue>| {
            key == "x-queue-type" && value.is_none_or(|value| *value == AMQPValue::LongString("classic".to_owned()))
        };
        if is_equivalent(current, received) || (implied(current) && implied(received)) {
            continue;
        }
        let (received, current) = match (received, current) {
            (Some(received), Some(current)) => (format!("'{}'", Shown(received)), format!("'{}'", Shown(current))),
            _ => (described(received), described(current)),
        };
        let text =
            format!("inequivalent arg '{key}' for {what} in vhost '/': received {received} but current is {current}");
        return Err(Refusal::precondition(text));
    }
    Ok(())
}

fn is_equivalent(one: Option<&AMQPValue>, other: Option<&AMQPValue>) -> bool {
    match (one.and_then(integer), other.and_then(integer)) {
        (Some(one), Some(other)) => one == other,
        // As they are written: a NaN, wherever it is, would differ from itself.
        _ => format!("{one:?}") == format!("{other:?}"),
    }
}

fn described(value: Option<&AMQPValue>) -> String {
    let Some(value) = value else { return "none".to_owned() };
    format!("the value '{}' of type '{}'", Shown(value), type_name(value))
}

/// A value as RabbitMQ writes it.
struct Shown<'a>(&'a AMQPValue);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, integer(self.0)) {
            (AMQPValue::LongString(text), _) => f.write_str(text),
            (AMQPValue::Boolean(flag), _) => flag.fmt(f),
            (_, Some(number)) => number.fmt(f),
            (value, None) => write!(f, "{value:?}"),
        }
    }
}

/// Compares a field of a declaration with that of what is there.
pub(super) fn require_equal<T: PartialEq + fmt::Display>(
    what: &str,
    field: &str,
    current: &T,
    received: &T,
) -> Result<(), Refusal> {
    if current == received {
        return Ok(());
    }
    let text =
        format!("inequivalent arg '{field}' for {what} in vhost '/': received '{received}' but current is '{current}'");
    Err(Refusal::precondition(text))
}
