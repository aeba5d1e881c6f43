//! Single cases of what happens to a call.

use std::time::Duration;

use super::*;
use crate::broker::{EXCHANGE, Failure, Limits, MessageSizes};
use crate::codec::{Codec, Format};

const MOST: u64 = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);

/// A request to the queue `math`.
pub(in crate::client) fn request(wants_reply: bool) -> Outbound {
    Outbound {
        exchange: EXCHANGE.into(),
        routing_key: "math".into(),
        function: "add".into(),
        format: Format::Native(Codec::default()),
        body: Vec::new(),
        app_id: None,
        priority: None,
        headers: Arc::default(),
        wants_reply,
    }
}

/// The answer about an exchange, of a broker that has taken 100 KiB.
pub(in crate::client) fn checked(presence: Presence) -> Checked {
    Checked { presence, sizes: MessageSizes::known(100 << 10, None) }
}

impl Publication {
    /// The calls, or the send, in it.
    pub(super) fn calls(&self) -> Vec<u64> {
        match &self.content {
            Content::Single { .. } => vec![self.number],
            Content::Coalesced(parts) => parts.iter().map(|part| part.number).collect(),
        }
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(&self.content, Content::Single { request, .. } if request.wants_reply) || is_message(self.number)
    }
}

/// Calls whose waiters are their numbers, at a certain time.
pub(super) struct Case {
    pub(super) calls: Calls<u64>,
    pub(super) now: Instant,
    /// The last delivery tag of the present link.
    pub(super) last_tag: u64,
    /// Of calls from now on.
    pub(super) coalescing: Option<Coalescing>,
}

impl Case {
    /// Without a link.
    fn down() -> Self {
        Case { calls: Calls::new("not yet"), now: Instant::now(), last_tag: 0, coalescing: None }
    }

    /// With a link that is up.
    pub(super) fn up() -> Self {
        let mut case = Case::down();
        case.up_again();
        case
    }

    pub(super) fn enter(&mut self, number: u64, idempotent: bool, request: Outbound) {
        let deadline = self.now + 10 * SECOND;
        let (request, coalescing) = (Arc::new(request), self.coalescing);
        let call = NewCall { waiter: number, request, deadline, idempotent, expires: None, coalescing };
        self.calls.enter(number, call, MOST).unwrap();
    }

    pub(super) fn call(&mut self, number: u64, idempotent: bool) {
        self.enter(number, idempotent, request(true));
    }

    /// Another link is up, and the broker takes messages for the usual exchange.
    pub(super) fn up_again(&mut self) {
        self.calls.up(None, Limits { frame: 4096 - 8, ..Limits::default() });
        self.last_tag = 0;
        self.calls.to_ask.retain(|check| &*check.exchange != EXCHANGE);
        self.calls.answered(self.calls.generation(), &EXCHANGE.into(), &checked(Presence::Present));
    }

    pub(super) fn next(&mut self) -> Option<Publication> {
        let next = self.calls.next_publication(self.now);
        self.last_tag += u64::from(next.as_ref().is_some_and(|next| next.via == Via::Confirming));
        next
    }

    /// Publishes what can be, to a broker that confirms everything at once.
    pub(super) fn publications(&mut self) -> Vec<Publication> {
        let mut published = Vec::new();
        while let Some(next) = self.next() {
            if next.via == Via::Confirming && next.is_call() {
                self.calls.confirmed((self.last_tag, false, true), self.now);
            }
            published.push(next);
        }
        published
    }

    fn publish(&mut self) -> Vec<u64> {
        self.publications().iter().map(|next| next.number).collect()
    }

    #[track_caller]
    pub(super) fn check(&mut self, expected: &[(u64, Outcome)]) {
        assert_eq!(self.calls.take_decided(), expected);
    }
}

fn lost(reason: &str) -> Outcome {
    Outcome::Lost(reason.to_owned())
}

#[test]
fn a_call_is_queued_until_there_is_a_link_and_keeps_its_turn() {
    let mut case = Case::down();
    for number in 1..=3 {
        case.call(number, false);
    }
    assert!(case.publish().is_empty());
    case.up_again();
    assert_eq!(case.publish(), [1, 2, 3]);
    assert_eq!(case.calls.replied(1, 2), Some(Replied { waiter: 2, repeated: false }));
    assert_eq!(case.calls.replied(1, 2), None);
}

#[test]
fn what_was_not_published_by_its_deadline_was_not_sent() {
    let mut case = Case::down();
    case.call(1, false);
    assert!(case.calls.watch(1) && !case.calls.watch(1));
    case.calls.expired(case.now + 11 * SECOND);
    case.check(&[(1, Outcome::NotSent("not yet".to_owned()))]);
    assert_eq!(case.calls.queued_bytes, 0);
}

#[test]
fn what_is_in_flight_fails_with_its_link_or_is_queued_again() {
    let mut case = Case::up();
    case.call(1, false);
    case.call(2, true);
    assert_eq!(case.publish(), [1, 2]);
    case.calls.lose(&Failure::connection("gone"));
    case.check(&[(1, lost("gone"))]);
    case.call(3, false);
    case.up_again();
    assert_eq!(case.publish(), [2, 3], "in the order in which they were made");
    assert_eq!(case.calls.replied(2, 2), Some(Replied { waiter: 2, repeated: true }));
}

#[test]
fn what_has_channels_closed_fails_in_the_end() {
    let mut case = Case::up();
    case.call(1, true);
    for closure in 1..=MOST_CLOSURES {
        assert_eq!(case.publish(), [1]);
        case.calls.lose(&Failure::channel("no exchange"));
        case.up_again();
        let expected = [(1, lost("no exchange"))];
        case.check(if closure < MOST_CLOSURES { &[] } else { &expected });
    }
}

#[test]
fn a_blocked_broker_fails_what_is_not_sent() {
    let mut case = Case::up();
    case.call(1, false);
    assert_eq!(case.publish(), [1]);
    case.call(2, false);
    case.calls.set_blocked(Some("memory".to_owned()));
    case.call(3, false);
    let blocked = || Outcome::Blocked("memory".to_owned());
    case.check(&[(2, blocked()), (3, blocked())]);
    case.calls.set_blocked(None);
    case.call(4, false);
    assert_eq!(case.publish(), [4]);
    assert!(case.calls.replied(1, 1).is_some(), "what is in flight goes on");
}

#[test]
fn a_send_is_accepted_returned_or_rejected_by_its_confirm() {
    let mut case = Case::up();
    for number in 1..=3 {
        case.enter(number, false, request(false));
    }
    case.publish();
    case.calls.returned(2, case.now);
    case.calls.confirmed((2, true, true), case.now);
    case.calls.confirmed((3, false, false), case.now);
    case.check(&[(1, Outcome::Accepted), (2, Outcome::Unroutable), (3, Outcome::Overloaded)]);
}

#[test]
fn a_full_queue_is_noticed_and_from_then_on_by_every_call() {
    let mut case = Case::up();
    case.call(1, false);
    case.call(2, false);
    assert_eq!(case.next().unwrap().via, Via::Confirming);
    assert!(case.next().is_none(), "the second would overtake the first");
    case.calls.confirmed((1, false, false), case.now);
    case.check(&[(1, Outcome::Overloaded)]);
    assert_eq!(case.next().unwrap().via, Via::Confirming);
    case.call(3, false);
    assert_eq!(case.next().unwrap().via, Via::Confirming);
    case.calls.confirmed((3, true, true), case.now);
    case.call(4, false);
    assert_eq!(case.next().unwrap().via, Via::Plain);
}

#[test]
fn a_call_waits_for_its_exchange_and_holds_up_no_other() {
    let mut case = Case::up();
    let elsewhere = || Outbound { exchange: "elsewhere".into(), ..request(true) };
    case.enter(1, false, elsewhere());
    case.enter(2, false, elsewhere());
    case.call(3, false);
    assert_eq!(case.publish(), [3]);
    assert_eq!(
        case.calls.take_to_ask(),
        [PublishCheck { exchange: "elsewhere".into(), routing_key: "math".into(), bytes: 0 }]
    );
    case.calls.answered(1, &"elsewhere".into(), &checked(Presence::Present));
    assert_eq!(case.publish(), [1, 2]);
    case.enter(4, false, Outbound { exchange: "nowhere".into(), ..request(true) });
    case.calls.answered(1, &"nowhere".into(), &checked(Presence::Missing));
    case.check(&[(4, Outcome::Unroutable)]);
}

#[test]
fn what_is_larger_than_all_before_waits_until_it_is_known_to_be_taken() {
    let mut case = Case::up();
    let large = |bytes: usize| Outbound { body: vec![0; bytes], ..request(true) };
    case.enter(1, false, large(200 << 10));
    case.enter(2, false, request(true));
    case.enter(3, false, large(300 << 10));
    assert!(case.publish().is_empty(), "none overtakes another");
    assert_eq!(
        case.calls.take_to_ask(),
        [PublishCheck { exchange: EXCHANGE.into(), routing_key: "math".into(), bytes: 200 << 10 }]
    );
    let sizes = MessageSizes::known(0, Some(250 << 10));
    case.calls.answered(1, &EXCHANGE.into(), &Checked { presence: Presence::Present, sizes });
    let why = sizes.too_large("the request", 300 << 10);
    case.check(&[(3, Outcome::Denied(why.clone()))]);
    assert_eq!(case.publish(), [1, 2]);
    case.enter(4, false, large(300 << 10));
    case.check(&[(4, Outcome::Denied(why))]);
}

#[test]
fn headers_that_do_not_fit_into_a_frame_of_this_connection_cost_their_call_only() {
    let mut case = Case::up();
    let mut headers = crate::message::Headers::new();
    headers.set("large", "x".repeat(4000));
    case.enter(1, false, Outbound { headers: Arc::new(headers), ..request(true) });
    case.call(2, false);
    assert_eq!(case.publish(), [2]);
    let [(1, Outcome::Denied(why))] = &case.calls.take_decided()[..] else { panic!("it has another outcome") };
    assert!(why.contains("at most 3788 fit into a frame"), "{why}");
}

#[test]
fn a_question_that_was_lost_with_its_link_is_asked_again() {
    let mut case = Case::up();
    case.enter(1, false, Outbound { exchange: "elsewhere".into(), ..request(true) });
    assert_eq!(case.calls.take_to_ask().len(), 1);
    case.calls.lose(&Failure::connection("gone"));
    case.up_again();
    case.calls.answered(1, &"elsewhere".into(), &checked(Presence::Missing));
    case.check(&[]);
    assert_eq!(case.calls.take_to_ask().len(), 1);
}

#[test]
fn what_waits_is_bounded_and_one_always_may() {
    let mut case = Case::down();
    let large = || Outbound { body: vec![0; 2 << 20], ..request(true) };
    case.enter(1, false, large());
    let deadline = case.now + SECOND;
    let request = Arc::new(large());
    let call = NewCall { waiter: 2, request, deadline, idempotent: false, expires: None, coalescing: None };
    assert!(matches!(case.calls.enter(2, call, MOST), Err(QueueFull { bytes }) if bytes > MOST));
    case.calls.forget(1);
    case.enter(3, false, large());
}

#[test]
fn what_could_not_be_handed_over_keeps_its_turn() {
    let mut case = Case::up();
    case.call(1, false);
    case.call(2, false);
    let publication = case.next().unwrap();
    case.calls.set_down("broken");
    case.calls.unpublished(publication);
    assert!(case.publish().is_empty());
    case.calls.lose(&Failure::connection("broken"));
    case.up_again();
    assert_eq!(case.publish(), [1, 2]);
    assert_eq!(case.calls.replied(2, 1), Some(Replied { waiter: 1, repeated: false }));
}

#[test]
fn a_link_is_not_given_up_for_a_stuck_queue_while_another_answers() {
    let mut case = Case::up();
    case.enter(1, false, request(false));
    case.enter(2, false, Outbound { routing_key: "other".into(), ..request(true) });
    case.publish();
    let later = case.now + 6 * SECOND;
    let stuck = case.calls.stuck(later).unwrap();
    assert!(stuck.reads_on && stuck.is_spared);
    case.calls.replied(1, 2);
    assert!(!case.calls.stuck(later).unwrap().is_spared);
}
