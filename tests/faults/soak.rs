//! Faults at random, one after another, for as long as one likes: what no single case would show.

use std::env;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use fastrand::Rng;
use harness::{Broker, Direction, Effect, Entry, RabbitMq, on_embedded};

use crate::fault::{BrokerFault, Fault, Side};
use crate::fleet::Version;
use crate::load::Volume;
use crate::stage::{CONNECTIONS_LOST, Plan, Stage, USUAL};
use crate::usage::{self, Usage};

/// The environment variable that asks for a soak: its seconds, its seed, and its broker.
const WANTED: &str = "FAULTS_SOAK";
/// How long the load goes on between two faults, in milliseconds.
const CALM: std::ops::Range<u64> = 500..5000;

const SOAK: Plan = Plan {
    name: "soak",
    fault: "faults at random",
    volume: Volume { pause: Duration::from_millis(50), ..USUAL.volume },
    heartbeat: 2,
    by_proxy: true,
    memory: Some(1 << 30),
    may: CONNECTIONS_LOST,
    ..USUAL
};

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Event {
    Broker(BrokerFault),
    Other(Fault),
}

/// Each is as likely as the others.
const EVENTS: &[Event] = &[
    Event::Broker(BrokerFault::Killed),
    Event::Broker(BrokerFault::Frozen),
    Event::Broker(BrokerFault::ShortOfMemory),
    Event::Other(Fault::ConnectionsClosed),
    Event::Other(Fault::Cut(Side::Clients)),
    Event::Other(Fault::Cut(Side::Servers)),
    Event::Other(Fault::BlackHole(Side::Clients, Direction::ToBroker)),
    Event::Other(Fault::BlackHole(Side::Clients, Direction::FromBroker)),
    Event::Other(Fault::BlackHole(Side::Servers, Direction::ToBroker)),
    Event::Other(Fault::BlackHole(Side::Servers, Direction::FromBroker)),
    Event::Other(Fault::ServerKilled),
    Event::Other(Fault::ServerReplaced),
    Event::Other(Fault::ServerDowngraded(Version::Older)),
    Event::Other(Fault::ServerDowngraded(Version::Smaller)),
    Event::Other(Fault::Strangers),
];

/// A soak on some kind of queue.
struct Kind {
    options: &'static [&'static str],
    /// What may happen beside the usual.
    event: Event,
    may: &'static [Effect],
}

/// After an orderly restart a classic queue of RabbitMQ's may mark nothing any more as delivered before, and then not all
/// is true that is true elsewhere: the guide says so. So that is for quorum queues, whose processes are not to be ended.
const CLASSIC: Kind = Kind {
    options: &[],
    event: Event::Other(Fault::QueueFailed),
    may: &[Effect::FailedNotRun, Effect::FailedMayHaveRun, Effect::RunAgain, Effect::Discarded],
};
const QUORUM: Kind =
    Kind { options: &["--queue-type", "quorum"], event: Event::Broker(BrokerFault::Restarted), may: CONNECTIONS_LOST };
const EMBEDDED: Kind = Kind { options: &[], ..QUORUM };

pub(crate) struct Soak {
    duration: Duration,
    seed: u64,
    broker: String,
}

/// The soak that is asked for instead of the cases.
pub(crate) fn wanted() -> anyhow::Result<Option<Soak>> {
    let Ok(wanted) = env::var(WANTED) else { return Ok(None) };
    let mut words = wanted.split(' ');
    let mut word = || words.next().context("seconds, a seed and a broker");
    let duration = Duration::from_secs(word()?.parse().context("no number of seconds")?);
    let seed = word()?.parse().context("no seed")?;
    Ok(Some(Soak { duration, seed, broker: word()?.to_owned() }))
}

impl Soak {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let Self { duration, seed, broker } = self;
        println!("{} s on {broker}, seed {seed}", duration.as_secs());
        let outcome = match broker.as_str() {
            "rabbitmq" => RabbitMq::start().and_then(|mut node| self.run_on(&mut node)),
            "embedded" => on_embedded(|broker| self.run_on(broker)),
            other => bail!("no broker `{other}`: it is `rabbitmq` or `embedded`"),
        };
        outcome.and_then(|()| usage::wait_for_threads()).with_context(|| format!("a soak with the seed {seed}"))?;
        println!("all is well with the seed {seed}");
        Ok(())
    }

    fn run_on(&self, broker: &mut dyn Broker) -> anyhow::Result<()> {
        // The load takes its own from this thread's.
        fastrand::seed(self.seed);
        let mut random = Rng::with_seed(self.seed);
        let kind = match self.broker.as_str() {
            "embedded" => EMBEDDED,
            _ if self.seed.is_multiple_of(2) => CLASSIC,
            _ => QUORUM,
        };
        let events: Vec<Event> = EVENTS.iter().copied().chain([kind.event]).collect();
        let queue_fails = matches!(kind.event, Event::Other(Fault::QueueFailed));
        let mut stage = Stage::set(Plan { options: kind.options, queue_fails, may: kind.may, ..SOAK }, broker)?;
        let (before, begun) = (Usage::of(process::id()), Instant::now());
        while begun.elapsed() < self.duration {
            thread::sleep(Duration::from_millis(random.u64(CALM)));
            let event = events[random.usize(..events.len())];
            println!("{:6.1} s: {event:?}", begun.elapsed().as_secs_f64());
            match event {
                Event::Broker(fault) => fault.strike(&stage, broker)?,
                Event::Other(fault) => fault.strike(&mut stage, broker)?,
            }
            stage.recover().with_context(|| format!("after {event:?}"))?;
            stage.fleet.measure();
        }
        let requests = stage.close_books(broker)?;
        // The books themselves, with what a growing vector holds beyond them.
        let kept = u64::try_from(2 * requests * size_of::<Entry>())?;
        before.map_or(Ok(()), |before| before.wait_for_return(process::id(), kept)).context("this process")
    }
}
