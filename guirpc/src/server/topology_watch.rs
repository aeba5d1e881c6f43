//! The thread that has what a server has declared looked after while its session lasts.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::plan::Plan;
use crate::broker::{Binding, Connection, TopologyKeeper};
use crate::error::Error;
use crate::log::in_same_lane;

/// How often to look. It costs the broker a request for the exchange and one for each queue that is bound to it.
const PERIOD: Duration = Duration::from_secs(5);

/// Has the topology looked after until it is dropped.
pub(super) struct TopologyWatch(#[expect(dead_code, reason = "it is dropped")] Sender<Infallible>);

impl TopologyWatch {
    /// Looks on a connection that the broker answers on in any case: one that only consumes.
    pub(super) fn start(plan: &Plan, consuming: &Connection) -> Result<Self, Error> {
        let bindings = plan.services.iter().flat_map(|served| {
            let calls = served.calls.as_ref().map(|calls| (&calls.routing_key, &calls.queue.name));
            let all = [(&served.routing_key, &served.queue)].into_iter().chain(calls);
            all.map(|(routing_key, queue)| Binding { routing_key: routing_key.clone(), queue: queue.clone() })
        });
        let keeper = TopologyKeeper::on(consuming, plan.exchange.clone(), bindings.collect());
        let (watch, over) = bounded(0);
        thread::Builder::new()
            .name("guirpc-topology".to_owned())
            .spawn(in_same_lane(move || look_after(keeper, &over)))
            .map_err(|error| Error::no_thread("to look after exchanges", error))?;
        Ok(TopologyWatch(watch))
    }
}

fn look_after(mut keeper: TopologyKeeper, over: &Receiver<Infallible>) {
    loop {
        // Servers that were started at once do not all ask at once.
        let pause = PERIOD.mul_f64(0.8 + 0.4 * fastrand::f64());
        // The session hears by itself that its connection is lost.
        if over.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) || keeper.look().is_err() {
            return;
        }
    }
}
