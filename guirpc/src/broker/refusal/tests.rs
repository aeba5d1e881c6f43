//! Each code and text with which RabbitMQ 3.10 to 4.2 refuses what guirpc may do, and what is said about it.
//!
//! Those that can be provoked on a broker are, in `tests/end_to_end/refusals.rs`; the others are from its source.

use super::*;

/// What a refusal costs.
#[derive(Debug, PartialEq)]
enum Costs {
    Channel,
    Connection,
}
use Costs::{Channel, Connection};
use ErrorKind::{Denied, Topology, Unreachable};

const REFUSALS: &[(u16, &str, Costs, ErrorKind, &str)] = &[
    // Logging in, and the virtual host.
    (
        403,
        "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.",
        Connection,
        Denied,
        "the password is wrong",
    ),
    (530, "NOT_ALLOWED - vhost nowhere not found", Connection, Denied, "`rabbitmqctl add_vhost nowhere` makes it"),
    (
        530,
        "NOT_ALLOWED - access to vhost '/' refused for user 'ada'",
        Connection,
        Denied,
        "`rabbitmqctl set_permissions -p / ada '.*' '.*' '.*'`",
    ),
    (
        530,
        "NOT_ALLOWED - access to vhost '/' refused for user 'ada': connection limit (1) is reached",
        Connection,
        Denied,
        "`rabbitmqctl set_vhost_limits` raises it",
    ),
    (
        530,
        "NOT_ALLOWED - access to vhost '/' refused for user 'ada': vhost connection limit (1) is reached",
        Connection,
        Denied,
        "`rabbitmqctl set_vhost_limits` raises it",
    ),
    (
        530,
        "NOT_ALLOWED - connection refused for user 'ada': user connection limit (1) is reached",
        Connection,
        Denied,
        "`rabbitmqctl set_user_limits` raises it",
    ),
    (
        530,
        "NOT_ALLOWED - connection refused: node connection limit (500) is reached",
        Connection,
        Denied,
        "`connection_max`",
    ),
    (
        541,
        "INTERNAL_ERROR - access to vhost '/' refused for user 'ada': vhost '/' is down",
        Connection,
        Denied,
        "`rabbitmqctl restart_vhost`",
    ),
    (
        530,
        "NOT_ALLOWED - negotiated frame_max = 4096 is lower than the minimum allowed value (8192)",
        Connection,
        Denied,
        "please report it",
    ),
    // Channels.
    (
        530,
        "NOT_ALLOWED - number of channels opened (3) has reached the negotiated channel_max (3)",
        Connection,
        Denied,
        "please report it",
    ),
    (
        530,
        "NOT_ALLOWED - number of channels opened for user 'ada' has reached the maximum allowed user limit of (5)",
        Connection,
        Denied,
        "`rabbitmqctl set_user_limits`",
    ),
    (
        530,
        "NOT_ALLOWED - number of channels opened on node 'rabbit@a' has reached the maximum allowed limit of (5)",
        Connection,
        Denied,
        "`channel_max_per_node`",
    ),
    (
        530,
        "NOT_ALLOWED - reached maximum (1) of consumers per channel",
        Connection,
        Denied,
        "`consumer_max_per_channel`",
    ),
    (530, "NOT_ALLOWED - attempt to reuse consumer tag 'a'", Connection, Denied, "please report it"),
    (504, "CHANNEL_ERROR - expected 'channel.open'", Connection, Unreachable, "please report it"),
    // Rights.
    (
        403,
        "ACCESS_REFUSED - access to queue 'math' in vhost '/' refused for user 'ada'",
        Channel,
        Denied,
        "`rabbitmqctl set_permissions -p / ada '.*' '.*' '.*'`",
    ),
    (
        403,
        "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost 'my host' refused for user 'a b'",
        Channel,
        Denied,
        "`rabbitmqctl set_permissions -p 'my host' 'a b' '.*' '.*' '.*'`",
    ),
    (
        403,
        "ACCESS_REFUSED - configure access to exchange 'guirpc' in vhost '/' refused for user 'ada'",
        Channel,
        Denied,
        "the guide on reliability lists",
    ),
    (
        403,
        "ACCESS_REFUSED - access to topic 'math' in exchange 'guirpc' in vhost '/' refused for user 'ada'",
        Channel,
        Denied,
        "`rabbitmqctl set_permissions -p / ada",
    ),
    (
        403,
        "ACCESS_REFUSED - read access to topic 'math' in exchange 'guirpc' in vhost '/' refused for user 'ada'",
        Channel,
        Denied,
        "`rabbitmqctl set_permissions -p / ada",
    ),
    (
        403,
        "ACCESS_REFUSED - queue 'math' in vhost '/' in exclusive use",
        Channel,
        Denied,
        "another consumer has the queue to itself",
    ),
    (
        403,
        "ACCESS_REFUSED - queue name 'amq.math' contains reserved prefix 'amq.*'",
        Channel,
        Denied,
        "does not begin with `amq.`",
    ),
    (403, "ACCESS_REFUSED - operation not permitted on the default exchange", Channel, Denied, "name another exchange"),
    (
        403,
        "ACCESS_REFUSED - cannot publish to internal exchange 'inner' in vhost '/'",
        Channel,
        Denied,
        "name another exchange",
    ),
    // What is not there.
    (404, "NOT_FOUND - no exchange 'guirpc' in vhost '/'", Channel, Topology, "is the name spelt right?"),
    (404, "NOT_FOUND - no queue 'math' in vhost '/'", Channel, Topology, "is the name spelt right?"),
    (
        404,
        "NOT_FOUND - home node 'rabbit@b' of durable queue 'math' in vhost '/' is down or inaccessible",
        Channel,
        Topology,
        "a node of the cluster is down",
    ),
    (
        404,
        "NOT_FOUND - queue 'math' in vhost '/' process is stopped by supervisor",
        Channel,
        Topology,
        "`rabbitmqctl restart_vhost`",
    ),
    (
        404,
        "NOT_FOUND - queue 'math' in vhost '/' has crashed and failed to restart",
        Channel,
        Topology,
        "`rabbitmqctl restart_vhost`",
    ),
    (
        404,
        "NOT_FOUND - failed to perform operation on queue 'math' in vhost '/' due to timeout",
        Channel,
        Topology,
        "it is tried again",
    ),
    // Declarations.
    (
        405,
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'math' in vhost '/'. It could be originally \
         declared on another connection or the exclusive property value does not match that of the original declaration.",
        Channel,
        Topology,
        "another connection has the queue to itself",
    ),
    (
        405,
        "RESOURCE_LOCKED - cannot obtain access to locked queue 'math' in vhost '/'. basic.get operations are not \
         supported by quorum queues with single active consumer",
        Channel,
        Topology,
        "another connection has the queue to itself",
    ),
    (
        406,
        "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'math' in vhost '/': received 'true' but current \
         is 'false'",
        Channel,
        Topology,
        "declare it alike everywhere",
    ),
    (
        406,
        "PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'math' in vhost '/' of queue type \
         rabbit_quorum_queue",
        Channel,
        Topology,
        "change the setting",
    ),
    (
        406,
        "PRECONDITION_FAILED - invalid property 'non-durable' for queue 'math' in vhost '/'",
        Channel,
        Topology,
        "does not go with `durable`",
    ),
    (
        406,
        "PRECONDITION_FAILED - cannot declare queue 'math': queue limit in vhost '/' (1) is reached",
        Channel,
        Topology,
        "`rabbitmqctl set_vhost_limits`",
    ),
    (
        406,
        "PRECONDITION_FAILED - cannot declare queue 'math': queue limit of 100 is reached",
        Channel,
        Topology,
        "`cluster_queue_limit`",
    ),
    (
        406,
        "PRECONDITION_FAILED - cannot declare exchange 'guirpc': exchange limit of 9 is reached",
        Channel,
        Topology,
        "`cluster_exchange_limit`",
    ),
    (
        541,
        "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\nIts use is not permitted per the \
         configuration (overriding the default, which is permitted)",
        Connection,
        Denied,
        "`durable = true`",
    ),
    (
        541,
        "INTERNAL_ERROR - Feature `global_qos` is deprecated.",
        Connection,
        Denied,
        "the broker's settings may permit it",
    ),
    // Messages.
    (
        406,
        "PRECONDITION_FAILED - message size 6000 is larger than configured max size 4096",
        Channel,
        Denied,
        "`max_message_size`",
    ),
    (
        406,
        "PRECONDITION_FAILED - message size 536870913 is larger than max size 536870912",
        Channel,
        Denied,
        "`max_message_size`",
    ),
    (406, "PRECONDITION_FAILED - invalid expiration 'never': no_integer", Channel, Denied, "choose a shorter time"),
    (
        406,
        "PRECONDITION_FAILED - user_id property set to 'eve' but authenticated user was 'ada'",
        Channel,
        Denied,
        "`impersonator`",
    ),
    (406, "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_CC_header,bool}", Channel, Denied, "report it"),
    (406, "PRECONDITION_FAILED - fast reply consumer does not exist", Channel, Denied, "please report it"),
    (406, "PRECONDITION_FAILED - reply consumer already set", Channel, Denied, "please report it"),
    (
        501,
        "FRAME_ERROR - type 2, first 16 octets = <<0>>: {frame_too_large,6000,4088}",
        Connection,
        Unreachable,
        "report it",
    ),
    (503, "COMMAND_INVALID - unimplemented method", Connection, Unreachable, "please report it"),
    (505, "UNEXPECTED_FRAME - type 3, all octets = <<>>", Connection, Unreachable, "please report it"),
    (506, "RESOURCE_ERROR - too many", Connection, Unreachable, "its log says which"),
    (540, "NOT_IMPLEMENTED - immediate=true", Connection, Unreachable, "is it RabbitMQ 3.10 or later?"),
    (541, "INTERNAL_ERROR", Connection, Unreachable, "the broker's log says more"),
    // Deliveries.
    (
        406,
        "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 4000 ms. This \
         timeout value can be configured, see consumers doc guide to learn more",
        Channel,
        Denied,
        "`consumer_timeout`",
    ),
    (406, "PRECONDITION_FAILED - unknown delivery tag 1", Channel, Denied, "it is delivered again"),
    // The end of a connection that was up.
    (
        320,
        "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        Connection,
        Unreachable,
        "the broker is shut down",
    ),
    (320, "CONNECTION_FORCED - vhost 'math' is deleted", Connection, Unreachable, "the virtual host was deleted"),
    (320, "CONNECTION_FORCED - user 'ada' is deleted", Connection, Unreachable, "the user was deleted"),
    (
        320,
        "CONNECTION_FORCED - Node was put into maintenance mode",
        Connection,
        Unreachable,
        "another node of the cluster",
    ),
    (320, "CONNECTION_FORCED - Closed via management plugin", Connection, Unreachable, "opened again by itself"),
    // What nobody has heard of yet is shown as it is.
    (406, "PRECONDITION_FAILED - something new", Channel, Denied, "PRECONDITION_FAILED - something new"),
    (599, "SOMETHING_NEW", Connection, Unreachable, "(599): SOMETHING_NEW"),
];

#[test]
fn each_refusal_is_explained_and_shown_as_the_broker_said_it() {
    for (code, text, costs, kind, said) in REFUSALS {
        let (explained, message) = explain(*code, text);
        assert_eq!(explained, *kind, "{text}");
        assert!(message.contains(text) && message.contains(said), "{message}");
        let is_channel = matches!(code, 403..=406) && !text.contains("Login");
        assert_eq!(is_channel, *costs == Channel, "{text}");
    }
}

#[test]
fn everything_that_is_known_is_in_the_list() {
    for (code, part, ..) in KNOWN {
        assert!(REFUSALS.iter().any(|(listed, text, ..)| listed == code && text.contains(part)), "{code} {part}");
    }
}

#[test]
fn the_largest_message_is_read() {
    let text = "PRECONDITION_FAILED - message size 6000 is larger than configured max size 4096";
    assert_eq!(largest_message(text), Some(4096));
    assert_eq!(largest_message("PRECONDITION_FAILED - message size 9 is larger than max size 8"), Some(8));
    assert_eq!(largest_message("PRECONDITION_FAILED - unknown delivery tag 1"), None);
}

#[test]
fn the_time_for_an_acknowledgement_is_read() {
    let text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 4000 ms. This \
                timeout value can be configured, see consumers doc guide to learn more";
    assert_eq!(ack_timeout(text), Some(Duration::from_secs(4)));
    assert_eq!(ack_timeout("PRECONDITION_FAILED - unknown delivery tag 1"), None);
}

/// A queue may be named like a user.
#[test]
fn what_is_quoted_is_read_from_the_end() {
    let text =
        "ACCESS_REFUSED - access to queue 'x' in vhost 'a' refused for user 'b'' in vhost '/' refused for user 'ada'";
    assert!(explain(403, text).1.contains(text));
    let text = "ACCESS_REFUSED - access to queue 'it's' in vhost '/' refused for user 'ada'";
    assert_eq!(refused_access(text), Some(("ada", "/")));
}
