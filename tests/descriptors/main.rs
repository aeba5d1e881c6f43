//! The embedded broker in a process that has run out of file descriptors: it pauses, and goes on when there are some.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use guirpc::Client;
use harness::{Program, binary, eventually};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

const LONG: Duration = Duration::from_secs(30);
/// The thread that accepts connections.
const ACCEPTS: &str = "guirpc-broker";

/// A process with an embedded broker.
struct Broker {
    program: Program,
    uri: String,
}

impl Broker {
    fn start() -> Result<Self> {
        let program = Program::start(Command::new(binary("guirpc")?).args(["broker", "--port", "0"]))?;
        let uri = program.wait_for_line("  amqp://guest:guest@127.0.0.1:", LONG)?.trim().to_owned();
        let broker = Self { program, uri };
        // A thread gives itself its name when it begins.
        eventually(LONG, || Ok(broker.accepting().is_ok()))?;
        Ok(broker)
    }

    /// Connects without a word, which takes no descriptor of the process until it accepts.
    fn dial(&self) -> Result<TcpStream> {
        let port = self.uri.split([':', '/']).nth_back(1).context("a URI has a port")?;
        Ok(TcpStream::connect(("127.0.0.1", port.parse()?))?)
    }

    /// From now on the process gets no file descriptor that it has not got already.
    fn exhaust(&self) -> Result<()> {
        let open = |number: &u64| self.path(&format!("fd/{number}")).symlink_metadata().is_ok();
        self.limit((0..1 << 16).find(|number| !open(number)))
    }

    /// The process has as many as any.
    fn relieve(&self) -> Result<()> {
        self.limit(getrlimit(Resource::Nofile).current)
    }

    fn limit(&self, current: Option<u64>) -> Result<()> {
        let pid = Pid::from_raw(self.program.id().try_into()?).context("it has an id")?;
        prlimit(Some(pid), Resource::Nofile, Rlimit { current, ..getrlimit(Resource::Nofile) })?;
        Ok(())
    }

    /// How often the thread that accepts has begun to wait, and for how many hundredths of a second it has run.
    fn accepting(&self) -> Result<(u64, u64)> {
        for thread in fs::read_dir(self.path("task"))? {
            let thread = thread?.path();
            if fs::read_to_string(thread.join("comm"))?.trim() == ACCEPTS {
                let (status, stat) =
                    (fs::read_to_string(thread.join("status"))?, fs::read_to_string(thread.join("stat"))?);
                let waits = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
                // After the name in brackets, which is the second field, the 14th and the 15th.
                let (_, fields) = stat.rsplit_once(')').context("the name is in brackets")?;
                let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
                return Ok((waits.context("it is counted")?.trim().parse()?, times.sum::<Result<u64, _>>()?));
            }
        }
        anyhow::bail!("no thread {ACCEPTS}")
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.program.id()))
    }
}

#[test]
fn without_descriptors_the_broker_pauses_and_then_goes_on() -> Result<()> {
    let broker = Broker::start()?;
    broker.exhaust()?;
    let _waiting = broker.dial()?;
    let (waits, ran) = broker.accepting()?;
    let pauses = || Ok(broker.accepting()?.0 >= waits + 5);
    eventually(LONG, pauses).context("it tries again and again without a pause")?;
    let ran = broker.accepting()?.1 - ran;
    ensure!(ran < 10, "five attempts took {ran}0 ms of the processor");

    broker.relieve()?;
    Client::connect(&broker.uri)?;
    Ok(())
}

#[test]
fn without_descriptors_the_broker_ends() -> Result<()> {
    let mut broker = Broker::start()?;
    broker.exhaust()?;
    broker.program.interrupt()?;
    let status = broker.program.wait(LONG)?;
    ensure!(status.success(), "{status}\n{}", broker.program.stderr().join("\n"));
    Ok(())
}
