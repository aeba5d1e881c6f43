//! The run: interleaved rounds, so that whatever disturbs the machine disturbs everyone.

use std::process;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::broker::Broker;
use crate::by_amiquip;
use crate::child::Child;
use crate::contestant::Contestant;
use crate::load::{Load, Tally};
use crate::message::SLOW;
use crate::usage;

/// What is to be measured.
pub(crate) struct Plan {
    /// Where they meet.
    pub(crate) broker: Broker,
    /// Where the one meets that shows how fast this broker is.
    pub(crate) embedded: Broker,
    /// Who takes part.
    pub(crate) contestants: Vec<Contestant>,
    /// How often every contestant meets every load.
    pub(crate) rounds: usize,
    /// For how long each time.
    pub(crate) time: Duration,
    /// Worker threads of those that have workers.
    pub(crate) workers: usize,
}

/// Everything that was measured.
pub(crate) struct Outcome {
    /// Who took part, with the titles of their columns.
    pub(crate) contestants: Vec<(Contestant, String)>,
    /// Every meeting of a contestant with a load.
    pub(crate) samples: Vec<Sample>,
    /// The slow function.
    pub(crate) slow: Vec<Slow>,
    /// Resident memory of the idle servers in bytes, in the order of the contestants.
    pub(crate) idle_memory: Vec<u64>,
}

/// One contestant under one load in one round.
pub(crate) struct Sample {
    pub(crate) contestant: Contestant,
    pub(crate) load: Load,
    pub(crate) tally: Tally,
    pub(crate) cpu: Cpu,
    /// The peak of the server's resident memory, in bytes.
    pub(crate) peak_memory: u64,
}

/// CPU time of those involved in a sample.
pub(crate) struct Cpu {
    pub(crate) client: Duration,
    pub(crate) server: Duration,
    pub(crate) broker: Option<Duration>,
}

/// How fast a function that takes 50 ms was, of which so many run at once.
pub(crate) struct Slow {
    pub(crate) contestant: Contestant,
    pub(crate) parallel: usize,
    pub(crate) rate: f64,
}

impl Plan {
    /// Measures everything; a wrong or missing reply ends it.
    pub(crate) fn run(&self) -> Result<Outcome> {
        let servers = self
            .contestants
            .iter()
            .map(|&contestant| Ok((contestant, contestant.start(self.broker(contestant).uri(), self.workers)?)))
            .collect::<Result<Vec<_>>>()?;
        let idle_memory = servers.iter().map(|(_, server)| usage::resident(server.pid())).collect::<Result<_>>()?;
        let mut samples = Vec::new();
        for round in 0..self.rounds {
            eprintln!("round {} of {}", round + 1, self.rounds);
            for load in Load::COMPARED {
                // Nobody always comes first, nor always after the same other one.
                for turn in 0..servers.len() {
                    let (contestant, server) = &servers[(turn + round) % servers.len()];
                    samples.push(
                        self.sample(*contestant, server, load)
                            .with_context(|| format!("{}, {load}", contestant.title(self.workers)))?,
                    );
                }
            }
        }
        let slow = self.slow(&servers)?;
        drop(servers);
        for contestant in &self.contestants {
            by_amiquip::delete(self.broker(*contestant).uri(), contestant.queue())?;
        }
        Ok(Outcome {
            contestants: self.contestants.iter().map(|&it| (it, it.title(self.workers))).collect(),
            samples,
            slow,
            idle_memory,
        })
    }

    fn broker(&self, contestant: Contestant) -> &Broker {
        if contestant == Contestant::Embedded { &self.embedded } else { &self.broker }
    }

    fn sample(&self, contestant: Contestant, server: &Child, load: Load) -> Result<Sample> {
        let mut client = contestant.connect(self.broker(contestant).uri(), load)?;
        client.run(load, self.time / 5).context("warming up")?;
        usage::forget_peak(server.pid())?;
        let before = self.cpu(contestant, server)?;
        let tally = client.run(load, self.time)?;
        let after = self.cpu(contestant, server)?;
        let peak_memory = usage::peak(server.pid())?;
        Ok(Sample { contestant, load, tally, cpu: after.since(&before), peak_memory })
    }

    fn cpu(&self, contestant: Contestant, server: &Child) -> Result<Cpu> {
        Ok(Cpu {
            client: usage::cpu_time(process::id())?,
            server: usage::cpu_time(server.pid())?,
            broker: self.broker(contestant).pid().map(usage::cpu_time).transpose()?,
        })
    }

    fn slow(&self, servers: &[(Contestant, Child)]) -> Result<Vec<Slow>> {
        let mut slow = Vec::new();
        for &(contestant, _) in servers {
            let Some(parallel) = contestant.parallel(self.workers) else {
                continue;
            };
            let load = Load::slow(parallel);
            let mut client = contestant.connect(self.broker(contestant).uri(), load)?;
            let tally = client
                .run(load, self.time.max(SLOW * 10))
                .with_context(|| format!("{}, the slow function", contestant.title(self.workers)))?;
            slow.push(Slow { contestant, parallel, rate: tally.rate() });
        }
        Ok(slow)
    }
}

impl Slow {
    /// Calls per second if nothing but the function took any time.
    pub(crate) fn possible(&self) -> f64 {
        u32::try_from(self.parallel).map_or(f64::INFINITY, f64::from) / SLOW.as_secs_f64()
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
