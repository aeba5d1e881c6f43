//! The queue of a service's dead letters: looked through without changing it, letter by letter.
//!
//! What is taken off it stays unsettled until it is removed or put back where it came from,
//! and all that is not is in its old place again when the queue is closed, or the process dies.
//! While one looks through it, it seems empty to others; so they wait for each other,
//! by an exclusive queue that only one connection can have.

mod publisher;
mod restored;
mod steps;

use std::thread;
use std::time::{Duration, Instant};

use amiquip::{AmqpProperties, Delivery, QueueDeclareOptions};

use self::publisher::Publisher;
use self::steps::Steps;
use super::connection::{Opener, explain};
use super::{Addresses, Channel, Connection, program, wire};
use crate::error::{Error, ErrorKind, shown};
use crate::message::{Request, dead};

/// Between two questions whether the other one has done.
const PAUSE: Duration = Duration::from_millis(50);

/// A service's dead letters, being looked through.
#[derive(Debug)]
pub(crate) struct DeadQueue {
    bound: Duration,
    queue: String,
    count: usize,
    reading: Steps<Reading>,
    publisher: Option<Publisher>,
    /// Dropped last: it cuts off whatever still waits.
    connection: Connection,
}

/// The channel on which letters are held, until they are let go.
struct Reading(Option<Channel>);

impl Reading {
    fn channel(&self) -> Result<&Channel, Error> {
        self.0.as_ref().ok_or_else(|| Error::new(ErrorKind::Unreachable, "the channel is closed"))
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// A letter that was taken off the queue.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) request: Request,
    properties: AmqpProperties,
    delivery: Delivery,
    /// How many are behind it.
    pub(crate) behind: usize,
}

impl DeadQueue {
    /// Opens it, each step within the bound; `None` if there is no such queue.
    ///
    /// # Errors
    /// The broker cannot be reached or refuses, or somebody else looks through the letters for longer than the bound.
    pub(crate) fn open(addresses: &Addresses, service: &str, bound: Duration) -> Result<Option<Self>, Error> {
        let queue = dead::queue(service);
        wire::check_short("the name of the queue", &lock(&queue))
            .map_err(|why| Error::new(ErrorKind::Configuration, why))?;
        let connection = Connection::open(addresses, &program(), "dead letters")?;
        let (opener, name) = (connection.opener(), queue.clone());
        // The wait for others has a bound of its own.
        let mut reading = Steps::begin(bound, bound.saturating_mul(2), move || {
            wait_for_others(&opener, &name, bound).map(|channel| Reading(Some(channel)))
        })?;
        let name = queue.clone();
        let count = reading.take(move |reading| reading.channel()?.count(&name))?;
        let Some(count) = count else { return Ok(None) };
        Ok(Some(DeadQueue { bound, queue, count, reading, publisher: None, connection }))
    }

    /// How many letters there were when it was opened.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes the next letter; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Taken>, Error> {
        let queue = self.queue.clone();
        self.reading.take(move |reading| {
            let got = reading.channel()?.0.basic_get(queue, false).map_err(|error| explain(&error))?;
            Ok(got.map(|mut got| {
                let (request, properties) = wire::take_request(&mut got.delivery);
                let behind = usize::try_from(got.message_count).unwrap_or(usize::MAX);
                Taken { request, properties, delivery: got.delivery, behind }
            }))
        })
    }

    /// Removes a letter for good.
    pub(crate) fn remove(&mut self, taken: Taken) -> Result<(), Error> {
        self.settle(taken.delivery)
    }

    /// Puts the request that a letter was into a queue, and removes the letter once the broker has it.
    ///
    /// # Errors
    /// The outer one: nothing more can be done, and this letter may have been put back without being removed.
    /// The inner one: this letter stays.
    pub(crate) fn put_back(&mut self, taken: Taken, queue: String) -> Result<Result<(), String>, Error> {
        if let Err(why) = restored::check_queue(&queue) {
            return Ok(Err(why));
        }
        let properties = restored::properties(&taken.properties, self.connection.user());
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            none => none.insert(Publisher::open(&self.connection, self.bound)?),
        };
        match publisher.publish(queue, properties, taken.request.body)? {
            Ok(()) => self.settle(taken.delivery).map(Ok),
            refused => Ok(refused),
        }
    }

    fn settle(&mut self, delivery: Delivery) -> Result<(), Error> {
        self.reading.take(move |reading| delivery.ack(&reading.channel()?.0).map_err(|error| explain(&error)))
    }

    /// Lets go of all letters that are held, and waits until the queue has them back.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        // RabbitMQ takes minutes to be given ten thousand back one by one, as it does it whatever the request says.
        // When their channel is closed, the queue takes all at once, in their order, before the broker answers.
        self.reading.take(move |reading| {
            drop(reading.0.take());
            Ok(())
        })?;
        self.connection.close(self.bound).map_err(|why| Error::new(ErrorKind::Unreachable, why))
    }
}

impl Channel {
    /// How many messages are in a queue; `None` if there is no such queue.
    fn count(&self, queue: &str) -> Result<Option<usize>, Error> {
        match self.0.queue_declare_passive(queue) {
            Ok(queue) => {
                let count = queue.declared_message_count().unwrap_or_default();
                Ok(Some(usize::try_from(count).unwrap_or(usize::MAX)))
            }
            // Another 404 says that the part of the cluster is down on which the queue is.
            Err(amiquip::Error::ServerClosedChannel { code: 404, message, .. }) if message.contains("no queue") => {
                Ok(None)
            }
            Err(error) => Err(explain(&error)),
        }
    }
}

/// The queue that whoever looks through this one has for as long.
fn lock(queue: &str) -> String {
    format!("{queue}.reader")
}

/// Waits until nobody else looks through the queue, and opens a channel.
///
/// Others are kept from it for as long as the connection is open.
///
/// A user who may declare nothing does without: nothing is lost by that, it may only see too little.
fn wait_for_others(opener: &Opener, queue: &str, bound: Duration) -> Result<Channel, Error> {
    let begun = Instant::now();
    loop {
        let channel = opener.open_channel()?;
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        match channel.0.queue_declare(lock(queue), options).map(drop) {
            Ok(()) => return Ok(channel),
            Err(amiquip::Error::ServerClosedChannel { code: 403, .. }) => return opener.open_channel(),
            Err(amiquip::Error::ServerClosedChannel { code: 405, .. }) if begun.elapsed() < bound => {
                thread::sleep(PAUSE);
            }
            Err(amiquip::Error::ServerClosedChannel { code: 405, .. }) => {
                let message = format!(
                    "somebody else has been looking through `{queue}` for {}, which only one can at a time: try again",
                    shown(bound)
                );
                return Err(Error::new(ErrorKind::Unreachable, message));
            }
            Err(error) => return Err(explain(&error)),
        }
    }
}
