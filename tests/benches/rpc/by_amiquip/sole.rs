//! The client of a program whose only thread calls: it reads the replies itself, so that nobody needs to be woken.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use amiquip::{Channel, Connection};
use anyhow::{Context as _, Result, anyhow};

use super::dial::dial;
use super::reply::delivery;
use super::request::{Request, answer, replies, unroutable};
use crate::load::{Client, Load, Sums, Tally};
use crate::message::{Correlation, TIMEOUT};

/// A client for one thread.
pub(crate) struct SoleClient {
    correlation: Correlation,
    queue: &'static str,
    // Above the connection, so that it is closed while that still stands.
    channel: Channel,
    _connection: Connection,
}

impl SoleClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str, queue: &'static str) -> Result<Self> {
        let mut connection = dial(uri)?;
        let channel = connection.open_channel(None)?;
        Ok(Self { correlation: Correlation::new(), queue, channel, _connection: connection })
    }
}

impl Client for SoleClient {
    fn run(&mut self, load: Load, time: Duration) -> Result<Tally> {
        let (replies, returns) = replies(&self.channel)?;
        let begun = Instant::now();
        let until = begun + time;
        let mut latencies = Vec::new();
        let mut sums = Sums::of(0);
        let mut calls = HashMap::with_capacity(load.window);
        for call in 0.. {
            let sent = Instant::now();
            if sent < until {
                let sum = sums.next();
                Request::new(load.function, (sum.a, sum.b), self.correlation.id(call))?
                    .publish(&self.channel, self.queue)?;
                calls.insert(call, (sent, sum));
                if calls.len() < load.window {
                    continue;
                }
            }
            if calls.is_empty() {
                break;
            }
            let message = replies.receiver().recv_timeout(TIMEOUT).map_err(|_| {
                returns.try_recv().map_or_else(|_| anyhow!("no reply"), |returned| unroutable(&returned))
            })?;
            let (call, output) = answer(&self.correlation, &delivery(message)?)?;
            let (sent, sum) = calls.remove(&call).context("a second reply to a call")?;
            sum.check(output)?;
            latencies.push(sent.elapsed());
        }
        Ok(Tally { latencies, elapsed: begun.elapsed() })
    }
}
