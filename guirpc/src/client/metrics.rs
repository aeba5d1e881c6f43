//! A client as it is measured; see [`metrics`](crate::metrics).

use std::sync::Arc;

use super::Client;
use super::calls::Counts;
use super::core::Core;
use super::request::Callee;
use crate::health::ConnectionStatus;
use crate::metrics::{CallTimes, Check, Metric, Metrics, Samples, Source};

impl Client {
    /// Has the calls and sends of this client measured from now on, and its connection; see [`metrics`](crate::metrics).
    ///
    /// All copies of a client share its connection, so it concerns those as well, and the first metrics given count.
    pub fn with_metrics(&self, metrics: &Metrics) -> Self {
        let source = || Arc::clone(&self.connected.core) as Arc<dyn Source>;
        self.connected.measured.get_or_init(|| metrics.register(source()));
        self.clone()
    }

    /// Where calls of this function are measured, if they are.
    pub(super) fn times_of(&self, callee: &Callee) -> Option<Arc<CallTimes>> {
        let registered = self.connected.measured.get()?;
        let service = self.settings.service.as_ref().unwrap_or(&callee.service);
        let lane = self.settings.lane_of(callee).unwrap_or_default();
        Some(registered.metrics().calls_of(service, &callee.function, lane))
    }
}

impl Source for Core {
    fn collect(&self, samples: &mut Samples) {
        let Counts { accepted, rejected, returned, messages, coalesced, blocks, reconnects, refused } = self.counts();
        let status = self.status();
        let mut add = |metric, value| samples.add(metric, &[], value);
        add(Metric::Clients, 1);
        add(Metric::ClientConnected, status.is_connected().into());
        add(Metric::ClientBlocked, matches!(status, ConnectionStatus::Blocked { .. }).into());
        add(Metric::ClientBlocks, blocks);
        add(Metric::ClientReconnects, reconnects);
        add(Metric::ClientLateReplies, self.late_replies());
        add(Metric::ClientBackpressure, refused);
        add(Metric::ClientCoalescedMessages, messages);
        add(Metric::ClientCoalescedCalls, coalesced);
        for (outcome, count) in [("accepted", accepted), ("rejected", rejected), ("unroutable", returned)] {
            samples.add(Metric::ClientConfirms, &[outcome], count);
        }
    }

    fn readiness(&self) -> Vec<Check> {
        let status = self.status();
        vec![("client".to_owned(), if status.is_connected() { Ok(()) } else { Err(status.to_string()) })]
    }

    fn is_server(&self) -> bool {
        false
    }
}
