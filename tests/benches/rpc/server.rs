//! A contestant's server: a child process that lives no longer than this one.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{self, Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;

use crate::contestant::Contestant;

const READY: &str = "ready";
const START_TIME: Duration = Duration::from_secs(30);

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts the contestant's server and waits until it consumes.
    pub(crate) fn start(contestant: Contestant, uri: &str, workers: usize) -> Result<Self> {
        let name = contestant.to_possible_value().context("a contestant without a name")?.get_name().to_owned();
        let child = Command::new(env::current_exe().context("find this program")?)
            .args(["--serve", &name, "--uri", uri, "--workers", &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start the server `{name}`"))?;
        let mut server = Self { child };
        server.await_ready().with_context(|| format!("the server `{name}`"))?;
        Ok(server)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn await_ready(&mut self) -> Result<()> {
        let stdout = self.child.stdout.take().context("its output is not piped")?;
        let (said, saying) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut line = String::new();
            // Whether reading failed or nobody listens any more, the other side sees it as silence.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = said.send(line);
        });
        let line = saying.recv_timeout(START_TIME).context("does not become ready")?;
        if line.trim_end() != READY {
            bail!("ended before it was ready");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it is gone already, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells the parent that requests are consumed from now on.
pub(crate) fn ready() {
    println!("{READY}");
}

/// Ends this process when the parent is gone: then standard input ends.
pub(crate) fn leave_with_parent() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
}
