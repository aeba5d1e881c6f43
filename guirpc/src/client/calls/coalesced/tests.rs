//! Single cases of calls that travel together.

use std::time::Duration;

use super::super::tests::{Case, checked, request};
use super::super::{Publication, Replied};
use super::*;
use crate::broker::{Checked, EXCHANGE, Failure, MessageSizes, Outbound, Presence};
use crate::client::outcome::tests::encoded;
use crate::client::window::Via;
use crate::config::Coalescing;

const MILLISECOND: Duration = Duration::from_millis(1);

impl Case {
    /// With a link, on which calls to a queue wait while two messages are unanswered.
    fn coalescing() -> Self {
        let mut case = Case::up();
        case.coalescing = Some(Coalescing::default().window(2).max_calls(4));
        case
    }

    fn calls(&mut self, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|number| self.call(number, false));
    }

    /// What can be published, to a broker that confirms everything at once, by the calls in each message.
    fn messages(&mut self) -> Vec<Vec<u64>> {
        self.publications().iter().map(Publication::calls).collect()
    }

    /// As many as there is room for.
    fn fill_window(&mut self) {
        self.calls([1, 2]);
        assert_eq!(self.messages(), [[1], [2]]);
    }

    #[track_caller]
    fn reply(&mut self, number: u64) {
        assert!(self.calls.replied(self.calls.generation(), number).is_some());
    }

    /// The calls 3 to 6, in one message, which the broker has not confirmed.
    fn four_together(&mut self) -> Publication {
        self.fill_window();
        self.calls(3..=6);
        let publication = self.next().unwrap();
        assert_eq!((publication.calls(), publication.via), (vec![3, 4, 5, 6], Via::Confirming));
        publication
    }
}

#[test]
fn calls_wait_for_each_other_while_others_are_unanswered() {
    let mut case = Case::coalescing();
    case.fill_window();
    case.calls([3, 4, 5]);
    assert!(case.messages().is_empty());
    case.reply(2);
    assert_eq!(case.messages(), [[3, 4, 5]]);
    case.calls([6]);
    assert!(case.messages().is_empty());
    case.reply(3);
    case.reply(4);
    assert!(case.messages().is_empty(), "the slowest call is not answered");
    case.reply(5);
    assert_eq!(case.messages(), [[6]], "one by itself is an ordinary call");
}

#[test]
fn one_caller_waits_for_nothing_and_wakes_nobody() {
    let mut case = Case::coalescing();
    for number in 1..100 {
        case.calls([number]);
        assert_eq!(case.messages(), [[number]]);
        assert!(!case.calls.is_due_earlier());
        case.reply(number);
    }
}

#[test]
fn a_full_message_leaves_at_once() {
    let mut case = Case::coalescing();
    case.fill_window();
    case.calls(3..=11);
    assert_eq!(case.messages(), [[3, 4, 5, 6], [7, 8, 9, 10]]);
    let max_bytes = 2 * request(true).coalesced_bytes() + 50;
    case.coalescing = Some(Coalescing::default().window(1).max_bytes(max_bytes));
    let large = |bytes: usize| Outbound { body: vec![0; bytes], ..request(true) };
    case.calls([21, 22]);
    assert_eq!(case.messages(), [[21]]);
    case.enter(23, false, large(50));
    case.calls([24]);
    assert_eq!(case.messages(), [[22, 23]], "with 24 it would be too large");
    case.enter(25, false, large(max_bytes));
    assert_eq!(case.messages(), [[25]], "what is too large by itself waits for nobody");
}

#[test]
fn no_call_waits_longer_than_it_may() {
    let mut case = Case::coalescing();
    case.fill_window();
    case.calls([3, 4]);
    assert!(case.messages().is_empty() && case.calls.is_due_earlier());
    assert_eq!(case.calls.next_look(), Some(case.now + MILLISECOND));
    case.calls([5]);
    assert!(case.messages().is_empty() && !case.calls.is_due_earlier(), "the driver looks in time");
    case.now += MILLISECOND;
    assert_eq!(case.messages(), [[3, 4, 5]]);
    assert_eq!(case.calls.next_look(), None);
}

#[test]
fn a_call_that_has_no_time_to_wait_does_not() {
    let mut case = Case::coalescing();
    case.coalescing = Some(Coalescing::default().window(1).linger(Duration::from_mins(1)));
    case.calls([1, 2]);
    assert_eq!(case.messages(), [[1], [2]], "they have ten seconds");
}

#[test]
fn calls_of_another_queue_or_priority_travel_apart() {
    let mut case = Case::coalescing();
    case.fill_window();
    case.enter(3, false, Outbound { priority: Some(1), ..request(true) });
    case.enter(4, false, Outbound { routing_key: "other".into(), ..request(true) });
    case.enter(5, false, Outbound { app_id: Some("shop".into()), ..request(true) });
    case.enter(6, false, Outbound { routing_key: "x".repeat(255).into(), ..request(true) });
    assert_eq!(case.messages(), [[3], [4], [5], [6]]);
    // A name for the queue of coalesced calls would be longer than AMQP allows.
    case.enter(7, false, Outbound { routing_key: "x".repeat(255).into(), ..request(true) });
    case.enter(8, false, Outbound { routing_key: "x".repeat(255).into(), ..request(true) });
    assert_eq!(case.messages(), [[7], [8]]);
}

#[test]
fn what_no_server_takes_together_is_called_singly_and_tried_again_later() {
    let mut case = Case::coalescing();
    let message = case.four_together();
    case.calls([7]);
    assert!(case.messages().is_empty());
    case.calls.returned(message.number, case.now);
    assert!(case.messages().is_empty(), "it is told with the confirm");
    case.calls.confirmed((case.last_tag, true, true), case.now);
    case.check(&[]);
    assert_eq!(case.messages(), [[3], [4], [5], [6], [7]]);
    case.calls([8]);
    assert_eq!(case.messages(), [[8]]);
    case.now += Duration::from_secs(10);
    case.calls(11..=14);
    assert_eq!(case.messages(), [[11, 12, 13, 14]]);
}

#[test]
fn what_is_refused_as_a_whole_was_not_run_and_is_called_singly() {
    let mut case = Case::coalescing();
    let message = case.four_together().number;
    case.calls.forget(4);
    case.reply(3);
    assert!(case.calls.message_replied(1, message, &Ok(encoded(ReplyKind::Refusal, 413)), case.now));
    assert_eq!(case.messages(), [[5], [6]]);
    case.check(&[]);
}

#[test]
fn what_may_have_run_is_not_made_again_whatever_the_server_says_of_the_whole() {
    let mut case = Case::coalescing();
    let message = case.four_together().number;
    let mut refusal = encoded(ReplyKind::Refusal, 400);
    refusal.note_attempts(1);
    assert!(case.calls.message_replied(1, message, &Ok(refusal.clone()), case.now));
    case.check(&[3, 4, 5, 6].map(|number| (number, Outcome::Reply(refusal.clone()))));
    assert!(case.messages().is_empty());
}

#[test]
fn what_may_be_repeated_is_called_singly_when_its_message_is_refused_later() {
    let mut case = Case::coalescing();
    case.fill_window();
    (3..=6).for_each(|number| case.call(number, number % 2 == 1));
    let message = case.next().unwrap().number;
    let mut refusal = encoded(ReplyKind::Refusal, 413);
    refusal.note_attempts(1);
    assert!(case.calls.message_replied(1, message, &Ok(refusal.clone()), case.now));
    case.check(&[4, 6].map(|number| (number, Outcome::Reply(refusal.clone()))));
    assert_eq!(case.messages(), [[3], [5]]);
}

#[test]
fn a_queue_that_is_full_rejects_all_calls_of_a_message() {
    let mut case = Case::coalescing();
    case.four_together();
    case.calls.confirmed((case.last_tag, false, false), case.now);
    case.check(&[3, 4, 5, 6].map(|number| (number, Outcome::Overloaded)));
}

#[test]
fn a_lost_link_is_each_calls_own() {
    let mut case = Case::coalescing();
    case.fill_window();
    for number in 3..=6 {
        case.call(number, number % 2 == 0);
    }
    assert_eq!(case.messages(), [[3, 4, 5, 6]]);
    case.calls([7, 8]);
    assert!(case.messages().is_empty());
    case.calls.lose(&Failure::connection("gone"));
    let mut decided = case.calls.take_decided();
    decided.sort_by_key(|(number, _)| *number);
    assert_eq!(decided, [1, 2, 3, 5].map(|number| (number, Outcome::Lost("gone".to_owned()))));
    case.up_again();
    assert_eq!(case.messages(), [[4], [6]], "the window is empty, and 7 and 8 wait for each other");
    case.now += MILLISECOND;
    assert_eq!(case.messages(), [[7, 8]]);
    assert_eq!(case.calls.replied(2, 4), Some(Replied { waiter: 4, repeated: true }));
    assert_eq!(case.calls.replied(2, 7), Some(Replied { waiter: 7, repeated: false }));
}

#[test]
fn whoever_gives_up_leaves_the_message() {
    let mut case = Case::coalescing();
    case.fill_window();
    case.calls([3, 4, 5]);
    assert!(case.messages().is_empty());
    case.calls.forget(3);
    case.calls.expire(4);
    assert!(matches!(case.calls.take_decided()[..], [(4, Outcome::NotSent(_))]));
    case.now += MILLISECOND;
    assert_eq!(case.messages(), [[5]]);
    case.calls([6]);
    assert!(case.messages().is_empty());
    case.calls.forget(6);
    assert_eq!(case.calls.next_look(), None, "nobody waits");
}

#[test]
fn what_could_not_be_handed_over_together_keeps_its_turn() {
    let mut case = Case::coalescing();
    let message = case.four_together();
    case.calls.set_down("broken");
    case.calls.unpublished(message);
    case.calls.lose(&Failure::connection("broken"));
    case.calls.take_decided();
    case.calls([7]);
    case.up_again();
    assert_eq!(case.messages(), [vec![3], vec![4]]);
    case.now += MILLISECOND;
    assert_eq!(case.messages(), [[5, 6, 7]]);
}

#[test]
fn a_blocked_broker_fails_calls_that_wait_for_others() {
    let mut case = Case::coalescing();
    let message = case.four_together();
    case.calls([7]);
    assert!(case.messages().is_empty());
    case.calls.set_blocked(Some("memory".to_owned()));
    let blocked = |number: u64| (number, Outcome::Blocked("memory".to_owned()));
    case.check(&[blocked(7)]);
    assert_eq!(case.calls.next_look(), None);
    case.calls.returned(message.number, case.now);
    case.calls.confirmed((case.last_tag, true, true), case.now);
    case.check(&[3, 4, 5, 6].map(blocked));
}

#[test]
fn a_message_that_is_too_large_for_the_broker_is_sent_in_pieces() {
    let mut case = Case::coalescing();
    case.fill_window();
    let sizes = MessageSizes::known(0, Some(300));
    case.calls.answered(1, &EXCHANGE.into(), &Checked { presence: Presence::Present, sizes });
    case.calls(3..=6);
    assert_eq!(case.messages(), [[3], [4], [5], [6]]);
}

#[test]
fn a_message_that_is_larger_than_all_before_is_tried_first() {
    let mut case = Case::coalescing();
    case.fill_window();
    let large = || Outbound { body: vec![0; 15 << 10], ..request(true) };
    for number in 3..=6 {
        case.enter(number, false, large());
    }
    case.coalescing = Some(Coalescing::default().window(2).max_calls(4).max_bytes(1 << 20));
    for number in 11..=16 {
        case.enter(number, false, Outbound { body: vec![0; 50 << 10], ..request(true) });
    }
    assert_eq!(case.messages(), [vec![3, 4, 5, 6], vec![11], vec![12]]);
    let questions = case.calls.take_to_ask();
    assert_eq!(questions.len(), 1);
    assert!(&*questions[0].routing_key == "math.calls" && questions[0].bytes > 200 << 10, "{questions:?}");
    case.calls.answered(
        1,
        &EXCHANGE.into(),
        &Checked { sizes: MessageSizes::known(1 << 20, None), ..checked(Presence::Present) },
    );
    assert_eq!(case.messages(), [[13, 14, 15, 16]]);
}
