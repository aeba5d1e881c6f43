//! A corpus of hostile messages, replayed while others call: nobody notices, and each is answered that can be.

mod addresses;
mod bodies;
mod message;
mod pickles;
mod properties;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use amiquip::{Connection, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::dead_letters::Selection;
use guirpc::{Client, DeadLetters};
use harness::{Broker, Case, Program, eventually};
use message::{Fate, Message};

use crate::raw::Publisher;
use crate::service::{LONG, SERVICE, client, program};
use crate::workload::add;

const REPLIES: &str = "hostile.replies";
const CALLERS: i64 = 16;
const CONNECTIONS: usize = 3;
const ROUNDS: usize = 3;
/// For thousands of messages, some of which are large, on a machine that is busy with other things.
const LONGER: Duration = Duration::from_mins(3);
/// What a server may have more in memory after all rounds than after the second, in KiB.
const GROWTH_KIB: u64 = 64 << 10;
/// What it may have at all: several of the largest bodies at once, and what the allocator keeps of them.
const MOST_KIB: u64 = 700 << 10;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("hostile::a_corpus_disturbs_nobody", a_corpus_disturbs_nobody)]
}

/// All messages, each of which is answered at our queue unless it says otherwise.
fn corpus() -> Vec<Message> {
    let corpus = [addresses::messages(), properties::messages(), bodies::messages()].into_iter().flatten();
    corpus.map(|message| if message.has_reply_to() { message } else { message.reply_to(REPLIES.as_bytes()) }).collect()
}

fn a_corpus_disturbs_nobody(broker: &dyn Broker) -> anyhow::Result<()> {
    let corpus = corpus();
    ensure!(corpus.len() > 500, "most of the corpus is missing: there are {}", corpus.len());
    let server = program(&broker.uri(), &["--workers", "4"])?;
    let client = client(broker)?.with_timeout(4 * LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(REPLIES, QueueDeclareOptions::default())?;

    let stop = AtomicBool::new(false);
    let calls = AtomicUsize::new(0);
    let mut sent = Sent::default();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (client, stop, calls) = (client.clone(), &stop, &calls);
                scope.spawn(move || call_until(&client, caller, stop, calls))
            })
            .collect();
        let replayed = replay_all(broker, &server, &corpus);
        stop.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no caller panics").context("an ordinary call failed")?;
        }
        sent = replayed?;
        Ok::<_, anyhow::Error>(())
    })?;
    ensure!(calls.load(Ordering::Relaxed) > 100, "hardly anybody called");

    let mut replies: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(got) = channel.basic_get(REPLIES, true)? {
        *replies.entry(got.delivery.properties.correlation_id().clone().unwrap_or_default()).or_default() += 1;
    }
    sent.check(&replies)?;
    check_letters(broker, &sent)?;
    let log = server.stderr();
    let disturbed = log.iter().find(|line| line.contains("lost amqp:") || line.contains("connected to"));
    ensure!(disturbed.is_none(), "{disturbed:?}");
    // Calls are answered a moment before they are acknowledged.
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.consumers == 1 && queue.unacked == 0)))
}

fn call_until(client: &Client, caller: i64, stop: &AtomicBool, calls: &AtomicUsize) -> anyhow::Result<()> {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        ensure!(add::call(client, caller, n)? == caller + n, "a reply was mixed up");
        calls.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// What was sent, and what has to come of it.
#[derive(Default)]
struct Sent {
    /// By the correlation ids that we gave: the name of the message and its fate.
    named: BTreeMap<String, (String, Fate)>,
    /// Messages with correlation ids of their own; all are answered.
    anonymous: usize,
    unanswerable: usize,
    silent: usize,
}

impl Sent {
    fn add(&mut self, id: String, message: &Message) {
        match message.fate {
            Fate::Unanswerable => self.unanswerable += 1,
            Fate::Silent => self.silent += 1,
            Fate::Answered | Fate::Perhaps => {}
        }
        if message.has_correlation_id() {
            self.anonymous += 1;
        } else {
            self.named.insert(id, (message.name.clone(), message.fate));
        }
    }

    fn merge(&mut self, other: Sent) {
        self.named.extend(other.named);
        self.anonymous += other.anonymous;
        self.unanswerable += other.unanswerable;
        self.silent += other.silent;
    }

    /// How many replies there have to be, at least.
    fn answered(&self) -> usize {
        self.anonymous + self.named.values().filter(|(_, fate)| *fate == Fate::Answered).count()
    }

    fn check(&self, replies: &BTreeMap<String, usize>) -> anyhow::Result<()> {
        for (id, (name, fate)) in &self.named {
            let count = replies.get(id).copied().unwrap_or_default();
            let is_right = match fate {
                Fate::Answered => count == 1,
                Fate::Silent | Fate::Unanswerable => count == 0,
                Fate::Perhaps => count <= 1,
            };
            ensure!(is_right, "`{name}` was answered {count} times");
        }
        let others = replies.iter().filter(|(id, _)| !self.named.contains_key(*id)).map(|(_, count)| count);
        let others: usize = others.sum();
        ensure!(others == self.anonymous, "{others} of {} were answered", self.anonymous);
        Ok(())
    }
}

/// Replays the corpus in rounds, each from several connections at once, and looks at the server after each.
fn replay_all(broker: &dyn Broker, server: &Program, corpus: &[Message]) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    let mut memory: Vec<u64> = Vec::new();
    // A leak is there in each round; what an allocator keeps for itself is not.
    let has_grown = |memory: &[u64]| match memory {
        [.., before, last] => last.saturating_sub(*before) >= GROWTH_KIB,
        _ => false,
    };
    for round in 0..=ROUNDS {
        if round == ROUNDS && !has_grown(&memory) {
            break;
        }
        thread::scope(|scope| {
            let replays: Vec<_> = (0..CONNECTIONS)
                .map(|connection| {
                    // The huge ones have been there after the first round, from one connection.
                    let with_huge = round == 0 && connection == 0;
                    let uri = broker.uri();
                    scope.spawn(move || replay(&uri, &format!("{round}.{connection}"), corpus, with_huge))
                })
                .collect();
            for replay in replays {
                sent.merge(replay.join().expect("no replay panics")?);
            }
            Ok::<_, anyhow::Error>(())
        })?;
        let is_done = || {
            let done = broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0);
            Ok(done && broker.queue(REPLIES)?.is_some_and(|queue| queue.messages >= sent.answered()))
        };
        eventually(LONGER, is_done).with_context(|| format!("round {round}: {} expected", sent.answered()))?;
        memory.push(resident(server)?);
    }
    // Its cache of replies is full after the second round.
    let is_bounded = memory.iter().all(|kib| *kib < MOST_KIB);
    ensure!(is_bounded && !has_grown(&memory), "memory of the server: {memory:?} KiB");
    Ok(sent)
}

/// Sends every message once; what the broker may refuse, on a connection of its own.
fn replay(uri: &str, id: &str, corpus: &[Message], with_huge: bool) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    let mut publisher = Publisher::connect(uri)?;
    for (number, message) in corpus.iter().enumerate().filter(|(_, message)| with_huge || !message.huge) {
        let id = format!("{id}.{number}");
        sent.add(id.clone(), message);
        let message =
            if message.has_correlation_id() { message.clone() } else { message.clone().correlation_id(id.as_bytes()) };
        let (flags, properties) = message.written();
        if message.fate == Fate::Perhaps {
            let mut alone = Publisher::connect(uri)?;
            // Refused or not, it is over then.
            let _ = alone.publish(&message.routing_key, flags, &properties, &message.body).and_then(|()| alone.close());
        } else {
            publisher
                .publish(&message.routing_key, flags, &properties, &message.body)
                .with_context(|| format!("at `{}`, or before", message.name))?;
        }
    }
    publisher.close().context("the broker has refused what it has to take")?;
    Ok(sent)
}

/// What nobody could be answered for may have been set aside.
fn check_letters(broker: &dyn Broker, sent: &Sent) -> anyhow::Result<()> {
    if broker.queue(&format!("{SERVICE}.dead"))?.is_none() {
        return Ok(());
    }
    let letters = DeadLetters::connect(&broker.uri(), SERVICE)?.timeout(LONG);
    let unanswerable = letters.list(&Selection::all().reason("unanswerable"))?.letters.len();
    ensure!(unanswerable == sent.unanswerable, "{unanswerable} of {} are letters", sent.unanswerable);
    // One that has itself answered to is two requests.
    let all = letters.list(&Selection::all())?.letters.len();
    ensure!(all <= sent.unanswerable + 2 * sent.silent, "{all} letters");
    Ok(())
}

/// What a program has in memory, in KiB.
fn resident(program: &Program) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("it has memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
