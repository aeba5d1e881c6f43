//! All metrics that there are, in one table: names, labels and what they mean.
//!
//! `GUIRPC_BLESS=1 cargo test -p guirpc --features metrics --lib every_metric` writes it to the documentation.

/// Of what kind a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    /// Of times, in seconds.
    Histogram,
}

/// A metric with its labels.
#[derive(Debug)]
pub(super) struct Family {
    /// As queries name it.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

macro_rules! families {
    ($($(#[doc = $help:literal])+ $metric:ident: $kind:ident $name:literal [$($label:literal),*],)+) => {
        /// A metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(not(feature = "server"), allow(dead_code, reason = "half of them are a server's"))]
        pub(crate) enum Metric {
            $($(#[doc = $help])+ $metric,)+
        }

        impl Metric {
            /// All of them.
            pub(super) const ALL: &'static [Metric] = &[$(Metric::$metric),+];

            pub(super) const fn family(self) -> Family {
                match self {
                    $(Metric::$metric => Family {
                        name: $name,
                        kind: Kind::$kind,
                        labels: &[$($label),*],
                        help: concat!($($help),+).trim_ascii(),
                    },)+
                }
            }
        }
    };
}

families! {
    /// How long requests took in the server, from when a worker took them to their reply
    ServerCallDuration: Histogram "rpc_server_call_duration_seconds" ["service", "function", "lane", "outcome"],
    /// How long requests waited before they ran, by the clocks of caller and server
    ServerQueueTime: Histogram "guirpc_server_queue_time_seconds" ["service", "function", "lane"],
    /// Requests that are running at the moment
    ServerInFlight: Gauge "guirpc_server_in_flight" ["service", "function", "lane"],
    /// Runs of functions, by what came of them
    ServerRuns: Counter "guirpc_server_runs_total" ["service", "function", "lane", "outcome"],
    /// Requests that were refused and not run, by status
    ServerRefusals: Counter "guirpc_server_refusals_total" ["service", "function", "lane", "status"],
    /// Requests that were answered without a run, as one before
    ServerCachedReplies: Counter "guirpc_server_cached_replies_total" ["service", "function", "lane"],
    /// Requests that had been delivered before
    ServerRedeliveries: Counter "guirpc_server_redeliveries_total" ["service", "function", "lane"],
    /// Requests that failed and are tried again
    ServerRetries: Counter "guirpc_server_retries_total" ["service", "function", "lane"],
    /// Requests that became dead letters
    ServerDeadLetters: Counter "guirpc_server_dead_letters_total" ["service", "function", "lane"],
    /// Messages that held several calls
    ServerCoalescedMessages: Counter "guirpc_server_coalesced_messages_total" ["lane"],
    /// Calls that came in such messages
    ServerCoalescedCalls: Counter "guirpc_server_coalesced_calls_total" ["lane"],
    /// Messages that held several replies
    ServerCoalescedReplyMessages: Counter "guirpc_server_coalesced_reply_messages_total" ["lane"],
    /// Replies that left in such messages
    ServerCoalescedReplies: Counter "guirpc_server_coalesced_replies_total" ["lane"],
    /// Workers: threads that run functions
    ServerWorkers: Gauge "guirpc_server_workers" ["lane"],
    /// Workers that run a function at the moment
    ServerBusyWorkers: Gauge "guirpc_server_busy_workers" ["lane"],
    /// Lanes that are connected and take requests
    ServerConnected: Gauge "guirpc_server_connected" ["lane"],
    /// Lanes from which the broker takes no messages at the moment, for a memory or disk alarm
    ServerBlocked: Gauge "guirpc_server_blocked" ["lane"],
    /// How often the broker ceased to take messages
    ServerBlocks: Counter "guirpc_server_blocks_total" ["lane"],
    /// Sessions with the broker that followed a lost one
    ServerReconnects: Counter "guirpc_server_reconnects_total" ["lane"],
    /// How long calls took, from when they were made to their outcome
    ClientCallDuration: Histogram "rpc_client_call_duration_seconds" ["service", "function", "lane", "outcome"],
    /// How long sends took until the broker had them, or did not
    ClientSendDuration: Histogram "guirpc_client_send_duration_seconds" ["service", "function", "lane", "outcome"],
    /// Calls and sends that have no outcome yet
    ClientInFlight: Gauge "guirpc_client_in_flight" ["service", "function", "lane"],
    /// Replies whose caller had given up
    ClientLateReplies: Counter "guirpc_client_late_replies_total" [],
    /// How often a call could not be made for all that was queued already
    ClientBackpressure: Counter "guirpc_client_backpressure_total" [],
    /// What the broker confirmed of the messages for which that was asked: `accepted`, `rejected`, `unroutable`
    ClientConfirms: Counter "guirpc_client_confirms_total" ["outcome"],
    /// Messages that held several calls
    ClientCoalescedMessages: Counter "guirpc_client_coalesced_messages_total" [],
    /// Calls that left in such messages
    ClientCoalescedCalls: Counter "guirpc_client_coalesced_calls_total" [],
    /// Clients that there are
    Clients: Gauge "guirpc_clients" [],
    /// Clients that are connected, and not blocked
    ClientConnected: Gauge "guirpc_client_connected" [],
    /// Clients from which the broker takes no messages at the moment, for a memory or disk alarm
    ClientBlocked: Gauge "guirpc_client_blocked" [],
    /// How often the broker ceased to take messages
    ClientBlocks: Counter "guirpc_client_blocks_total" [],
    /// Connections to the broker that followed a lost one
    ClientReconnects: Counter "guirpc_client_reconnects_total" [],
}

impl Kind {
    /// As OpenMetrics has it.
    #[cfg(test)]
    fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/table.md");

    fn table() -> String {
        let head = "| metric | kind | labels | |\n|---|---|---|---|\n".to_owned();
        Metric::ALL.iter().fold(head, |table, metric| {
            let Family { name, kind, labels, help } = metric.family();
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            format!("{table}| `{name}` | {} | {} | {help} |\n", kind.word(), labels.join(", "))
        })
    }

    #[test]
    fn every_metric_is_in_the_documentation() {
        if std::env::var_os("GUIRPC_BLESS").is_some() {
            fs::write(PAGE, table()).unwrap();
        }
        let page = fs::read_to_string(PAGE).unwrap_or_default();
        assert!(page == table(), "table.md differs from the declarations; write it by GUIRPC_BLESS=1");
    }

    #[test]
    fn names_say_what_they_count() {
        for metric in Metric::ALL {
            let Family { name, kind, help, .. } = metric.family();
            assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(kind == Kind::Histogram, name.ends_with("_seconds"), "{name}");
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}");
        }
    }
}
