//! What RabbitMQ refuses, in its own words, and what to do about it.
//!
//! It closes a channel or a connection with a code and a text. The text says what it is about, so it is always shown;
//! where it is known, what to do follows. The texts are those of RabbitMQ 3.10 to 4.2, of which some differ in detail.

use std::time::Duration;

use crate::error::ErrorKind;

/// A code with which a channel is closed, or a connection while it is opened, and what the text has in it.
type Known = (u16, &'static str, ErrorKind, &'static str);

const ACCESS: &str = "the guide on reliability lists what callers, servers and operators need";
const OTHER_END: &str = "it is a fault of guirpc's or of something between it and the broker: please report it";
const CLOSED_BY_OPERATOR: &str = "it is opened again by itself";

/// The first that fits counts.
const KNOWN: &[Known] = &[
    (
        403,
        "Login was refused",
        ErrorKind::Denied,
        "the password is wrong, or there is no such user, or it may only connect from the broker's own machine (as `guest`)",
    ),
    (
        403,
        "in exclusive use",
        ErrorKind::Denied,
        "another consumer has the queue to itself: stop that one, or serve from another queue",
    ),
    (403, "reserved prefix", ErrorKind::Denied, "choose a name that does not begin with `amq.`"),
    (403, "default exchange", ErrorKind::Denied, "name another exchange"),
    (403, "cannot publish to internal", ErrorKind::Denied, "name another exchange"),
    (
        404,
        "no exchange",
        ErrorKind::Topology,
        "a service declares its exchange when it starts: is the name spelt right?",
    ),
    (
        404,
        "no queue",
        ErrorKind::Topology,
        "a service declares its queues when it starts, if it may: is the name spelt right?",
    ),
    (
        404,
        "is down or inaccessible",
        ErrorKind::Topology,
        "a node of the cluster is down: start it, or declare the queue as a quorum queue",
    ),
    (404, "stopped by supervisor", ErrorKind::Topology, "restart the virtual host: `rabbitmqctl restart_vhost`"),
    (
        404,
        "crashed and failed to restart",
        ErrorKind::Topology,
        "restart the virtual host: `rabbitmqctl restart_vhost`",
    ),
    (
        404,
        "failed to perform operation",
        ErrorKind::Topology,
        "the broker is overloaded, or a part of its cluster is down: it is tried again",
    ),
    (
        405,
        "cannot obtain",
        ErrorKind::Topology,
        "another connection has the queue to itself: stop that one, or choose another name",
    ),
    (406, "inequivalent arg", ErrorKind::Topology, "declare it alike everywhere, or delete it first"),
    (406, "invalid arg", ErrorKind::Topology, "change the setting that this argument comes from"),
    (
        406,
        "invalid property",
        ErrorKind::Topology,
        "the type of queue does not go with `durable` or with serving apart",
    ),
    (406, "queue limit in vhost", ErrorKind::Topology, "`rabbitmqctl set_vhost_limits` raises it, or delete queues"),
    (
        406,
        "queue limit of",
        ErrorKind::Topology,
        "the broker's `cluster_queue_limit` has to be raised, or queues deleted",
    ),
    (
        406,
        "exchange limit",
        ErrorKind::Topology,
        "the broker's `cluster_exchange_limit` has to be raised, or exchanges deleted",
    ),
    (406, "message size", ErrorKind::Denied, "send less, or raise the broker's `max_message_size`"),
    (
        406,
        "delivery acknowledgement on channel",
        ErrorKind::Denied,
        "no function may take as long, nor wait as long behind others: lower `prefetch`, or raise the broker's `consumer_timeout`",
    ),
    (406, "invalid expiration", ErrorKind::Denied, "choose a shorter time"),
    (406, "invalid message", ErrorKind::Denied, OTHER_END),
    (
        406,
        "user_id property",
        ErrorKind::Denied,
        "only the user itself may be named, or whoever has the tag `impersonator`",
    ),
    (406, "fast reply consumer", ErrorKind::Denied, OTHER_END),
    (406, "reply consumer", ErrorKind::Denied, OTHER_END),
    (406, "unknown delivery tag", ErrorKind::Denied, "it is delivered again"),
    (320, "forced connection closure", ErrorKind::Unreachable, "the broker is shut down"),
    (320, "vhost", ErrorKind::Unreachable, "the virtual host was deleted or stopped"),
    (320, "user", ErrorKind::Unreachable, "the user was deleted, or its rights have changed"),
    (320, "maintenance", ErrorKind::Unreachable, "another node of the cluster is to be used meanwhile"),
    (320, "", ErrorKind::Unreachable, CLOSED_BY_OPERATOR),
    (501, "", ErrorKind::Unreachable, OTHER_END),
    (503, "", ErrorKind::Unreachable, OTHER_END),
    (504, "", ErrorKind::Unreachable, OTHER_END),
    (505, "", ErrorKind::Unreachable, OTHER_END),
    (506, "", ErrorKind::Unreachable, "the broker lacks a resource: its log says which"),
    (
        530,
        "user connection limit",
        ErrorKind::Denied,
        "`rabbitmqctl set_user_limits` raises it; a server has two connections for each lane, a client one",
    ),
    (
        530,
        "node connection limit",
        ErrorKind::Denied,
        "the broker's `connection_max` has to be raised, or connections closed",
    ),
    (
        530,
        "connection limit",
        ErrorKind::Denied,
        "`rabbitmqctl set_vhost_limits` raises it; a server has two connections for each lane, a client one",
    ),
    (530, "negotiated channel_max", ErrorKind::Denied, OTHER_END),
    (
        530,
        "opened for user",
        ErrorKind::Denied,
        "`rabbitmqctl set_user_limits` raises it; a server has a channel for each worker, a client two",
    ),
    (
        530,
        "opened on node",
        ErrorKind::Denied,
        "the broker's `channel_max_per_node` has to be raised, or connections closed",
    ),
    (
        530,
        "of consumers per channel",
        ErrorKind::Denied,
        "the broker's `consumer_max_per_channel` has to be 3 for each service at least",
    ),
    (530, "consumer tag", ErrorKind::Denied, OTHER_END),
    (530, "is lower than the minimum", ErrorKind::Denied, OTHER_END),
    (540, "", ErrorKind::Unreachable, "the broker lacks something that guirpc needs: is it RabbitMQ 3.10 or later?"),
    (541, "is down", ErrorKind::Denied, "`rabbitmqctl restart_vhost` starts a virtual host"),
    (541, "`transient_nonexcl_queues`", ErrorKind::Denied, "have the queue last: `durable = true`"),
    (541, "is deprecated", ErrorKind::Denied, "the broker's settings may permit it"),
    (541, "", ErrorKind::Unreachable, "the broker's log says more"),
];

/// What a refusal means: its kind, and the broker's words with what to do.
pub(super) fn explain(code: u16, text: &str) -> (ErrorKind, String) {
    if let Some((user, vhost)) = refused_access(text).filter(|_| matches!(code, 403 | 530)) {
        let (user, vhost) = (shown(user), shown(vhost));
        let remedy = format!(
            "`rabbitmqctl set_permissions -p {vhost} {user} '.*' '.*' '.*'` permits everything in the virtual host, {ACCESS}"
        );
        return (ErrorKind::Denied, format!("the broker does not permit it: {text}; {remedy}"));
    }
    if let Some(vhost) = missing_vhost(text).filter(|_| code == 530) {
        let remedy = format!("`rabbitmqctl add_vhost {}` makes it", shown(vhost));
        return (ErrorKind::Denied, format!("there is no virtual host `{vhost}` ({text}); {remedy}"));
    }
    match KNOWN.iter().find(|(known, part, ..)| *known == code && text.contains(part)) {
        Some((_, _, kind, remedy)) => (*kind, format!("{text}; {remedy}")),
        // What ends a channel only is said in four codes.
        None if matches!(code, 403..=406) => (ErrorKind::Denied, format!("the broker refuses it ({code}): {text}")),
        None => (ErrorKind::Unreachable, format!("the broker closed the connection ({code}): {text}")),
    }
}

/// Who may not, and in which virtual host.
fn refused_access(text: &str) -> Option<(&str, &str)> {
    let (what, user) = text.split_once(" refused for user '")?;
    let (user, rest) = user.split_once('\'')?;
    let (_, vhost) = what.rsplit_once("vhost '")?;
    // Some go on with a reason that is no right.
    rest.is_empty().then(|| vhost.split_once('\'')).flatten().map(|(vhost, _)| (user, vhost))
}

/// The virtual host that there is not.
fn missing_vhost(text: &str) -> Option<&str> {
    text.split_once(" - vhost ")?.1.strip_suffix(" not found")
}

/// As an argument of a command.
fn shown(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) { name.to_owned() } else { format!("'{name}'") }
}

/// The largest message that the broker takes, out of its words for one that is larger.
pub(super) fn largest_message(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("message size ")?;
    rest.rsplit_once("max size ")?.1.parse().ok()
}

/// How long the broker waits for an acknowledgement, out of its words for one that is overdue.
pub(crate) fn ack_timeout(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once("delivery acknowledgement on channel ")?;
    let (_, rest) = rest.split_once("Timeout value used: ")?;
    rest.split_once(" ms")?.0.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests;
