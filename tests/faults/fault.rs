//! The faults themselves: what a case brings about once, and a soak again and again.

use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Direction, Proxy};

use crate::fleet::Version;
use crate::functions::SERVICE;
use crate::stage::{Proxies, Stage};
use crate::strangers;

/// A broker is as good as dead to others when it was silent for two.
pub(crate) const HEARTBEATS: u32 = 3;
/// How long the broker is short of memory.
const SHORTAGE: Duration = Duration::from_secs(2);

/// A fault of the broker, which affects all its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BrokerFault {
    /// `kill -9`, and a new start.
    Killed,
    /// It is stopped in good order, and started again.
    Restarted,
    /// It keeps its connections and says nothing, for three heartbeats.
    Frozen,
    /// It takes no messages for a while.
    ShortOfMemory,
}

/// A fault of anything else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// An operator closes every connection.
    ConnectionsClosed,
    /// The connections of one side end without a word.
    Cut(Side),
    /// The network swallows what goes this way, for three heartbeats.
    BlackHole(Side, Direction),
    /// `kill -9` of a server; another one takes its place.
    ServerKilled,
    /// SIGTERM to a server; another one takes its place.
    ServerReplaced,
    /// `kill -9` of a server beside one that does less, which others replace then.
    ServerDowngraded(Version),
    /// The process of the service's queue ends.
    QueueFailed,
    /// Somebody sends nonsense.
    Strangers,
}

/// Whose way to the broker it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Clients,
    Servers,
}

impl BrokerFault {
    /// Brings it about, and ends it.
    pub(crate) fn strike(self, stage: &Stage, broker: &mut dyn Broker) -> anyhow::Result<()> {
        match self {
            BrokerFault::Killed => {
                broker.kill()?;
                broker.restart()
            }
            BrokerFault::Restarted => {
                broker.stop()?;
                broker.restart()
            }
            BrokerFault::Frozen => {
                broker.freeze()?;
                thread::sleep(three_heartbeats(stage));
                broker.thaw()
            }
            BrokerFault::ShortOfMemory => {
                broker.memory_alarm(true)?;
                thread::sleep(SHORTAGE);
                broker.memory_alarm(false)
            }
        }
    }
}

impl Fault {
    /// Brings it about, and ends it.
    pub(crate) fn strike(self, stage: &mut Stage, broker: &dyn Broker) -> anyhow::Result<()> {
        match self {
            Fault::ConnectionsClosed => {
                let closed = broker.close_all_connections("a test")?;
                ensure!(closed > 0, "there was no connection to close");
            }
            Fault::Cut(side) => side.proxy(stage)?.cut(),
            Fault::BlackHole(side, direction) => {
                let duration = three_heartbeats(stage);
                let proxy = side.proxy(stage)?;
                proxy.freeze_one_way(direction);
                thread::sleep(duration);
                proxy.thaw();
            }
            Fault::ServerKilled => {
                stage.fleet.kill_oldest()?;
                stage.fleet.add(Version::Present)?;
            }
            Fault::ServerReplaced => {
                stage.fleet.add(Version::Present)?;
                stage.fleet.dismiss_oldest()?;
            }
            Fault::ServerDowngraded(version) => {
                stage.fleet.add(version)?;
                stage.fleet.kill_oldest()?;
                stage.run_on()?;
                while stage.fleet.servers().iter().any(|server| server.version != Version::Present) {
                    stage.fleet.add(Version::Present)?;
                    stage.fleet.dismiss_oldest()?;
                }
            }
            Fault::QueueFailed => broker.fail_queue(SERVICE)?,
            Fault::Strangers => strangers::visit(&broker.uri(), &mut fastrand::Rng::new())?,
        }
        Ok(())
    }
}

fn three_heartbeats(stage: &Stage) -> Duration {
    HEARTBEATS * Duration::from_secs(stage.plan().heartbeat.into())
}

impl Side {
    fn proxy(self, stage: &Stage) -> anyhow::Result<&Proxy> {
        let Proxies { clients, servers } = stage.proxies.as_ref().context("the plan has no proxies")?;
        Ok(match self {
            Side::Clients => clients,
            Side::Servers => servers,
        })
    }
}
