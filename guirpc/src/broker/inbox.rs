//! The server's side of a queue: taking deliveries off it, acknowledging them.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// In which order inboxes are looked into.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// So many go before the others, each before the next.
    pub(crate) first: usize,
    /// The others take turns: with which it begins.
    pub(crate) turn: usize,
}

/// What remains of a delivery when its request has been taken out: enough to acknowledge it on the channel it came by,
/// and to publish it again.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    delivery: Arc<Delivery>,
    /// If the request is one of several in the message.
    calls: Option<Arc<Calls>>,
}

/// The calls of one message, whose receipts share its acknowledgement.
#[derive(Debug)]
struct Calls {
    count: usize,
    unfinished: AtomicUsize,
}

impl Receipt {
    fn new(delivery: Delivery) -> Self {
        Receipt { delivery: Arc::new(delivery), calls: None }
    }

    /// Deliveries of one channel are numbered from 1, without gaps.
    pub(crate) fn tag(&self) -> u64 {
        self.delivery.delivery_tag()
    }

    /// The receipts of so many calls in this message.
    pub(crate) fn of_calls(self, count: usize) -> impl Iterator<Item = Receipt> {
        let calls = Arc::new(Calls { count, unfinished: AtomicUsize::new(count) });
        let receipt = move || Receipt { delivery: Arc::clone(&self.delivery), calls: Some(Arc::clone(&calls)) };
        std::iter::repeat_with(receipt).take(count)
    }

    /// How many calls are in the message, if the request is one of them: each has a part in its acknowledgement.
    pub(crate) fn calls(&self) -> Option<usize> {
        self.calls.as_ref().map(|calls| calls.count)
    }

    /// A worker is through with one more request of the message; says whether that was the last.
    pub(crate) fn finish_one(&self) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.unfinished.fetch_sub(1, Ordering::SeqCst) == 1)
    }

    /// The properties of the request as they came, or as it has them alone.
    pub(super) fn properties(&self, request: &Request) -> Cow<'_, AmqpProperties> {
        match self.calls {
            None => Cow::Borrowed(&self.delivery.properties),
            Some(_) => Cow::Owned(wire::call_properties(request, &self.delivery.properties)),
        }
    }

    fn into_delivery(self) -> Delivery {
        Arc::unwrap_or_clone(self.delivery)
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

    /// Waits for whatever comes next, as [`try_next_of`](Inbox::try_next_of) finds it.
    ///
    /// It spins and yields before it parks, as a plain receive does: a `Select` parks at once, and to be woken
    /// for each request costs more than a quick function.
    pub(crate) fn next_of<T>(own: &Receiver<T>, inboxes: &[Inbox], order: Order) -> Next<T> {
        let backoff = Backoff::new();
        loop {
            if let Some(next) = Inbox::try_next_of(own, inboxes, order) {
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
            if let Some(next) = Inbox::try_next_of(own, inboxes, order) {
                return next;
            }
        }
    }

    /// What is there by now: our own work goes first, then what is in an inbox, in this order.
    pub(crate) fn try_next_of<T>(own: &Receiver<T>, inboxes: &[Inbox], order: Order) -> Option<Next<T>> {
        if let Ok(own) = own.try_recv() {
            return Some(Next::Own(own));
        }
        let (first, others) = inboxes.split_at(order.first);
        let from = order.first + order.turn.checked_rem(others.len()).unwrap_or_default();
        let others = (from..inboxes.len()).chain(first.len()..from);
        (0..first.len()).chain(others).map(|at| (at, &inboxes[at])).find_map(|(at, inbox)| {
            match inbox.messages.try_recv() {
                Ok(message) => Some(Next::Delivered(at, inbox.event(Some(message)))),
                Err(error) if error.is_disconnected() => Some(Next::Delivered(at, inbox.event(None))),
                Err(_) => None,
            }
        })
    }

    /// The next event, if it is there already.
    pub(crate) fn try_next(&self) -> Option<Event> {
        self.messages.try_recv().ok().map(|message| self.event(Some(message)))
    }

    fn event(&self, message: Option<ConsumerMessage>) -> Event {
        match message {
            Some(ConsumerMessage::Delivery(mut delivery)) => {
                let dropped = self.bodies.take_dropped(&delivery);
                let request = Request { dropped, ..wire::take_request(&mut delivery) };
                Event::Request(request, Receipt::new(delivery))
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
        let consumer = self.start_consumer(queue, ConsumerOptions::default()).map_err(|error| explain(&error))?;
        let inbox = Inbox { messages: consumer.receiver().clone(), bodies: self.bodies(), _sender: None };
        Ok((Consumer(consumer), inbox))
    }

    pub(crate) fn ack(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.into_delivery().ack(&self.0).map_err(|error| explain(&error))
    }

    /// Acknowledges this delivery and every one before it that is not acknowledged yet.
    pub(crate) fn ack_through(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.into_delivery().ack_multiple(&self.0).map_err(|error| explain(&error))
    }

    /// Puts the request back into its queue, for another server; it will be marked as redelivered.
    pub(crate) fn requeue(&self, receipt: Receipt) -> Result<(), Error> {
        receipt.into_delivery().nack(&self.0, true).map_err(|error| explain(&error))
    }
}
