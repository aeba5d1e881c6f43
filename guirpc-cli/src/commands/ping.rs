//! `guirpc ping`: checks that a service is served, lists its functions, and measures the way there and back.

use std::time::Instant;

use guirpc::{Client, ServiceInfo};
use serde_json::json;

use crate::args::Ping;
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

pub(super) fn run(ping: &Ping) -> Result<(), Failure> {
    let client = ping.broker.connect()?;
    let (answer, first) = ask(&client, &ping.service)?;
    let mut times = vec![first];
    for _ in 1..ping.count {
        times.push(ask(&client, &ping.service)?.1);
    }
    if ping.json {
        let ServiceInfo { service, guirpc, functions, .. } = answer;
        let answer = json!({ "service": service, "guirpc": guirpc, "functions": functions, "milliseconds": times });
        return output::print_json(&answer);
    }
    let shown = |text: &str| line(text, usize::MAX);
    output::print(&format!(
        "service    {}\nguirpc     {}\nfunctions  {}\nanswered   {}\n",
        shown(&answer.service),
        shown(&answer.guirpc),
        shown(&answer.functions.join(" ")),
        took(&times),
    ))
}

/// The answer, and how many milliseconds it took: the connection is up, so that is the way to the service and back.
fn ask(client: &Client, service: &str) -> Result<(ServiceInfo, f64), Failure> {
    let begin = Instant::now();
    let answer = client.ping(service).map_err(|error| Failure::no_reply(error, client, service))?;
    Ok((answer, begin.elapsed().as_secs_f64() * 1e3))
}

fn took(milliseconds: &[f64]) -> String {
    let [one] = milliseconds else {
        let count = u32::try_from(milliseconds.len()).unwrap_or(u32::MAX);
        let shortest = milliseconds.iter().copied().fold(f64::INFINITY, f64::min);
        let longest = milliseconds.iter().copied().fold(0.0, f64::max);
        let mean = milliseconds.iter().sum::<f64>() / f64::from(count);
        return format!("{count} times, in {shortest:.1} to {longest:.1} ms, {mean:.1} ms on average");
    };
    format!("in {one:.1} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_times_are_summed_up() {
        assert_eq!(took(&[1.25]), "in 1.2 ms");
        assert_eq!(took(&[1.0, 3.0, 2.0]), "3 times, in 1.0 to 3.0 ms, 2.0 ms on average");
    }
}
