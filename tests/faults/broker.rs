//! Faults of the broker, and what an operator does to it.

use std::thread;
use std::time::Duration;

use harness::{Broker, Case, Effect};

use crate::fault::{BrokerFault, Fault};
use crate::function::Function;
use crate::functions::SERVICE;
use crate::load::{Step, Volume};
use crate::stage::{CONNECTIONS_LOST, Plan, Stage, USUAL};

const KILLED: Plan = Plan {
    name: "broker::killed",
    fault: "the broker is killed (`kill -9`) and started again",
    may: CONNECTIONS_LOST,
    ..USUAL
};

const RESTARTED: Plan = Plan {
    name: "broker::restarted",
    fault: "the broker is stopped in good order and started again",
    may: CONNECTIONS_LOST,
    ..USUAL
};

const FROZEN: Plan = Plan {
    name: "broker::frozen",
    fault: "the broker is frozen for three heartbeats",
    heartbeat: 1,
    may: CONNECTIONS_LOST,
    ..USUAL
};

const SHORT_OF_MEMORY: Plan = Plan {
    name: "broker::short_of_memory",
    fault: "the broker is short of memory (an alarm), then not any more",
    may: &[Effect::FailedNotRun],
    ..USUAL
};

const CONNECTIONS_CLOSED: Plan = Plan {
    name: "broker::connections_closed",
    fault: "an operator closes all connections, three times",
    may: CONNECTIONS_LOST,
    ..USUAL
};

const QUEUE_DELETED: Plan = Plan {
    name: "broker::queue_deleted",
    fault: "an operator deletes the service's queue, and what is in it",
    volume: Volume {
        // What is in a queue that is deleted is gone; its callers are not notified.
        timeout: Duration::from_secs(5),
        mix: &[
            Step::Call(Function::Quick),
            Step::Call(Function::Repeatable),
            Step::Call(Function::Slow(20)),
            Step::Call(Function::Resting(20)),
            Step::Start(Function::Quick),
            Step::Await(Function::Repeatable),
        ],
        ..USUAL.volume
    },
    may: &[Effect::FailedNotRun, Effect::Discarded],
    ..USUAL
};

const QUEUE_FAILED: Plan = Plan {
    name: "broker::queue_failed",
    fault: "the process of the service's queue ends, three times",
    // What is transient is gone with it, as are the replies to what it had delivered.
    volume: Volume { timeout: Duration::from_secs(5), ..USUAL.volume },
    queue_fails: true,
    may: &[Effect::FailedMayHaveRun, Effect::Discarded, Effect::RunAgain],
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::exclusive(KILLED.name, |broker| struck(KILLED, broker, BrokerFault::Killed)),
        Case::exclusive(RESTARTED.name, |broker| struck(RESTARTED, broker, BrokerFault::Restarted)),
        Case::exclusive(FROZEN.name, |broker| struck(FROZEN, broker, BrokerFault::Frozen)),
        Case::exclusive(SHORT_OF_MEMORY.name, |broker| struck(SHORT_OF_MEMORY, broker, BrokerFault::ShortOfMemory)),
        Case::shared(CONNECTIONS_CLOSED.name, connections_closed),
        Case::shared(QUEUE_DELETED.name, queue_deleted),
        Case::rabbitmq_shared(QUEUE_FAILED.name, |broker| queue_failed(broker)),
    ]
}

fn struck(plan: Plan, broker: &mut dyn Broker, fault: BrokerFault) -> anyhow::Result<()> {
    let mut stage = Stage::set(plan, broker)?;
    fault.strike(&stage, broker)?;
    stage.recover()?;
    stage.finish(broker)
}

fn connections_closed(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(CONNECTIONS_CLOSED, broker)?;
    for _ in 0..3 {
        Fault::ConnectionsClosed.strike(&mut stage, broker)?;
        stage.recover()?;
    }
    stage.finish(broker)
}

fn queue_failed(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = Stage::set(QUEUE_FAILED, broker)?;
    for _ in 0..3 {
        Fault::QueueFailed.strike(&mut stage, broker)?;
        stage.recover()?;
    }
    // Until the calls that are gone have timed out.
    thread::sleep(QUEUE_FAILED.volume.timeout);
    stage.finish(broker)
}

fn queue_deleted(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut stage = if broker.coalesces() {
        // A message of calls, which waits elsewhere, is delivered again if not all of it was done.
        Stage::set(Plan { may: &[Effect::FailedNotRun, Effect::Discarded, Effect::RunAgain], ..QUEUE_DELETED }, broker)?
    } else {
        Stage::set(QUEUE_DELETED, broker)?
    };
    broker.delete_queue(SERVICE)?;
    stage.recover()?;
    // Until the calls that are gone with the queue have timed out.
    thread::sleep(QUEUE_DELETED.volume.timeout);
    stage.finish(broker)
}
