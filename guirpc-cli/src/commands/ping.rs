//! `guirpc ping`: checks that a service is served, and lists its functions.

use std::time::Instant;

use crate::args::Ping;
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

pub(super) fn run(ping: &Ping) -> Result<(), Failure> {
    let client = ping.broker.connect()?;
    // The connection is up by now: what is measured is the way to the service and back.
    let begin = Instant::now();
    let answer = client.ping(&ping.service).map_err(|error| Failure::no_reply(error, &client, &ping.service))?;
    let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
    let shown = |text: &str| line(text, usize::MAX);
    output::print(&format!(
        "service    {}\nguirpc     {}\nfunctions  {}\nanswered   in {milliseconds:.1} ms\n",
        shown(&answer.service),
        shown(&answer.guirpc),
        shown(&answer.functions.join(" ")),
    ))
}
