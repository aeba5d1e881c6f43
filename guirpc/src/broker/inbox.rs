//! The server's side of a queue: taking deliveries off it, acknowledging them.

use std::mem;

use amiquip::{AmqpProperties, ConsumerMessage, ConsumerOptions, Delivery};
use crossbeam_channel::{Receiver, Select, Sender, bounded};
use crossbeam_utils::Backoff;

use super::connection::{ChannelBodies, explain};
use super::{Channel, Failure, wire};
use crate::error::Error;
use crate::message::Request;

/// Where the deliveries of one queue arrive; any number of threads may take from it.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    messages: Receiver<ConsumerMessage>,
    bodies: ChannelBodies,
    /// Where no consumer is at the other end, that it is there.
    _sender: Option<Sender<ConsumerMessage>>,
}

/// What has the broker deliver; dropping it cancels it.
pub(crate) struct Consumer<'a>(amiquip::Consumer<'a>);

impl Consumer<'_> {
    /// Has the broker deliver nothing more; what it has delivered is in the inbox when this returns.
    pub(crate) fn cancel(&self) -> Result<(), Error> {
        self.0.cancel().map_err(|error| explain(&error))
    }
}

/// What an [`Inbox`] yields.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are requests")]
pub(crate) enum Event {
    /// A request, and what acknowledges it.
    Request(Request, Receipt),
    /// We have cancelled the consumer: nothing more will come.
    Cancelled,
    /// Nothing more will come, for this reason.
    Lost(Failure),
}

/// The next thing to do: from a thread of this process, or from the inbox with this number.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all are requests")]
pub(crate) enum Next<T> {
    Own(T),
    Delivered(usize, Event),
}

/// What remains of a delivery when its request has been taken out: enough to acknowledge it on the channel it came by,
/// and to publish it again.
#[derive(Debug)]
pub(crate) struct Receipt(Box<Delivery>);

impl Receipt {
    /// Deliveries of one channel are numbered from 1, without gaps.
    pub(crate) fn tag(&self) -> u64 {
        self.0.delivery_tag()
    }

    /// The properties of the request as they came.
    pub(super) fn properties(&self) -> &AmqpProperties {
        &self.0.properties
    }

    /// Another one, that is good for acknowledging only.
    pub(crate) fn bare(&mut self) -> Receipt {
        let properties = mem::take(&mut self.0.properties);
        let bare = Receipt(self.0.clone());
        self.0.properties = properties;
        bare
    }
}

impl Inbox {
    /// One with this delivery, in which nothing more will arrive.
    pub(super) fn of(delivery: Delivery, bodies: ChannelBodies) -> Self {
        let (sender, receiver) = bounded(1);
        // We have the other end ourselves.
        let _ = sender.send(ConsumerMessage::Delivery(delivery));
        Inbox { messages: receiver, bodies, _sender: Some(sender) }
    }

    /// Waits for whatever comes next: our own work goes first, then what is there in an earlier inbox.
    ///
    /// It spins and yields before it parks, as a plain receive does: a `Select` parks at once, and to be woken
    /// for each request costs more than a quick function.
    pub(crate) fn next<T>(own: &Receiver<T>, inboxes: &[Inbox]) -> Next<T> {
        let backoff = Backoff::new();
        loop {
            if let Some(next) = Inbox::try_any(own, inboxes) {
                return next;
            }
            if backoff.is_completed() {
                break;
            }
            backoff.snooze();
        }
        let mut select = Select::new();
        for inbox in inboxes {
            select.recv(&inbox.messages);
        }
        select.recv(own);
        loop {
            select.ready();
            // One that is taken by another thread meanwhile is no longer there.
            if let Some(next) = Inbox::try_any(own, inboxes) {
                return next;
            }
        }
    }

    fn try_any<T>(own: &Receiver<T>, inboxes: &[Inbox]) -> Option<Next<T>> {
        if let Ok(own) = own.try_recv() {
            return Some(Next::Own(own));
        }
        inboxes.iter().enumerate().find_map(|(at, inbox)| match inbox.messages.try_recv() {
            Ok(message) => Some(Next::Delivered(at, inbox.event(Some(message)))),
            Err(error) if error.is_disconnected() => Some(Next::Delivered(at, inbox.event(None))),
            Err(_) => None,
        })
    }

    /// The next event, if it is there already.
    pub(crate) fn try_next(&self) -> Option<Event> {
        self.messages.try_recv().ok().map(|message| self.event(Some(message)))
    }

    fn event(&self, message: Option<ConsumerMessage>) -> Event {
        match message {
            Some(ConsumerMessage::Delivery(delivery)) => {
                let mut delivery = Box::new(delivery);
                let dropped = self.bodies.take_dropped(&delivery);
                let request = Request { dropped, ..wire::take_request(&mut delivery) };
                Event::Request(request, Receipt(delivery))
            }
            Some(ConsumerMessage::ClientCancelled) => Event::Cancelled,
            Some(message) => Event::Lost(Failure::from(&message)),
            None => Event::Lost(Failure::silent()),
        }
    }
}

impl Channel {
    /// Starts to consume.
    pub(crate) fn consume(&self, queue: &str) -> Result<(Consumer<'_>, Inbox), Error> {
        let consumer = self.0.basic_consume(queue, ConsumerOptions::default()).map_err(|error| explain(&error))?;
        let inbox = Inbox { messages: consumer.receiver().clone(), bodies: self.bodies(), _sender: None };
        Ok((Consumer(consumer), inbox))
    }

    pub(crate) fn ack(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.0.ack(&self.0).map_err(|error| explain(&error))
    }

    /// Acknowledges this delivery and every one before it that is not acknowledged yet.
    pub(crate) fn ack_through(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.0.ack_multiple(&self.0).map_err(|error| explain(&error))
    }

    /// Puts the request back into its queue, for another server; it will be marked as redelivered.
    pub(crate) fn requeue(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.0.nack(&self.0, true).map_err(|error| explain(&error))
    }
}
