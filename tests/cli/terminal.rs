//! A program on a terminal, and what its screen shows.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, ensure};
use harness::{Broker, binary, eventually};

use super::LONG;

const ROWS: NonZero<u16> = NonZero::new(20).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(120).unwrap();

/// `guirpc` on a terminal of its own, which the package bsdutils makes.
pub(crate) struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<vt100::Parser>>,
    drawing: JoinHandle<std::io::Result<()>>,
}

impl Terminal {
    /// Starts `guirpc ARGUMENTS` on an empty screen.
    pub(crate) fn start(broker: &dyn Broker, arguments: &str) -> anyhow::Result<Self> {
        let command = format!("stty rows {ROWS} cols {COLUMNS}; {} {arguments}", binary("guirpc")?.display());
        let mut script = Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .env("AMQP_URI", broker.uri())
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`script` of the package bsdutils")?;
        let keys = script.stdin.take().context("it is piped")?;
        let mut output = script.stdout.take().context("it is piped")?;
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let drawn = Arc::clone(&screen);
        let drawing = thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                match output.read(&mut bytes)? {
                    0 => return Ok(()),
                    length => drawn.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..length]),
                }
            }
        });
        Ok(Self { script, keys, screen, drawing })
    }

    /// What stands on the screen now.
    fn contents(&self) -> String {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    /// Waits until the screen is as `expected`.
    pub(crate) fn shows(&self, expected: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        eventually(LONG, || Ok(expected(&self.contents())))
            .with_context(|| format!("the screen is another:\n{}", self.contents()))
    }

    pub(crate) fn types(&mut self, keys: &str) -> anyhow::Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        Ok(self.keys.flush()?)
    }

    /// Waits until the program has ended, and well.
    pub(crate) fn ends(mut self) -> anyhow::Result<()> {
        let ended = eventually(LONG, || Ok(self.script.try_wait()?.is_some()));
        if ended.is_err() {
            self.script.kill()?;
        }
        let status = self.script.wait()?;
        drop(self.keys);
        self.drawing.join().map_err(|_panicked| anyhow::anyhow!("the screen was not drawn"))??;
        ensure!(status.success(), "{status}, {ended:?}");
        Ok(())
    }
}
