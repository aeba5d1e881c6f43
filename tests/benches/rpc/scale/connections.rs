//! Many clients of one server, each with a connection.

use anyhow::Result;

use super::ROUNDS;
use crate::contestant::Contestant;
use crate::figures::{Spread, Table, mebibytes};
use crate::load::Extent;
use crate::role::{Called, Caller};
use crate::stage::Stage;
use crate::usage::{self, Memory};

/// Connections to one server.
const CONNECTIONS: [usize; 2] = [1, 1000];
/// Calls in flight; of a thousand connections each has one.
const IN_FLIGHT: usize = 1000;
/// So that each connection has its share.
const CALLS: Extent = Extent::Calls(20 * IN_FLIGHT);

struct Sample {
    connections: usize,
    server: Memory,
    called: Called,
}

/// Calls over one connection, and over many.
pub(super) fn measure(stage: &Stage) -> Result<String> {
    let servers = stage.start(vec![Contestant::Guirpc])?;
    let mut samples = Vec::new();
    stage.rounds(ROUNDS, |turns| {
        for connections in turns.of(&CONNECTIONS) {
            let watch = usage::watch(servers.pid(Contestant::Guirpc))?;
            let called = Caller::Connections(connections).call(stage.broker.uri(), IN_FLIGHT, CALLS)?;
            samples.push(Sample { connections, server: watch.until_now()?, called });
        }
        Ok(())
    })?;
    servers.end()?;
    let mut table =
        Table::new("connections", ["calls per second", "server: idle in MiB", "peak in MiB", "clients in MiB"]);
    for connections in CONNECTIONS {
        let samples = || samples.iter().filter(move |sample| sample.connections == connections);
        let cells = [
            Spread::of(samples().map(|sample| sample.called.rate)).to_string(),
            format!("{:.1}", Spread::of(samples().map(|sample| mebibytes(sample.server.before)))),
            format!("{:.1}", Spread::of(samples().map(|sample| mebibytes(sample.server.peak)))),
            format!("{:.1}", Spread::of(samples().map(|sample| mebibytes(sample.called.memory.peak)))),
        ];
        table.row(&connections.to_string(), cells);
    }
    Ok(format!(
        "Connections to one server, with {IN_FLIGHT} calls in flight over all of them: calls per second, the server's \
         memory, and the peak of the one process that all clients are in; medians of the rounds (smallest to largest).\n\n{table}"
    ))
}
