//! Dead letters: failed sends and poison messages, which a service has moved to its dead-letter queue.
//!
//! They stay in the durable queue `SERVICE.dead` until they are put back ([`requeue`](DeadLetters::requeue))
//! or deleted ([`drop`](DeadLetters::drop)).
//! The command `guirpc dead` does the same from a shell.

mod letter;
mod outcome;
mod selection;
mod shown;

use std::fmt;
use std::time::Duration;

use crate::broker::{Addresses, DeadQueue, Taken};
#[cfg(feature = "config")]
use crate::config::ClientConfig;
use crate::error::Error;
use crate::message::dead;

pub use letter::DeadLetter;
pub use outcome::{Kept, List, Missing, Outcome};
pub use selection::Selection;

use selection::Search;

/// The default timeout for each answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many letters a list has unless its selection sets a limit.
const LIST_LIMIT: usize = 10_000;
/// How many bytes the letters of a list may have, without their bodies.
const LIST_BYTES: usize = 64 << 20;

/// The dead letters of one service.
///
/// ```no_run
/// use guirpc::DeadLetters;
/// use guirpc::dead_letters::Selection;
///
/// let letters = DeadLetters::connect("amqp://localhost", "shop")?;
/// for letter in letters.list(&Selection::all())?.letters {
///     println!("{} {}: {}", letter.number(), letter.function(), letter.message().unwrap_or("?"));
/// }
/// // The cause is fixed: let them run again.
/// let outcome = letters.requeue(&Selection::all().function("place"))?;
/// println!("{} were requeued", outcome.done);
/// # Ok::<(), guirpc::Error>(())
/// ```
///
/// No operation loses or doubles a letter or changes their order, on queues of any type, under any policy, any number
/// of times; not if its process is killed either, except that the order of a quorum queue may change.
/// It holds the letters of a classic queue unacknowledged while it reads them.
/// A quorum queue drops what is returned to it too often (`delivery-limit`), so its letters are read by putting each to
/// the end of the queue: a look reads all of them, takes as long, and needs a broker that takes messages and a queue
/// that is not full and rejects.
/// Other readers wait for as long, each up to its [timeout](DeadLetters::timeout).
/// A dead-letter queue that does not exist is an empty one.
///
/// The user of the broker needs these permissions: to configure and read `^SERVICE\.dead`, and to write to the default
/// exchange (`^amq\.default$`) and, to requeue, any permission for the queues that letters go back to.
#[derive(Clone)]
pub struct DeadLetters {
    addresses: Addresses,
    service: String,
    timeout: Duration,
}

impl DeadLetters {
    /// The dead letters of this service, on the broker at this AMQP URI.
    ///
    /// # Errors
    /// The URI cannot be read, no broker answers there, or it refuses the user or the virtual host.
    pub fn connect(uri: &str, service: impl Into<String>) -> Result<Self, Error> {
        DeadLetters::checked(uri, service.into(), TIMEOUT)
    }

    /// The dead letters of this service, on the broker that these settings name.
    ///
    /// # Errors
    /// As [`connect`](DeadLetters::connect).
    #[cfg(feature = "config")]
    pub fn configured(config: &ClientConfig, service: impl Into<String>) -> Result<Self, Error> {
        DeadLetters::checked(&config.uri, service.into(), config.timeout.unwrap_or(TIMEOUT))
    }

    /// Whether the service is known to the broker: it has a queue for requests, or one for dead letters.
    ///
    /// A name that is misspelt has neither; a service that has never been served has not either.
    ///
    /// # Errors
    /// The connection cannot be opened, or is lost.
    pub fn is_known(&self) -> Result<bool, Error> {
        let exists = |queue: &str| DeadQueue::exists(&self.addresses, queue, self.timeout);
        Ok(exists(&self.service)? || exists(&dead::queue(&self.service))?)
    }

    fn checked(uri: &str, service: String, timeout: Duration) -> Result<Self, Error> {
        let letters = DeadLetters { addresses: Addresses::parse(uri)?, service, timeout };
        letters.look_through(|_| Ok(()))?;
        Ok(letters)
    }

    /// Waits this long for each answer of the broker, and for other readers of the letters (the default is 10 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The letters, oldest first, without their bodies.
    ///
    /// There are at most 10,000 unless the selection sets another limit, and no more than fit into 64 MiB.
    ///
    /// # Errors
    /// The connection cannot be opened, or is lost.
    pub fn list(&self, selection: &Selection) -> Result<List, Error> {
        let mut list = List::default();
        let mut search = Search::new(selection);
        let limit = selection.limit.unwrap_or(LIST_LIMIT);
        let mut bytes = 0;
        self.look_through(|queue| {
            list.unread = queue.count();
            while list.letters.len() < limit && bytes <= LIST_BYTES && !search.is_over() {
                let Some((taken, letter)) = self.next(queue, &mut search)? else {
                    list.unread = 0;
                    break;
                };
                list.unread = taken.behind;
                if search.takes(&letter) {
                    bytes += letter.held();
                    list.letters.push(letter);
                }
                queue.keep(taken)?;
            }
            Ok(())
        })?;
        list.missing = search.missing();
        Ok(list)
    }

    /// The first letter of the selection, with its body.
    ///
    /// # Errors
    /// The connection cannot be opened, or is lost.
    pub fn first(&self, selection: &Selection) -> Result<Option<DeadLetter>, Error> {
        let mut search = Search::new(selection);
        let mut first = None;
        self.look_through(|queue| {
            while first.is_none()
                && !search.is_over()
                && let Some((taken, letter)) = self.next(queue, &mut search)?
            {
                first = search.takes(&letter).then(|| letter.with_body(taken.request.body.clone()));
                queue.keep(taken)?;
            }
            Ok(())
        })?;
        Ok(first)
    }

    /// Puts letters back into the queues that they were taken off, as the requests that they were.
    ///
    /// Only a header says which queue that was, and whoever may write to the dead-letter queue may have written it.
    /// So a letter goes back to the service's own queue or to that of one of its lanes, `SERVICE.LANE`; one that names
    /// another queue stays. For a service whose queue the setting `queue` names, use
    /// [`requeue_into`](DeadLetters::requeue_into).
    ///
    /// A letter is removed after the publisher confirm of the request.
    /// If the connection or the process dies in between, the next operation removes it, by the queue
    /// `SERVICE.dead.requeued`, which has a copy of each request while letters are put back; so the function runs once.
    /// Only if the broker dies as well, it may run twice.
    /// A letter that is unroutable stays where it is, and so does each whose queue has rejected one.
    /// Letters that come in meanwhile, perhaps those that were requeued and failed again, are left alone.
    ///
    /// # Errors
    /// The connection cannot be opened, or is lost; the text contains how many were requeued before.
    pub fn requeue(&self, selection: &Selection) -> Result<Outcome, Error> {
        self.settle(selection, |queue, taken, letter| match origin(&self.service, letter.queue()) {
            Ok(()) => put_back(queue, taken, letter, letter.queue()),
            Err(why) => queue.keep(taken).map(|()| Err(why)),
        })
    }

    /// Puts letters into this queue, wherever they say that they come from, as the requests that they were.
    ///
    /// It is otherwise as [`requeue`](DeadLetters::requeue).
    ///
    /// # Errors
    /// As [`requeue`](DeadLetters::requeue).
    pub fn requeue_into(&self, queue: &str, selection: &Selection) -> Result<Outcome, Error> {
        self.settle(selection, |letters, taken, letter| put_back(letters, taken, letter, queue))
    }

    /// Deletes letters for good.
    ///
    /// # Errors
    /// The connection cannot be opened, or is lost; the text contains how many were dropped before.
    pub fn drop(&self, selection: &Selection) -> Result<Outcome, Error> {
        self.settle(selection, |queue, taken, _| queue.remove(taken).map(Ok))
    }

    fn settle(
        &self,
        selection: &Selection,
        mut settle: impl FnMut(&mut DeadQueue, Taken, &DeadLetter) -> Result<Result<(), String>, Error>,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut search = Search::new(selection);
        let limit = selection.limit.unwrap_or(usize::MAX);
        let looked = self.look_through(|queue| {
            // No more than there were: what is put back may fail again before the end is reached.
            for _ in 0..queue.count() {
                if outcome.done >= limit || search.is_over() {
                    break;
                }
                let Some((taken, letter)) = self.next(queue, &mut search)? else { break };
                if !search.takes(&letter) {
                    queue.keep(taken)?;
                    continue;
                }
                match settle(queue, taken, &letter)? {
                    Ok(()) => outcome.done += 1,
                    Err(why) => outcome.keep(&letter, why),
                }
            }
            Ok(())
        });
        looked.map_err(|error| match outcome.done {
            0 => error,
            done => {
                let message = format!("{error}; {done} had been done before, the others are there");
                error.with_message(message)
            }
        })?;
        outcome.missing = search.missing();
        Ok(outcome)
    }

    fn next(&self, queue: &mut DeadQueue, search: &mut Search<'_>) -> Result<Option<(Taken, DeadLetter)>, Error> {
        let Some(taken) = queue.next()? else { return Ok(None) };
        let letter = DeadLetter::of(&self.service, search.next_number(), &taken.request);
        Ok(Some((taken, letter)))
    }

    /// Reads the letters, if there are any, and releases those that are held.
    fn look_through(&self, look: impl FnOnce(&mut DeadQueue) -> Result<(), Error>) -> Result<(), Error> {
        let Some(mut queue) = DeadQueue::open(&self.addresses, &self.service, self.timeout)? else { return Ok(()) };
        look(&mut queue)?;
        queue.close()
    }
}

fn put_back(
    letters: &mut DeadQueue,
    taken: Taken,
    letter: &DeadLetter,
    queue: &str,
) -> Result<Result<(), String>, Error> {
    if letter.is_dropped() {
        let why = format!("its {} bytes were too large for the server, which has not kept them", letter.size());
        return letters.keep(taken).map(|()| Err(why));
    }
    letters.put_back(taken, queue.to_owned())
}

/// Checks that letters of this service can have been taken off that queue.
///
/// # Errors
/// By its name it is neither the service's own nor that of a lane; says what to do.
fn origin(service: &str, queue: &str) -> Result<(), String> {
    let lane = queue.strip_prefix(service).and_then(|rest| rest.strip_prefix('.'));
    let is_lane =
        lane.is_some_and(|lane| !lane.is_empty() && lane.split('.').all(|part| !dead::BESIDE.contains(&part)));
    if queue == service || is_lane {
        return Ok(());
    }
    Err(format!(
        "it says that it was taken off `{queue}`, which is neither `{service}` nor the queue of one of its lanes, and \
         anybody may have written that: if it belongs there, name the queue to requeue it into"
    ))
}

/// Without the password that is in the URI.
impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters")
            .field("service", &self.service)
            .field("address", &self.addresses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_goes_only_where_letters_of_its_service_come_from() {
        for queue in ["shop", "shop.reports", "shop.reports.weekly"] {
            assert_eq!(origin("shop", queue), Ok(()));
        }
        let others = [
            "",
            "bank",
            "shopping",
            "shop.",
            "shop.dead",
            "shop.dead.reader",
            "shop.dead.requeued",
            "shop.retry",
            "shop.reports.quarantine",
            "amq.rabbitmq.reply-to.a.b",
        ];
        for queue in others {
            assert!(origin("shop", queue).is_err_and(|why| why.contains("name the queue")), "{queue}");
        }
    }
}
