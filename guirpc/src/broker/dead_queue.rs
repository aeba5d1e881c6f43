//! The queue of a service's dead letters: looked through letter by letter, any number of times, without changing it.
//!
//! What is taken off a classic queue is held until the end, and is then in its old place again.
//! A quorum queue counts whatever is returned to it and drops what it has delivered too often, by a limit that any
//! policy may set, so nothing is returned to one: each letter that stays is published to its end, confirmed, and then
//! taken off, until all have gone around.
//! If the process dies in between there are two of one letter, which have the same id: the next look merges them.
//!
//! While one looks through it, it seems empty to others; so they wait for each other,
//! by an exclusive queue that only one connection can have.

pub(super) mod identity;
mod journal;
mod publisher;
mod restored;
mod steps;

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use amiquip::{AmqpProperties, AmqpValue, Delivery, FieldTable, QueueDeclareOptions};
use uuid::Uuid;

use self::journal::Journal;
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
    taken: usize,
    stay: Stay,
    reading: Steps<Reading>,
    publisher: Option<Publisher>,
    /// Dropped last: it cuts off whatever still waits.
    connection: Connection,
}

/// How letters that were taken off stay.
#[derive(Debug)]
enum Stay {
    /// They are held, until their channel is closed.
    Held,
    /// Each is published to the end of the queue, with the name of this look; the ids of those that were seen.
    Copied { look: String, seen: HashSet<String> },
}

/// The channel on which letters are held, until they are let go.
struct Reading {
    opener: Opener,
    channel: Option<Channel>,
}

impl Reading {
    fn channel(&self) -> Result<&Channel, Error> {
        self.channel.as_ref().ok_or_else(|| Error::new(ErrorKind::Unreachable, "the channel is closed"))
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// What is known of a queue before its first letter is taken.
struct Found {
    count: usize,
    is_classic: bool,
    journal: Journal,
}

/// A letter that was taken off the queue, to be kept, removed or put back.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) request: Request,
    id: String,
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
        wire::check_short("the name of the queue", &journal::name(&queue))
            .map_err(|why| Error::new(ErrorKind::Configuration, why))?;
        let connection = Connection::open(addresses, &program(), "dead letters")?;
        let (opener, name) = (connection.opener(), queue.clone());
        // The wait for others has a bound of its own.
        let mut reading = Steps::begin(bound, bound.saturating_mul(2), move || {
            let channel = wait_for_others(&opener, &name, bound)?;
            Ok(Reading { opener, channel: Some(channel) })
        })?;
        let name = queue.clone();
        let Some(found) = reading.take(move |reading| reading.find(&name))? else { return Ok(None) };
        let Found { count, is_classic, journal } = found;
        let stay = if is_classic {
            Stay::Held
        } else {
            Stay::Copied { look: Uuid::new_v4().to_string(), seen: HashSet::new() }
        };
        let mut queue = DeadQueue { bound, queue, count, taken: 0, stay, reading, publisher: None, connection };
        if !journal.is_empty() {
            queue.finish(journal)?;
        }
        Ok(Some(queue))
    }

    /// Whether there is a queue of that name.
    ///
    /// # Errors
    /// The broker cannot be reached, or refuses.
    pub(crate) fn exists(addresses: &Addresses, queue: &str, bound: Duration) -> Result<bool, Error> {
        let connection = Connection::open(addresses, &program(), "dead letters")?;
        let (opener, queue) = (connection.opener(), queue.to_owned());
        Steps::begin(bound, bound, move || opener.open_channel()?.count(&queue))?.take(|count| Ok(count.is_some()))
    }

    /// How many letters there were when it was opened.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes the next letter; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Taken>, Error> {
        loop {
            if let Stay::Copied { .. } = self.stay {
                if self.taken == self.count {
                    return Ok(None);
                }
                // What is taken must find its way back, so the broker must take messages.
                self.publisher()?;
            }
            let Some(taken) = self.get()? else { return Ok(None) };
            let Stay::Copied { look, seen } = &mut self.stay else { return Ok(Some(taken)) };
            let stamp = identity::Stamp::of(&taken.properties);
            if stamp.look.as_ref() == Some(look) {
                // All others are gone by a policy: this one has been around.
                self.count = self.taken;
                self.keep(taken)?;
                return Ok(None);
            }
            if seen.insert(taken.id.clone()) {
                return Ok(Some(taken));
            }
            match stamp.id {
                // A look has died before it removed what it had copied.
                Some(_) => self.remove(taken)?,
                // Two that say the same, from elsewhere.
                None => return Ok(Some(Taken { id: Uuid::new_v4().to_string(), ..taken })),
            }
        }
    }

    fn get(&mut self) -> Result<Option<Taken>, Error> {
        let queue = self.queue.clone();
        let got = self
            .reading
            .take(move |reading| reading.channel()?.0.basic_get(queue, false).map_err(|error| explain(&error)))?;
        let Some(mut got) = got else { return Ok(None) };
        self.taken += 1;
        let request = wire::take_request(&mut got.delivery);
        let properties = std::mem::take(&mut got.delivery.properties);
        let id = identity::of(&properties, &request.body);
        let behind = match self.stay {
            Stay::Held => usize::try_from(got.message_count).unwrap_or(usize::MAX),
            Stay::Copied { .. } => self.count.saturating_sub(self.taken),
        };
        Ok(Some(Taken { request, id, properties, delivery: got.delivery, behind }))
    }

    /// Leaves a letter in the queue.
    ///
    /// # Errors
    /// Nothing more can be done; the letter is there all the same.
    pub(crate) fn keep(&mut self, taken: Taken) -> Result<(), Error> {
        let Stay::Copied { look, .. } = &self.stay else { return Ok(()) };
        let copy =
            identity::copy(&taken.properties, self.connection.user(), (&taken.id, look), self.connection.limits());
        let queue = self.queue.clone();
        match self.publisher()?.publish(queue, copy, taken.request.body)? {
            Ok(()) => self.settle(taken.delivery),
            Err(why) => Err(Error::new(
                ErrorKind::Unreachable,
                format!("a letter of a quorum queue is read by putting it to the end, and {why}"),
            )),
        }
    }

    /// Removes a letter for good.
    pub(crate) fn remove(&mut self, taken: Taken) -> Result<(), Error> {
        self.settle(taken.delivery)
    }

    /// Puts the request that a letter was into a queue, and removes the letter once the broker has it.
    ///
    /// The same publish puts a copy into the journal, so if the process dies, the next look removes the letter.
    ///
    /// # Errors
    /// The outer one: nothing more can be done. The inner one: this letter stays.
    pub(crate) fn put_back(&mut self, taken: Taken, queue: String) -> Result<Result<(), String>, Error> {
        let own = [&self.queue, &lock(&self.queue), &journal::name(&self.queue)].contains(&&queue);
        let properties = restored::properties(&taken.properties, self.connection.user());
        let properties = journal::entry(properties, &taken.id, &self.queue);
        let put = match restored::check_queue(&queue) {
            Err(why) => Err(why),
            Ok(()) if own => Err(format!("`{queue}` is no queue of requests")),
            Ok(()) => self.publisher()?.put_back(queue, properties, taken.request.body.clone())?,
        };
        match put {
            Ok(()) => self.settle(taken.delivery)?,
            Err(why) => {
                self.keep(taken)?;
                return Ok(Err(why));
            }
        }
        Ok(Ok(()))
    }

    fn publisher(&mut self) -> Result<&mut Publisher, Error> {
        match &mut self.publisher {
            Some(publisher) => Ok(publisher),
            none => Ok(none.insert(Publisher::open(&self.connection, journal::name(&self.queue), self.bound)?)),
        }
    }

    fn settle(&mut self, delivery: Delivery) -> Result<(), Error> {
        self.reading.take(move |reading| delivery.ack(&reading.channel()?.0).map_err(|error| explain(&error)))
    }

    /// Finishes what somebody has begun who died: removes the letters that were put back.
    fn finish(&mut self, mut journal: Journal) -> Result<(), Error> {
        while let Some(taken) = self.next()? {
            if journal.remove(&taken.id) {
                self.remove(taken)?;
            } else {
                self.keep(taken)?;
            }
        }
        self.let_go()?;
        // With the journal its publisher's mark is gone.
        self.publisher = None;
        let (name, queue) = (journal::name(&self.queue), self.queue.clone());
        let count = self.reading.take(move |reading| {
            reading.channel = Some(reading.opener.open_channel()?);
            let channel = reading.channel()?;
            journal::delete(channel, &name)?;
            journal::declare(channel, &name)?;
            channel.count(&queue)
        })?;
        (self.count, self.taken) = (count.unwrap_or_default(), 0);
        if let Stay::Copied { look, seen } = &mut self.stay {
            seen.clear();
            *look = Uuid::new_v4().to_string();
        }
        Ok(())
    }

    /// Has the queue take back what is held.
    fn let_go(&mut self) -> Result<(), Error> {
        // RabbitMQ takes minutes to be given ten thousand back one by one, as it does it whatever the request says.
        // When their channel is closed, the queue takes all at once, in their order, before the broker answers.
        self.reading.take(|reading| {
            drop(reading.channel.take());
            Ok(())
        })
    }

    /// Lets go of all letters that are held, and waits until the queue has them back, in their order.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        if matches!(self.stay, Stay::Copied { .. }) && self.taken > 0 {
            while let Some(taken) = self.next()? {
                self.keep(taken)?;
            }
        }
        self.let_go()?;
        let name = journal::name(&self.queue);
        self.reading.take(move |reading| journal::delete(&reading.opener.open_channel()?, &name))?;
        self.connection.close(self.bound).map_err(|why| Error::new(ErrorKind::Unreachable, why))
    }
}

impl Reading {
    fn find(&self, queue: &str) -> Result<Option<Found>, Error> {
        let Some(count) = self.opener.open_channel()?.count(queue)? else { return Ok(None) };
        let is_classic = count == 0 || self.opener.open_channel()?.is_classic(queue)?;
        let journal = Journal::read(&self.opener.open_channel()?, &journal::name(queue))?;
        Ok(Some(Found { count, is_classic, journal }))
    }
}

impl Channel {
    /// How many messages are in a queue; `None` if there is no such queue.
    fn count(&self, queue: &str) -> Result<Option<usize>, Error> {
        let counts = self.counts(queue)?;
        Ok(counts.map(|(messages, _)| usize::try_from(messages).unwrap_or(usize::MAX)))
    }

    /// Whether a queue is certainly a classic one, which counts nothing that is returned to it.
    fn is_classic(&self, queue: &str) -> Result<bool, Error> {
        match self.0.queue_declare(queue, classic()) {
            Ok(_) => Ok(true),
            Err(amiquip::Error::ServerClosedChannel { code: 406, .. }) => Ok(false),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// A durable classic queue, whatever the virtual host's default is.
fn classic() -> QueueDeclareOptions {
    let mut arguments = FieldTable::new();
    arguments.insert("x-queue-type".to_owned(), AmqpValue::LongString("classic".to_owned()));
    QueueDeclareOptions { durable: true, arguments, ..QueueDeclareOptions::default() }
}

/// The queue that whoever looks through this one has for as long.
fn lock(queue: &str) -> String {
    format!("{queue}.reader")
}

/// Waits until nobody else looks through the queue, and opens a channel.
///
/// Others are kept from it for as long as the connection is open.
fn wait_for_others(opener: &Opener, queue: &str, bound: Duration) -> Result<Channel, Error> {
    let begun = Instant::now();
    loop {
        let channel = opener.open_channel()?;
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        match channel.0.queue_declare(lock(queue), options).map(drop) {
            Ok(()) => return Ok(channel),
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
