//! Where all suites are measured: brokers, servers, and how long.

use std::process;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::broker::Broker;
use crate::by_amiquip;
use crate::child::Child;
use crate::contestant::Contestant;
use crate::load::{Extent, Load, Tally};
use crate::role::Role;
use crate::usage::{self, Memory};

/// What the suites have in common.
pub(crate) struct Stage {
    /// Where the contestants meet.
    pub(crate) broker: Broker,
    /// Where the one meets that shows how fast this broker is.
    pub(crate) embedded: Broker,
    /// Who takes part.
    pub(crate) contestants: Vec<Contestant>,
    /// How often every contestant meets every load, if that was asked for.
    pub(crate) rounds: Option<usize>,
    /// For how long each time.
    pub(crate) time: Duration,
    /// Worker threads of those that have workers.
    pub(crate) workers: usize,
}

impl Stage {
    /// The broker that this contestant uses.
    pub(crate) fn broker(&self, contestant: Contestant) -> &Broker {
        if contestant == Contestant::Embedded { &self.embedded } else { &self.broker }
    }

    /// Its column in a report.
    pub(crate) fn title(&self, contestant: Contestant) -> String {
        contestant.title(self.workers)
    }

    /// Those of these who take part.
    pub(crate) fn among(&self, contestants: &[Contestant]) -> Vec<Contestant> {
        contestants.iter().copied().filter(|contestant| self.contestants.contains(contestant)).collect()
    }

    /// Starts the servers of these contestants.
    pub(crate) fn start(&self, contestants: Vec<Contestant>) -> Result<Servers<'_>> {
        let mut running: Vec<(Contestant, Child)> = Vec::new();
        for contestant in contestants.iter().map(|contestant| contestant.server()) {
            if running.iter().all(|(server, _)| *server != contestant) {
                let (uri, workers) = (self.broker(contestant).uri().to_owned(), self.workers);
                let (child, _) = Role::Server { contestant, uri, workers }
                    .start()
                    .with_context(|| format!("start the server of {}", self.title(contestant)))?;
                running.push((contestant, child));
            }
        }
        Ok(Servers { stage: self, contestants, running })
    }

    /// Measures in rounds, so many unless others were asked for, so that whatever disturbs the machine disturbs everyone.
    pub(crate) fn rounds(&self, usual: usize, mut measure: impl FnMut(Turns) -> Result<()>) -> Result<()> {
        let rounds = self.rounds.unwrap_or(usual);
        (0..rounds).try_for_each(|round| {
            eprintln!("round {} of {rounds}", round + 1);
            measure(Turns(round))
        })
    }
}

/// The order within a round.
#[derive(Clone, Copy)]
pub(crate) struct Turns(usize);

impl Turns {
    /// All of these: nobody always comes first, nor always after the same other one.
    pub(crate) fn of<T: Copy>(self, all: &[T]) -> impl Iterator<Item = T> {
        (0..all.len()).map(move |turn| all[(turn + self.0) % all.len()])
    }
}

/// The servers of a suite, each a child process; they end with this value.
pub(crate) struct Servers<'a> {
    stage: &'a Stage,
    /// Whose clients call.
    pub(crate) contestants: Vec<Contestant>,
    running: Vec<(Contestant, Child)>,
}

/// One contestant under one load in one round.
pub(crate) struct Sample {
    pub(crate) contestant: Contestant,
    pub(crate) load: Load,
    pub(crate) tally: Tally,
    pub(crate) cpu: Cpu,
    /// The server's.
    pub(crate) memory: Memory,
}

/// CPU time of those involved in a sample.
pub(crate) struct Cpu {
    pub(crate) client: Duration,
    pub(crate) server: Duration,
    pub(crate) broker: Option<Duration>,
}

impl Servers<'_> {
    /// The process of the server that this contestant calls.
    pub(crate) fn pid(&self, contestant: Contestant) -> u32 {
        let server = self.running.iter().find(|(server, _)| *server == contestant.server());
        server.map(|(_, child)| child.pid()).expect("every contestant's server was started")
    }

    /// Whose servers there are.
    pub(crate) fn running(&self) -> impl Iterator<Item = Contestant> {
        self.running.iter().map(|(contestant, _)| *contestant)
    }

    /// A load for as long as the stage has it, after a fifth of that.
    pub(crate) fn sample(&self, contestant: Contestant, load: Load) -> Result<Sample> {
        let time = self.stage.time;
        self.sample_after((load, Extent::Time(time / 5)), contestant, load, Extent::Time(time))
    }

    /// A load, after the client and the server have been warmed up so.
    pub(crate) fn sample_after(
        &self,
        (warm_up, warm_up_extent): (Load, Extent),
        contestant: Contestant,
        load: Load,
        extent: Extent,
    ) -> Result<Sample> {
        let measure = || -> Result<Sample> {
            let server = self.pid(contestant);
            let mut client = contestant.connect(self.stage.broker(contestant).uri(), load)?;
            client.run(warm_up, warm_up_extent).context("warming up")?;
            let memory = usage::watch(server)?;
            let before = self.cpu(contestant)?;
            let tally = client.run(load, extent)?;
            let cpu = self.cpu(contestant)?.since(&before);
            Ok(Sample { contestant, load, tally, cpu, memory: memory.until_now()? })
        };
        measure().with_context(|| format!("{}, {load}", self.stage.title(contestant)))
    }

    fn cpu(&self, contestant: Contestant) -> Result<Cpu> {
        Ok(Cpu {
            client: usage::cpu_time(process::id())?,
            server: usage::cpu_time(self.pid(contestant))?,
            broker: self.stage.broker(contestant).pid().map(usage::cpu_time).transpose()?,
        })
    }

    /// Ends the servers, and deletes their queues.
    pub(crate) fn end(self) -> Result<()> {
        let ended: Vec<_> = self.running().collect();
        drop(self.running);
        ended.iter().try_for_each(|&it| by_amiquip::delete(self.stage.broker(it).uri(), &it.queues()))
    }
}

impl Cpu {
    fn since(&self, before: &Self) -> Self {
        Self {
            client: self.client.saturating_sub(before.client),
            server: self.server.saturating_sub(before.server),
            broker: self.broker.zip(before.broker).map(|(now, then)| now.saturating_sub(then)),
        }
    }
}
