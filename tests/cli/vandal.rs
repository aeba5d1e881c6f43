//! A service whose texts would steer a terminal, if the command printed them as they are.

use anyhow::ensure;
use guirpc::{Fault, Server, Setup};
use harness::Broker;

use crate::ask;
use crate::run::check;

#[guirpc::function(service = "vandal", name = "\u{1b}[2J")]
fn clear() -> Result<(), Fault> {
    Err(Fault::new(500, "\u{1b}[2J\nforged"))
}

#[guirpc::function(service = "vandal")]
fn paint() -> String {
    "\u{9b}1m\u{202e}".to_owned()
}

pub(crate) fn steers_no_terminal(broker: &dyn Broker) -> anyhow::Result<()> {
    let _vandal = Server::start(Setup::new(["vandal"]).uri(broker.uri()))?;
    check(&ask(broker, &["ping", "vandal"])?, 0, "functions  \\u{1b}[2J paint\n")?;
    check(&ask(broker, &["call", "vandal", "\u{1b}[2J"])?, 3, "error: fault 500: \\u{1b}[2J\\nforged\n")?;
    check(&ask(broker, &["call", "vandal", "paint"])?, 0, "\"\\u009b1m\\u202e\"\n")?;
    let unroutable = ask(broker, &["send", "\u{1b}[2J", "paint"])?;
    check(&unroutable, 7, "\\u{1b}[2J")?;
    ensure!(!unroutable.stderr.contains('\u{1b}'), "{unroutable:?}");
    Ok(())
}
