//! The client that any number of threads share: they publish in turn, and one thread hands out the replies.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use amiquip::{Channel, Connection, ConsumerMessage, Return};
use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, select};

use super::dial::dial;
use super::reply::delivery;
use super::request::{Request, answer, replies, unroutable};
use crate::load::{Client, Extent, Load, Shared, Tally, drive};
use crate::message::{Answer, Correlation, Question, TIMEOUT};

/// A client for many threads.
pub(crate) struct SharedClient {
    next: AtomicU64,
    calls: Arc<Calls>,
    queue: &'static str,
    // Above the connection, so that it is closed while that still stands.
    channel: Mutex<Channel>,
    _connection: Connection,
}

/// Who waits for which reply.
struct Calls {
    correlation: Correlation,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Vec<u8>>>>,
}

impl SharedClient {
    /// Connects to the broker.
    pub(crate) fn connect(uri: &str, queue: &'static str) -> Result<Self> {
        let mut connection = dial(uri)?;
        let channel = connection.open_channel(None)?;
        let (consumer, returns) = replies(&channel)?;
        let replies = consumer.receiver().clone();
        // It borrows the channel that is to move, and dropping it would cancel; it ends with the channel.
        mem::forget(consumer);
        let calls = Arc::new(Calls { correlation: Correlation::new(), waiting: Mutex::default() });
        let pump = Arc::clone(&calls);
        thread::Builder::new().name("pump".to_owned()).spawn(move || {
            if let Err(error) = pump.hand_out(&replies, &returns) {
                eprintln!("{error:#}");
            }
            // Nobody will answer these any more.
            pump.waiting().clear();
        })?;
        Ok(Self { next: AtomicU64::new(0), calls, queue, channel: Mutex::new(channel), _connection: connection })
    }
}

impl Calls {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Vec<u8>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self, replies: &Receiver<ConsumerMessage>, returns: &Receiver<Return>) -> Result<()> {
        loop {
            select! {
                recv(replies) -> message => {
                    let message = message.context("lost the connection")?;
                    if matches!(message, ConsumerMessage::ClientClosedChannel) {
                        return Ok(());
                    }
                    let (call, reply) = answer(&self.correlation, delivery(message)?)?;
                    let caller = self.waiting().remove(&call).context("a second reply to a call")?;
                    // A caller that has given up has ended the benchmark already.
                    let _ = caller.send(reply);
                }
                recv(returns) -> returned => match returned {
                    Ok(returned) => return Err(unroutable(&returned)),
                    // The channel is closed; whoever still waits learns it from `waiting`.
                    Err(_) => return Ok(()),
                },
            }
        }
    }
}

impl Shared for SharedClient {
    type Pending = (Question, oneshot::Receiver<Vec<u8>>);

    fn start(&self, question: &Question) -> Result<Self::Pending> {
        let call = self.next.fetch_add(1, Ordering::Relaxed);
        let request = Request::new(question, self.calls.correlation.id(call))?;
        let (caller, pending) = oneshot::channel();
        self.calls.waiting().insert(call, caller);
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        request.publish(&channel, self.queue)?;
        Ok((*question, pending))
    }

    fn wait(&self, (question, pending): Self::Pending) -> Result<Answer> {
        question.decode(&pending.recv_timeout(TIMEOUT).context("no reply")?)
    }
}

impl Client for SharedClient {
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally> {
        drive(self, load, extent)
    }
}
