//! A child process that lives no longer than this one: a server, a broker, or a client whose memory is measured.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{self, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const READY: &str = "ready";
/// A client with a thousand connections takes a while on a busy machine.
const READY_TIME: Duration = Duration::from_mins(3);

/// A running child, killed when it is dropped.
pub(crate) struct Child {
    child: process::Child,
}

impl Child {
    /// Starts this program with other arguments, and waits until it is ready; gives what it has to say then.
    pub(crate) fn start(arguments: &[&str]) -> Result<(Self, String)> {
        let child = Command::new(env::current_exe().context("find this program")?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut child = Self { child };
        let said = child.await_ready()?;
        Ok((child, said))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn await_ready(&mut self) -> Result<String> {
        let stdout = self.child.stdout.take().context("its output is not piped")?;
        let (said, saying) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut line = String::new();
            // Whether reading failed or nobody listens any more, the other side sees it as silence.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = said.send(line);
        });
        let line = saying.recv_timeout(READY_TIME).context("it does not become ready")?;
        match line.trim_end_matches('\n').split_once(' ') {
            Some((READY, said)) => Ok(said.to_owned()),
            _ => bail!("it ended before it was ready"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only if it is gone already, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells the parent that this process is there, or that it is done, and what there is to know.
pub(crate) fn ready(said: &str) {
    println!("{READY} {said}");
}

/// Ends this process when the parent is gone: then standard input ends.
pub(crate) fn leave_with_parent() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
}
