//! The server that runs the function on the thread that consumes: nothing to hand over, nothing in parallel.

use anyhow::{Result, bail};

use super::dial::{consume, dial};
use super::reply::{delivery, reply};
use crate::child;

/// Serves until the connection is lost.
pub(crate) fn serve(uri: &str, queue: &str) -> Result<()> {
    let (mut consuming, mut replying) = (dial(uri)?, dial(uri)?);
    let (channel, replies) = (consuming.open_channel(None)?, replying.open_channel(None)?);
    let consumer = consume(&channel, queue)?;
    child::ready("");
    for message in consumer.receiver() {
        let request = delivery(message)?;
        reply(&replies, &request)?;
        consumer.ack(request)?;
    }
    bail!("lost the connection")
}
