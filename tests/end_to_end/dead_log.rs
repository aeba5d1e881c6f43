//! A log that cannot be written costs nothing but the log.

use std::fs::File;
use std::io::{PipeReader, pipe};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use guirpc::{CallError, Client};
use harness::{Broker, Case, binary, eventually};
use rustix::process::{Pid, Signal, kill_process};

use crate::service::LONG;
use crate::workload::{add, panic};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("dead_log::nobody_reads_it_any_more", nobody_reads_it_any_more),
        Case::shared("dead_log::the_disk_is_full", the_disk_is_full),
        Case::shared("dead_log::the_reader_has_stopped_reading", the_reader_has_stopped_reading),
    ]
}

/// A service that is killed at the end, whatever becomes of the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves with this log, answers after its functions have panicked, and leaves in good order.
fn serve_with(broker: &dyn Broker, log: Stdio, until: impl FnOnce()) -> anyhow::Result<()> {
    let mut command = Command::new(binary("workload")?);
    command.args(["--uri", &broker.uri(), "--workers", "2", "--log", "trace"]).stdout(Stdio::null()).stderr(log);
    let mut service = Service(command.spawn()?);
    drop(command);
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok())).context("it is served")?;
    until();
    for _ in 0..5 {
        let panicked = panic::call(&client, "on purpose".to_owned());
        ensure!(matches!(panicked, Err(CallError::Fault(_))), "{panicked:?}");
    }
    for n in 0..200 {
        ensure!(add::call(&client, n, 2)? == n + 2);
    }
    kill_process(Pid::from_child(&service.0), Signal::TERM)?;
    let mut status = None;
    eventually(LONG, || {
        status = service.0.try_wait()?;
        Ok(status.is_some())
    })
    .context("it does not end")?;
    ensure!(status.is_some_and(|status| status.success()), "{status:?}");
    Ok(())
}

fn nobody_reads_it_any_more(broker: &dyn Broker) -> anyhow::Result<()> {
    let (reader, writer) = pipe()?;
    serve_with(broker, writer.into(), || drop(reader))
}

fn the_disk_is_full(broker: &dyn Broker) -> anyhow::Result<()> {
    let full = File::options().write(true).open("/dev/full")?;
    serve_with(broker, full.into(), || {})
}

fn the_reader_has_stopped_reading(broker: &dyn Broker) -> anyhow::Result<()> {
    let (reader, writer): (PipeReader, _) = pipe()?;
    serve_with(broker, writer.into(), || {})?;
    drop(reader);
    Ok(())
}
