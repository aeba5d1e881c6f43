//! `guirpc broker`: the broker in memory by itself, for several services on one machine.

use guirpc::embedded::Broker;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::EmbeddedBroker;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(settings: &EmbeddedBroker) -> Result<(), Failure> {
    // From here on signals are handled: a program that reads the address may send one at once.
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::other(format!("cannot listen to signals: {error}")))?;
    let broker = Broker::start_on(settings.port).map_err(|error| {
        Failure::other(format!(
            "{error}; if another broker has the port, such as RabbitMQ, services can use that one; \
             else choose another port with `--port`, or 0 for any that is free"
        ))
    })?;
    output::print(&introduction(&broker))?;
    signals.forever().next();
    Ok(())
}

fn introduction(broker: &Broker) -> String {
    let uri = broker.uri();
    format!(
        "A broker for development, on this machine only: messages live in memory and are gone when it ends.\n\n  \
         {uri}\n\n\
         Services and clients find it by their environment:\n\n  \
         export AMQP_URI={uri}\n\n\
         Ctrl-C ends it.\n"
    )
}
