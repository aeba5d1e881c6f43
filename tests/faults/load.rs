//! The load: threads that call, start, await and send without a pause worth mentioning, and keep books of it all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fastrand::Rng;
use futures_util::future::join_all;
use guirpc::{CallError, Client, Coalescing, Fault, Pending};
use harness::{Entry, Ledger, Outcome, eventually};
use tokio::runtime::{Builder, Runtime};

use crate::function::Function;

/// Requests that are started before the first of them is waited for.
const BATCH: usize = 8;
/// For callers whose last call failed.
const AFTER_FAILURE: Duration = Duration::from_millis(20);
/// How often it is looked whether the machine is late.
const TICK: Duration = Duration::from_millis(20);

/// What a thread of the load does next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Calls and waits.
    Call(Function),
    /// Starts several calls, then waits for one after another.
    Start(Function),
    /// Starts several calls and awaits them together, as futures.
    Await(Function),
    /// Sends, and waits for nothing but the broker.
    Send(Function),
}

/// How much of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volume {
    pub(crate) clients: usize,
    pub(crate) threads: usize,
    /// What a thread does between two steps: nothing, for so long.
    pub(crate) pause: Duration,
    /// The time that every call has.
    pub(crate) timeout: Duration,
    /// Each is as likely as the others.
    pub(crate) mix: &'static [Step],
}

/// A load that is on.
pub(crate) struct Load {
    shared: Arc<Shared>,
    volume: Volume,
    clients: Vec<Client>,
    callers: Callers,
    watch: JoinHandle<()>,
}

/// The threads of a load, which goes on for as long as this value lives: what they have asked ends before the next case
/// begins, whose broker may have the same port.
struct Callers {
    shared: Arc<Shared>,
    /// How long each may take to end.
    bound: Duration,
    threads: Vec<JoinHandle<Vec<Entry>>>,
}

impl Callers {
    /// Has them end, and gives what they have made.
    ///
    /// # Errors
    /// A caller hangs: it still waits long after its last deadline.
    fn end(&mut self) -> anyhow::Result<Vec<thread::Result<Vec<Entry>>>> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let hangs = || self.threads.iter().filter(|caller| !caller.is_finished()).count();
        eventually(self.bound, || Ok(hangs() == 0)).with_context(|| format!("{} callers hang", hangs()))?;
        Ok(self.threads.drain(..).map(JoinHandle::join).collect())
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        // The case has failed already, unless they have ended.
        let _ = self.end();
    }
}

struct Shared {
    stop: AtomicBool,
    next_id: AtomicU64,
    since: Instant,
    /// By how much the machine was late at most, in nanoseconds.
    late: AtomicU64,
    /// For each client when its latest request was asked that has been answered, in nanoseconds of this load.
    answered: Vec<AtomicU64>,
}

impl Load {
    /// Connects the clients, whose calls travel together or not, and begins.
    pub(crate) fn start(uri: &str, volume: Volume, coalesces: bool, seed: u64) -> anyhow::Result<Self> {
        let connect = |_| {
            let client = Client::connect(uri)?.with_timeout(volume.timeout);
            Ok(if coalesces { client.with_coalescing(Coalescing::default().window(1)) } else { client })
        };
        let clients = (0..volume.clients).map(connect);
        let clients = clients.collect::<anyhow::Result<Vec<Client>>>()?;
        let answered = clients.iter().map(|_| AtomicU64::new(0)).collect();
        let (stop, next_id) = (AtomicBool::new(false), AtomicU64::new(1));
        let shared = Arc::new(Shared { stop, next_id, since: Instant::now(), late: AtomicU64::new(0), answered });
        let bound = volume.timeout + Duration::from_secs(30);
        let mut callers = Callers { shared: Arc::clone(&shared), bound, threads: vec![] };
        let mut seeds = Rng::with_seed(seed);
        for number in 0..volume.threads {
            let client = number % volume.clients;
            let caller = Caller {
                shared: Arc::clone(&shared),
                volume,
                number: client,
                client: clients[client].clone(),
                runtime: Builder::new_current_thread().build()?,
                random: seeds.fork(),
                entries: vec![],
            };
            callers.threads.push(thread::Builder::new().name(format!("load-{number}")).spawn(move || caller.run())?);
        }
        let watched = Arc::clone(&shared);
        Ok(Self { shared, volume, clients, callers, watch: thread::spawn(move || watched.watch()) })
    }

    /// Waits until so many requests were made.
    pub(crate) fn wait_for(&self, count: u64, timeout: Duration) -> anyhow::Result<()> {
        let until = self.requests() + count;
        eventually(timeout, || Ok(self.requests() >= until)).context("the load makes no requests")
    }

    /// How many requests were made until now.
    fn requests(&self) -> u64 {
        self.shared.next_id.load(Ordering::Relaxed)
    }

    /// Numbers that no other request has; gives the first of them.
    pub(crate) fn reserve(&self, count: u64) -> u64 {
        self.shared.next_id.fetch_add(count, Ordering::Relaxed)
    }

    /// Waits until every client has an answer to something that it asked after this moment.
    pub(crate) fn wait_for_recovery(&self, since: Instant, timeout: Duration) -> anyhow::Result<()> {
        let since = self.shared.nanoseconds(since);
        let has_recovered = |client: &AtomicU64| client.load(Ordering::Relaxed) > since;
        eventually(timeout, || Ok(self.shared.answered.iter().all(has_recovered))).with_context(|| {
            let answered = self.shared.answered.iter().zip(&self.clients);
            let missing = answered.filter(|(answered, _)| !has_recovered(answered));
            let missing: Vec<_> = missing.map(|(_, client)| client.status()).collect();
            let (count, all) = (missing.len(), self.volume.clients);
            format!("{count} of {all} clients have no answers any more: {missing:?}")
        })
    }

    /// By how much the machine was late at most until now.
    pub(crate) fn late(&self) -> Duration {
        self.shared.late()
    }

    /// Ends it; gives the books, and by how much the machine was late at most.
    ///
    /// # Errors
    /// A caller hangs: it still waits long after its last deadline.
    pub(crate) fn finish(mut self) -> anyhow::Result<(Ledger, Duration)> {
        let mut ledger = Ledger::default();
        for entries in self.callers.end()? {
            ensure!(entries.is_ok(), "a caller has panicked");
            ledger.extend(entries.into_iter().flatten());
        }
        self.watch.join().ok().context("the watch has panicked")?;
        Ok((ledger, self.shared.late()))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a load is over within 500 years")
}

impl Shared {
    fn nanoseconds(&self, at: Instant) -> u64 {
        nanoseconds(at.saturating_duration_since(self.since))
    }

    fn late(&self) -> Duration {
        Duration::from_nanos(self.late.load(Ordering::Relaxed))
    }

    fn watch(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            thread::sleep(TICK);
            self.late.fetch_max(nanoseconds(begun.elapsed().saturating_sub(TICK)), Ordering::Relaxed);
        }
    }
}

/// A thread of the load.
struct Caller {
    shared: Arc<Shared>,
    volume: Volume,
    /// The number of its client.
    number: usize,
    client: Client,
    runtime: Runtime,
    random: Rng,
    entries: Vec<Entry>,
}

/// A request whose outcome is not there yet.
#[derive(Clone, Copy)]
struct Asked {
    id: u64,
    function: Function,
    awaited: bool,
    begun: Instant,
}

/// A call that is under way, or was not to be had.
type Started = (Asked, Result<Pending<u64, Fault>, CallError<Fault>>);
type Outcomes = Vec<(Asked, Outcome, Instant)>;

impl Caller {
    fn run(mut self) -> Vec<Entry> {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let step = self.volume.mix[self.random.usize(..self.volume.mix.len())];
            let outcomes = match step {
                Step::Call(function) => wait_for([self.start(function)]),
                Step::Start(function) => wait_for([(); BATCH].map(|()| self.start(function))),
                Step::Await(function) => self.await_all(&[(); BATCH].map(|()| function)),
                Step::Send(function) => vec![self.send(function)],
            };
            let failed = outcomes.iter().any(|(_, outcome, _)| *outcome != Outcome::Answered);
            for (asked, outcome, ended) in outcomes {
                self.enter(asked, outcome, ended);
            }
            thread::sleep(if failed { AFTER_FAILURE.max(self.volume.pause) } else { self.volume.pause });
        }
        self.entries
    }

    fn ask(&self, function: Function, awaited: bool) -> Asked {
        Asked { id: self.shared.next_id.fetch_add(1, Ordering::Relaxed), function, awaited, begun: Instant::now() }
    }

    fn start(&self, function: Function) -> Started {
        let asked = self.ask(function, true);
        (asked, function.start(&self.client, asked.id))
    }

    fn await_all(&self, functions: &[Function]) -> Outcomes {
        let calls = functions.iter().map(|function| {
            let (asked, call) = self.start(*function);
            async move {
                let result = match call {
                    Ok(call) => call.await,
                    Err(error) => Err(error),
                };
                (asked, asked.function.outcome(asked.id, result), Instant::now())
            }
        });
        self.runtime.block_on(join_all(calls))
    }

    fn send(&self, function: Function) -> (Asked, Outcome, Instant) {
        let asked = self.ask(function, false);
        let outcome = match function.send(&self.client, asked.id) {
            Ok(()) => Outcome::Answered,
            Err(error) => crate::function::failure(&error),
        };
        (asked, outcome, Instant::now())
    }

    fn enter(&mut self, Asked { id, function, awaited, begun }: Asked, outcome: Outcome, ended: Instant) {
        if awaited && outcome == Outcome::Answered {
            let begun = self.shared.nanoseconds(begun);
            self.shared.answered[self.number].fetch_max(begun, Ordering::Relaxed);
        }
        let (client, request) = (Some(self.number), function.request(awaited));
        let deadline = begun + self.volume.timeout;
        self.entries.push(Entry { id, client, request, begun, deadline, ended, outcome });
    }
}

/// Waits for one after another.
fn wait_for(calls: impl IntoIterator<Item = Started>) -> Outcomes {
    let wait = |(asked, call): Started| {
        let result = call.and_then(Pending::wait);
        (asked, asked.function.outcome(asked.id, result), Instant::now())
    };
    calls.into_iter().map(wait).collect()
}
