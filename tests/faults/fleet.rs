//! The servers: processes that can be killed, shut down gracefully, and replaced.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::Program;

use crate::functions::{LOG, SERVICE};
use crate::stage::Plan;
use crate::usage::Usage;

/// For what takes moments, on a machine that is busy with other things.
pub(crate) const LONG: Duration = Duration::from_mins(3);
/// How many functions each server runs at once.
pub(crate) const WORKERS: u64 = 4;

/// Which version of the service a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Present,
    Next,
    /// Without the function that takes its time.
    Older,
    /// The present one, which takes no larger requests than most.
    Smaller,
}

/// All servers of a case, those first that are there longest.
pub(crate) struct Fleet {
    uri: String,
    log: PathBuf,
    options: &'static [&'static str],
    memory: Option<u64>,
    /// How many threads a server may have when it is done that it had not when it began.
    later_threads: u64,
    servers: Vec<Server>,
}

pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) version: Version,
    /// What it used when it had just begun to bear the load.
    before: Option<Usage>,
}

impl Fleet {
    pub(crate) fn new(uri: String, log: PathBuf, plan: &Plan) -> Self {
        // That of replies to calls that came together begins with the first that wait for each other.
        let later_threads = u64::from(plan.coalesces);
        Self { uri, log, options: plan.options, memory: plan.memory, later_threads, servers: vec![] }
    }

    /// Adds a server, which serves when this returns.
    pub(crate) fn add(&mut self, version: Version) -> anyhow::Result<()> {
        let program = self.launch(version)?;
        program.wait_for_log("serving", LONG)?;
        self.servers.push(Server { program, version, before: None });
        Ok(())
    }

    /// Starts a server that is not part of the fleet yet.
    pub(crate) fn launch(&self, version: Version) -> anyhow::Result<Program> {
        let mut command = limited(env!("CARGO_BIN_EXE_faults-service"), self.memory);
        command
            .env("AMQP_URI", &self.uri)
            .env(LOG, &self.log)
            .args(["--workers", &WORKERS.to_string()])
            .args(self.options);
        let instead = |service| ["--service", service, "--queue", SERVICE, "--routing-key", SERVICE];
        match version {
            Version::Present => &mut command,
            Version::Next => command.args(instead("faults-next")),
            Version::Older => command.args(instead("faults-older")),
            Version::Smaller => command.args(["--max-body", "24"]),
        };
        Program::start(&mut command)
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Kills the oldest one, as `kill -9` does.
    pub(crate) fn kill_oldest(&mut self) -> anyhow::Result<()> {
        let mut oldest = self.servers.remove(0);
        oldest.program.kill()?;
        oldest.program.wait(LONG).map(drop)
    }

    /// Tells the oldest one to leave, and waits until it has, in good order.
    pub(crate) fn dismiss_oldest(&mut self) -> anyhow::Result<()> {
        let mut oldest = self.servers.remove(0);
        oldest.program.terminate()?;
        let status = oldest.program.wait(LONG)?;
        ensure!(status.success(), "{status}: {:#?}", oldest.program.stderr());
        Ok(())
    }

    /// Has another server take the place of each.
    pub(crate) fn replace(&mut self) -> anyhow::Result<()> {
        for _ in 0..self.servers.len() {
            self.add(Version::Present)?;
            self.dismiss_oldest()?;
        }
        Ok(())
    }

    /// Takes down what the servers use now that were not measured before.
    pub(crate) fn measure(&mut self) {
        for server in self.servers.iter_mut().filter(|server| server.before.is_none()) {
            server.before = Usage::of(server.program.id());
        }
    }

    /// Waits until all that were measured use no more than then.
    pub(crate) fn check_usage(&mut self) -> anyhow::Result<()> {
        for server in &mut self.servers {
            if server.program.wait(Duration::ZERO).is_ok() {
                // Its end was the fault.
                continue;
            }
            let id = server.program.id();
            let Some(before) = server.before else { continue };
            let before = Usage { threads: before.threads + self.later_threads, ..before };
            before.wait_for_return(id, 0).with_context(|| format!("server {id}"))?;
        }
        Ok(())
    }
}

/// A command with so much address space, in bytes, if there is a limit.
fn limited(program: &str, memory: Option<u64>) -> Command {
    let Some(bytes) = memory else { return Command::new(program) };
    let mut command = Command::new("sh");
    // What glibc reserves for each thread, 64 MiB of addresses, is no memory.
    command.env("MALLOC_ARENA_MAX", "2");
    command.args(["-c", &format!("ulimit -v {} && exec \"$0\" \"$@\"", bytes >> 10), program]);
    command
}
