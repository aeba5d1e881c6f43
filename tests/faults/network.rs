//! Faults of the network between the broker and those who use it.

use harness::{Broker, Case, Direction};

use crate::fault::{Fault, Side};
use crate::stage::{CONNECTIONS_LOST, Plan, Stage, USUAL};

const NETWORK: Plan = Plan { heartbeat: 1, by_proxy: true, may: CONNECTIONS_LOST, ..USUAL };

const CUT: Plan =
    Plan { name: "network::cut", fault: "the network is cut, for the clients, then for the servers", ..NETWORK };

const HOLE_TO_BROKER: Plan = Plan {
    name: "network::black_hole_to_the_broker",
    fault: "nothing arrives at the broker for three heartbeats, from the clients, then from the servers",
    ..NETWORK
};

const HOLE_FROM_BROKER: Plan = Plan {
    name: "network::black_hole_from_the_broker",
    fault: "nothing of the broker arrives for three heartbeats, at the clients, then at the servers",
    ..NETWORK
};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared(CUT.name, |broker| struck(CUT, broker, Fault::Cut)),
        Case::shared(HOLE_TO_BROKER.name, |broker| {
            struck(HOLE_TO_BROKER, broker, |side| Fault::BlackHole(side, Direction::ToBroker))
        }),
        Case::shared(HOLE_FROM_BROKER.name, |broker| {
            struck(HOLE_FROM_BROKER, broker, |side| Fault::BlackHole(side, Direction::FromBroker))
        }),
    ]
}

fn struck(plan: Plan, broker: &dyn Broker, fault: fn(Side) -> Fault) -> anyhow::Result<()> {
    let mut stage = Stage::set(plan, broker)?;
    for side in [Side::Clients, Side::Servers] {
        fault(side).strike(&mut stage, broker)?;
        stage.recover()?;
    }
    stage.finish(broker)
}
