//! Who leads, step by step; the models have the threads in all orders.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::leader::Leadership;

/// Long enough that a thread that could go on has gone on.
const MOMENT: Duration = Duration::from_millis(50);

/// A worker that asks for the lead, and where it says that it has it.
fn worker(leadership: &Arc<Leadership<&'static str>>) -> mpsc::Receiver<Option<&'static str>> {
    let (tell, told) = mpsc::channel();
    let leadership = Arc::clone(leadership);
    thread::spawn(move || tell.send(leadership.take_lead().map(|session| *session)));
    told
}

#[test]
fn one_worker_leads_at_a_time() {
    let leadership = Arc::new(Leadership::new());
    leadership.assign(Arc::new("first"));
    assert_eq!(leadership.take_lead().as_deref(), Some(&"first"));
    let follower = worker(&leadership);
    assert!(follower.recv_timeout(MOMENT).is_err(), "two lead");
    leadership.release_lead();
    assert_eq!(follower.recv(), Ok(Some("first")));
}

#[test]
fn a_leader_that_is_held_up_loses_the_lead() {
    let leadership = Arc::new(Leadership::new());
    leadership.assign(Arc::new("first"));
    leadership.take_lead();
    let turn = leadership.begin_turn();
    assert_eq!(leadership.turn(), Some(turn));
    let follower = worker(&leadership);
    leadership.pass_lead_on(turn);
    assert_eq!(follower.recv(), Ok(Some("first")));
    assert!(!leadership.end_turn(turn), "the old leader leads as well");
}

#[test]
fn a_leader_that_is_back_in_time_keeps_the_lead() {
    let leadership = Arc::new(Leadership::new());
    leadership.assign(Arc::new("first"));
    leadership.take_lead();
    let turn = leadership.begin_turn();
    assert!(leadership.end_turn(turn));
    assert_eq!(leadership.turn(), None);
    let follower = worker(&leadership);
    leadership.pass_lead_on(turn);
    assert!(follower.recv_timeout(MOMENT).is_err(), "the lead was taken from a leader that had finished");
    leadership.dismiss();
    assert_eq!(follower.recv(), Ok(None));
}

#[test]
fn a_retired_session_is_not_led() {
    let leadership = Arc::new(Leadership::new());
    leadership.assign(Arc::new("first"));
    let first = leadership.take_lead().unwrap();
    leadership.retire(&first);
    let follower = worker(&leadership);
    assert!(follower.recv_timeout(MOMENT).is_err(), "a dead session is led");
    leadership.assign(Arc::new("second"));
    assert_eq!(follower.recv(), Ok(Some("second")));
}
