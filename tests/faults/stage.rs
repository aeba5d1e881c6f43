//! A case from its beginning to its end: servers, a load, a fault that the case brings about, and the books.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use harness::{Broker, Effect, Entry, ExecutionLog, Ledger, Outcome, Proxy, eventually};
use tempfile::TempDir;

use crate::fleet::{Fleet, LONG, Version};
use crate::function::Function;
use crate::functions::SERVICE;
use crate::letters;
use crate::load::{Load, Step, Volume};
use crate::report::{self, Row};

/// What a case stages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The name of the test.
    pub(crate) name: &'static str,
    /// What happens, in words.
    pub(crate) fault: &'static str,
    pub(crate) servers: usize,
    /// What each of them is told on its command line.
    pub(crate) options: &'static [&'static str],
    /// How much address space each of them gets, in bytes, if there is a limit.
    pub(crate) memory: Option<u64>,
    pub(crate) volume: Volume,
    /// In seconds.
    pub(crate) heartbeat: u32,
    /// Whether clients and servers come to the broker by a proxy of their own that can be cut.
    pub(crate) by_proxy: bool,
    /// Whether calls travel together.
    pub(crate) coalesces: bool,
    /// Whether the process of the service's queue may end: RabbitMQ may take for unacknowledged then what no server has,
    /// until the server's channel is closed.
    pub(crate) queue_fails: bool,
    /// What the fault may bring about.
    pub(crate) may: &'static [Effect],
}

/// A bit of everything.
pub(crate) const MIX: &[Step] = &[
    Step::Call(Function::Quick),
    Step::Call(Function::Quick),
    Step::Call(Function::Repeatable),
    Step::Call(Function::Failing),
    Step::Call(Function::Slow(20)),
    Step::Call(Function::Resting(20)),
    Step::Start(Function::Resting(5)),
    Step::Start(Function::Quick),
    Step::Start(Function::Repeatable),
    Step::Await(Function::Quick),
    Step::Await(Function::Repeatable),
    Step::Send(Function::Quick),
    Step::Send(Function::Quick),
    Step::Send(Function::Repeatable),
    Step::Send(Function::Resting(5)),
];

/// What a case stages unless it says otherwise; under it nothing fails and nothing runs twice.
pub(crate) const USUAL: Plan = Plan {
    name: "",
    fault: "",
    servers: 2,
    options: &[],
    memory: None,
    volume: Volume {
        clients: 3,
        threads: 12,
        pause: Duration::from_millis(10),
        // Longer than any fault, and than what it takes to connect again afterwards.
        timeout: Duration::from_mins(1),
        mix: MIX,
    },
    heartbeat: 10,
    by_proxy: false,
    coalesces: false,
    queue_fails: false,
    may: &[],
};

/// What a lost connection may bring about.
pub(crate) const CONNECTIONS_LOST: &[Effect] = &[Effect::FailedNotRun, Effect::FailedMayHaveRun, Effect::RunAgain];

/// The proxies before the broker by which a case can cut connections.
pub(crate) struct Proxies {
    pub(crate) clients: Proxy,
    pub(crate) servers: Proxy,
}

pub(crate) struct Stage {
    plan: Plan,
    /// Ends first, while there may still be servers that answer.
    load: Load,
    pub(crate) fleet: Fleet,
    folder: TempDir,
    pub(crate) proxies: Option<Proxies>,
    /// Requests that are not the load's.
    others: Ledger,
    begun: Instant,
    /// When each fault was over.
    over: Vec<Instant>,
}

impl Stage {
    /// Starts the servers, then the load, and waits until it is well under way.
    pub(crate) fn set(plan: Plan, broker: &dyn Broker) -> anyhow::Result<Self> {
        let uri = format!("{}?heartbeat={}", broker.uri(), plan.heartbeat);
        let proxy = || Proxy::to(broker.port());
        let proxies = if plan.by_proxy { Some(Proxies { clients: proxy()?, servers: proxy()? }) } else { None };
        let to_clients = proxies.as_ref().map_or(uri.clone(), |proxies| proxies.clients.detour(&uri));
        let to_servers = proxies.as_ref().map_or(uri.clone(), |proxies| proxies.servers.detour(&uri));
        let plan = Plan { coalesces: broker.coalesces(), ..plan };
        let stage = Self::set_on(plan, &to_clients, to_servers, proxies)?;
        // What was declared moments ago would not outlive the broker.
        broker.sync()?;
        Ok(stage)
    }

    /// The same, on a broker that is reached so.
    pub(crate) fn set_on(
        plan: Plan,
        to_clients: &str,
        to_servers: String,
        proxies: Option<Proxies>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut fleet = Fleet::new(to_servers, folder.path().join("runs"), &plan);
        for _ in 0..plan.servers {
            fleet.add(Version::Present)?;
        }
        let load = Load::start(to_clients, plan.volume, plan.coalesces, fastrand::u64(..))?;
        let begun = Instant::now();
        let others = Ledger::default();
        let mut stage = Self { plan, folder, fleet, load, proxies, others, begun, over: vec![] };
        stage.run_on()?;
        stage.fleet.measure();
        Ok(stage)
    }

    /// Waits until the load has gone on for a while.
    pub(crate) fn run_on(&self) -> anyhow::Result<()> {
        let few = u64::try_from(self.plan.volume.threads)? * 25;
        self.load.wait_for(few, LONG)
    }

    /// Says that the fault is over, and waits until every client has answers again.
    pub(crate) fn recover(&mut self) -> anyhow::Result<()> {
        let over = Instant::now();
        self.load.wait_for_recovery(over, LONG)?;
        self.over.push(over);
        self.run_on()
    }

    /// By how much the machine was late at most until now.
    pub(crate) fn late(&self) -> Duration {
        self.load.late()
    }

    /// Where the servers write what they run.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn reserve(&self, count: u64) -> u64 {
        self.load.reserve(count)
    }

    /// Enters a request that is not the load's.
    pub(crate) fn enter(&mut self, function: Function, awaited: bool, id: u64, begun: Instant, outcome: Outcome) {
        let (request, ended) = (function.request(awaited), Instant::now());
        let deadline = begun + self.plan.volume.timeout;
        self.others.extend([Entry { id, client: None, request, begun, deadline, ended, outcome }]);
    }

    /// Ends the load, waits until everything is done that was asked, and closes the books.
    pub(crate) fn finish(self, broker: &dyn Broker) -> anyhow::Result<()> {
        self.close_books(broker).map(drop)
    }

    /// The same; gives the number of requests.
    pub(crate) fn close_books(mut self, broker: &dyn Broker) -> anyhow::Result<usize> {
        let lasted = self.begun.elapsed();
        let (mut ledger, late) = self.load.finish()?;
        let recoveries = self.over.iter().map(|over| ledger.recovery(*over)).collect::<Option<Vec<_>>>();
        let recovery = recoveries.and_then(|recoveries| recoveries.into_iter().max());
        ledger.append(self.others);
        if self.plan.queue_fails {
            self.fleet.check_usage()?;
            self.fleet.replace()?;
        }
        let queues = [
            SERVICE.to_owned(),
            format!("{SERVICE}.calls"),
            format!("{SERVICE}.retry"),
            format!("{SERVICE}.quarantine"),
        ];
        for queue in queues {
            let is_empty = || Ok(broker.queue(&queue)?.is_none_or(|queue| queue.messages == 0));
            eventually(LONG, is_empty).with_context(|| format!("queue `{queue}`: {:?}", broker.queue(&queue)))?;
        }
        let runs = ExecutionLog::read(self.folder.path().join("runs"))?;
        let letters = letters::read(broker)?;
        let dead = letters.iter().map(|letter| letter.id).collect();
        let verdict = ledger.judge(&runs, &dead, self.plan.may, late);
        let row = Row::new(&self.plan, broker.name(), verdict.counts, lasted, recovery);
        if !verdict.complaints.is_empty() {
            bail!("{row}\ndead letters: {letters:?}\n{}", summary(&verdict.complaints));
        }
        ensure!(recovery.is_some(), "a client had no answers any more");
        self.fleet.check_usage()?;
        report::add(row);
        Ok(ledger.requests())
    }
}

/// Complaints of each kind: how many, and some of them.
fn summary(complaints: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for complaint in complaints {
        let kind = complaint.split(": ").nth(1).unwrap_or(complaint);
        kinds.entry(kind).or_default().push(complaint);
    }
    let show = |(kind, all): (&str, Vec<&str>)| {
        format!("{} times: {kind}\n    {}", all.len(), all[..SHOWN.min(all.len())].join("\n    "))
    };
    kinds.into_iter().map(show).collect::<Vec<_>>().join("\n")
}
