//! `guirpc ping`: asks a service whether it is there, and what it has.

use std::time::Instant;

use crate::args::Ping;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(ping: &Ping) -> Result<(), Failure> {
    let client = ping.broker.connect()?;
    // The connection is up by now: what is measured is the way to the service and back.
    let begin = Instant::now();
    let answer = client.ping(&ping.service)?;
    let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
    output::print(&format!(
        "service    {}\nguirpc     {}\nfunctions  {}\nanswered   in {milliseconds:.1} ms\n",
        answer.service,
        answer.guirpc,
        answer.functions.join(" "),
    ))
}
