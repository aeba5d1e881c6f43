//! The server that runs functions on worker threads, in the shape that amiquip asks for.
//!
//! Each worker takes deliveries from a clone of the consumer's receiver and publishes on a channel of its own.
//! What is finished goes back to the one thread that owns the consumer, and may acknowledge.

use std::thread;

use amiquip::{Channel, ConsumerMessage, Delivery};
use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::dial::{consume, dial};
use super::reply::{delivery, reply};
use crate::child;

/// Serves until the connection is lost.
pub(crate) fn serve(uri: &str, queue: &str, workers: usize) -> Result<()> {
    let (mut consuming, mut replying) = (dial(uri)?, dial(uri)?);
    let channel = consuming.open_channel(None)?;
    let consumer = consume(&channel, queue)?;
    let (finished, settled) = unbounded();
    for worker in 0..workers {
        let replies = replying.open_channel(None)?;
        let (requests, finished) = (consumer.receiver().clone(), finished.clone());
        thread::Builder::new().name(format!("worker-{worker}")).spawn(move || work(&requests, &replies, &finished))?;
    }
    drop(finished);
    child::ready("");
    for request in settled {
        consumer.ack(request)?;
    }
    bail!("lost the connection")
}

fn work(requests: &Receiver<ConsumerMessage>, replies: &Channel, finished: &Sender<Delivery>) -> Result<()> {
    for message in requests {
        let request = delivery(message)?;
        reply(replies, &request)?;
        finished.send(request)?;
    }
    Ok(())
}
