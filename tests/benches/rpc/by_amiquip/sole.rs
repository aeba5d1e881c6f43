//! The client of a program whose only thread calls: it reads the replies itself, so that nobody needs to be woken.

use std::collections::HashMap;
use std::time::Instant;

use amiquip::{Channel, Connection, ConsumerMessage};
use anyhow::{Context as _, Result, anyhow};
use crossbeam_channel::Receiver;

use super::dial::dial;
use super::reply::delivery;
use super::request::{Request, answer, replies, unroutable};
use crate::load::{Client, Extent, Load, Tally};
use crate::message::{Correlation, TIMEOUT};

/// A client for one thread.
pub(crate) struct SoleClient {
    correlation: Correlation,
    queue: &'static str,
    // Above the connection, so that it is closed while that still stands.
    channel: Channel,
    /// Of consumers that were cancelled: amiquip gives the connection up if it cannot tell one that it is.
    told: Vec<Receiver<ConsumerMessage>>,
    _connection: Connection,
}

impl SoleClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str, queue: &'static str) -> Result<Self> {
        let mut connection = dial(uri)?;
        let channel = connection.open_channel(None)?;
        Ok(Self { correlation: Correlation::new(), queue, channel, told: Vec::new(), _connection: connection })
    }
}

impl Client for SoleClient {
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally> {
        let (replies, returns) = replies(&self.channel)?;
        self.told.push(replies.receiver().clone());
        let begun = Instant::now();
        let mut latencies = Vec::new();
        let mut calls = load.calls(0, extent.begin());
        let mut under_way = HashMap::with_capacity(load.window);
        for id in 0.. {
            if let Some(call) = calls.next() {
                Request::new(&call.question, self.correlation.id(id))?.publish(&self.channel, self.queue)?;
                under_way.insert(id, call);
                if under_way.len() < load.window {
                    continue;
                }
            }
            if under_way.is_empty() {
                break;
            }
            let message = replies.receiver().recv_timeout(TIMEOUT).map_err(|_| {
                returns.try_recv().map_or_else(|_| anyhow!("no reply"), |returned| unroutable(&returned))
            })?;
            let (id, reply) = answer(&self.correlation, delivery(message)?)?;
            let call = under_way.remove(&id).context("a second reply to a call")?;
            latencies.push(call.answered(&call.question.decode(&reply)?)?);
        }
        Ok(Tally { latencies, elapsed: begun.elapsed() })
    }
}
