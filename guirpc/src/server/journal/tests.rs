//! What was answered is found again after a loss, and nothing else is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::codec::{self, Codec, Format};
use crate::message::{Dialect, Headers};

fn request(id: &str, body: &[u8]) -> Request {
    Request {
        correlation_id: Some(id.to_owned()),
        function: "add".to_owned(),
        body: body.to_vec(),
        ..Request::default()
    }
}

fn reply(text: &str) -> EncodedReply {
    codec::output(Format::Native(Codec::Text), 200, Headers::new(), &text.to_owned()).expect("a text")
}

fn after(seconds: u64, start: Instant) -> Instant {
    start + Duration::from_secs(seconds)
}

#[test]
fn nothing_is_looked_up_while_all_goes_well() {
    let mut journal = Journal::new(10, 10_000);
    journal.remember(request("1", b"x"), reply("a"));
    assert!(!journal.has_past(Instant::now()));
    assert!(journal.find(&request("1", b"x")).is_none(), "the broker has the acknowledgement");
}

#[test]
fn there_is_room_for_calls_that_came_together() {
    let (mut journal, start) = (Journal::new(1, 1_000_000), Instant::now());
    // Five messages of two, then three of one: the first have all the room that they ask for.
    for calls in [10, 3] {
        journal.make_room(calls);
    }
    for id in 0..12 {
        journal.remember(request(&id.to_string(), b"x"), reply("a"));
    }
    journal.session_lost(start);
    assert!(journal.find(&request("0", b"x")).is_none());
    assert!((1..12).all(|id| journal.find(&request(&id.to_string(), b"x")).is_some()));
}

#[test]
fn what_was_answered_is_found_after_a_loss_for_a_minute() {
    let (mut journal, start) = (Journal::new(10, 10_000), Instant::now());
    journal.remember(request("1", b"x"), reply("a"));
    journal.session_lost(start);
    journal.remember_lost(request("2", b"x"), reply("b"));
    assert!(journal.has_past(after(59, start)) && !journal.has_past(after(60, start)));
    assert_eq!(journal.find(&request("1", b"x")), Some(&reply("a")));
    assert_eq!(journal.find(&request("2", b"x")), Some(&reply("b")));
    journal.expire(after(59, start));
    assert!(journal.find(&request("1", b"x")).is_some());
    journal.expire(after(61, start));
    assert!(journal.find(&request("1", b"x")).is_none());
}

#[test]
fn another_request_of_the_same_id_is_not_taken_for_it() {
    let mut journal = Journal::new(10, 10_000);
    journal.remember(request("1", b"x"), reply("a"));
    journal.session_lost(Instant::now());
    assert!(journal.find(&request("1", b"y")).is_none());
    assert!(journal.find(&Request { function: "sub".to_owned(), ..request("1", b"x") }).is_none());
    let to_somebody_else = Request { reply_to: Some("strangers".to_owned()), ..request("1", b"x") };
    assert!(journal.find(&to_somebody_else).is_none(), "it would be answered in another's place");
    let other_type = Request { content_type: Some("application/json".to_owned()), ..request("1", b"x") };
    assert!(journal.find(&other_type).is_none());
    assert!(journal.find(&Request { dialect: Dialect::Python, ..request("1", b"x") }).is_none());
    let with = |name: &str| {
        let mut request = request("1", b"x");
        request.headers.set(name, 1);
        request
    };
    assert!(journal.find(&with("tenant")).is_none());
    assert!(journal.find(&with("guirpc-attempts")).is_some(), "the count of its deliveries makes it another");
    assert!(journal.find(&Request { correlation_id: None, ..request("1", b"x") }).is_none());
}

#[test]
fn what_was_put_back_on_purpose_is_found_at_once() {
    let mut journal = Journal::new(10, 10_000);
    journal.remember_requeued(request("1", b"x"), reply("a"));
    assert_eq!(journal.find(&request("1", b"x")), Some(&reply("a")));
}

#[test]
fn what_is_delivered_again_without_a_loss_is_found_if_the_broker_says_so() {
    let mut journal = Journal::new(10, 10_000);
    journal.remember(request("1", b"x"), reply("a"));
    assert!(journal.find(&request("1", b"x")).is_none(), "it is another one, by its caller's mistake");
    assert!(journal.find(&Request { redelivered: true, ..request("1", b"x") }).is_some());
}

#[test]
fn it_is_bounded_in_bytes() {
    let mut journal = Journal::new(100, 10 * (OVERHEAD + 1000));
    let body = vec![0; 990];
    for n in 0..30 {
        journal.remember(request(&n.to_string(), &body), reply("a"));
        assert!(journal.recent.size <= journal.limit && journal.recent.answers.len() <= 10);
    }
    for loss in 0..10 {
        journal.session_lost(Instant::now());
        assert!(journal.past_size <= journal.limit, "after loss {loss}");
        (0..10).for_each(|n| journal.remember(request(&format!("{loss}.{n}"), &body), reply("a")));
    }
    let mut off = Journal::new(100, 0);
    off.remember(request("1", b"x"), reply("a"));
    off.session_lost(Instant::now());
    assert!(off.find(&request("1", b"x")).is_none());
}

proptest! {
    /// As a model: a broker with a prefetch of P delivers again, after a loss, whatever it has no acknowledgement of.
    /// However many acknowledgements reach it before each loss, no request that was answered is run again.
    #[test]
    fn no_request_is_answered_by_two_runs(
        prefetch in 1..8_usize,
        losses in proptest::collection::vec((0..30_usize, 0..8_usize), 1..6),
    ) {
        let mut journal = Journal::new(prefetch, 1 << 20);
        let mut runs = BTreeMap::<u32, u32>::new();
        let mut unacknowledged: Vec<u32> = Vec::new();
        let mut next = 0;
        for (served, lost_acks) in losses {
            // What the broker delivers on this session: what comes again, and then new requests.
            let again = std::mem::take(&mut unacknowledged);
            let fresh: Vec<u32> = (next..).take(served).collect();
            next += u32::try_from(served).unwrap();
            let mut finished = Vec::new();
            for id in again.into_iter().chain(fresh) {
                let request = request(&id.to_string(), b"x");
                let answer = journal.find(&request).cloned().unwrap_or_else(|| {
                    *runs.entry(id).or_default() += 1;
                    reply("a")
                });
                journal.remember(request, answer);
                finished.push(id);
            }
            // Of what is finished, no more than it may hold is unacknowledged when the session is lost.
            let kept = finished.len() - lost_acks.min(prefetch).min(finished.len());
            unacknowledged = finished.split_off(kept);
            journal.session_lost(Instant::now());
        }
        prop_assert!(runs.values().all(|runs| *runs == 1), "{runs:?}");
    }
}
