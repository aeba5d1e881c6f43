//! Which channel a request goes by, and when it waits.

use super::*;
use crate::broker::Size;
use crate::client::calls::tests::{checked, request};

fn name(name: &'static str) -> Name {
    Name::from(name)
}

#[test]
fn an_exchange_is_asked_for_once_and_again_where_it_was_missing() {
    let mut routes = Routes::default();
    let request = request(true);
    let exchange = request.exchange.clone();
    assert_eq!([routes.access(&request), routes.access(&request)], [Access::Ask, Access::Asked]);
    routes.answered(&exchange, &checked(Presence::Missing));
    assert_eq!(routes.access(&request), Access::Ask);
    routes.answered(&exchange, &checked(Presence::Present));
    assert_eq!(routes.access(&request), Access::Open);
}

/// A route, and what is published on it.
struct Case {
    routes: Routes,
    window: Window,
    id: Option<RouteId>,
    now: Instant,
}

impl Case {
    fn new() -> Self {
        let mut routes = Routes::default();
        let id = routes.id(&name("guirpc"), &name("math"));
        assert_eq!(id, routes.id(&name("guirpc"), &name("math")));
        Case { routes, window: Window::default(), id, now: Instant::now() }
    }

    #[track_caller]
    fn publish(&mut self, via: Via) -> Mark {
        self.check(Turn::Now(via));
        let mark = self.window.publish(via, Size { bytes: 400, frames: 3 });
        self.routes.publish(self.id, via, mark, true, self.now);
        mark
    }

    #[track_caller]
    fn check(&self, turn: Turn) {
        assert_eq!(self.routes.turn(self.id, true, self.now, &self.window), turn);
    }

    #[track_caller]
    fn check_send(&self, turn: Turn) {
        assert_eq!(self.routes.turn(self.id, false, self.now, &self.window), turn);
    }
}

#[test]
fn calls_are_confirmed_by_sample_until_one_is_rejected() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, false, case.now);
    let mark = case.publish(Via::Plain);
    case.now += SAMPLE_EVERY;
    case.window.read(Via::Plain, mark);
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, true, case.now);
    case.publish(Via::Confirming);
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, false, case.now);
    case.check(Turn::Later);
    case.routes.confirmed(case.id, true, false, case.now);
    case.publish(Via::Plain);
}

#[test]
fn a_confirm_that_takes_long_holds_up_no_call_after_it() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    case.now += SAMPLE_EVERY * 2;
    case.check(Turn::Later);
    case.routes.confirmed(case.id, true, false, case.now);
    case.publish(Via::Plain);
    case.publish(Via::Plain);
}

#[test]
fn no_call_overtakes_an_earlier_one() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    case.check(Turn::Later);
    case.routes.confirmed(case.id, true, false, case.now);
    case.publish(Via::Plain);
    case.now += SAMPLE_EVERY;
    let mark = case.publish(Via::Plain);
    case.now += HOLD_EVERY;
    case.check(Turn::Later);
    case.window.read(Via::Plain, mark);
    case.publish(Via::Confirming);
}

#[test]
fn calls_and_sends_do_not_overtake_each_other_either() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, false, case.now);
    let mark = case.publish(Via::Plain);
    case.check_send(Turn::Later);
    case.window.read(Via::Plain, mark);
    case.check_send(Turn::Now(Via::Confirming));
    case.routes.publish(case.id, Via::Confirming, Mark::default(), false, case.now);
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, false, false, case.now);
    case.check(Turn::Later);
    case.routes.confirmed(case.id, true, false, case.now);
    case.publish(Via::Plain);
}

#[test]
fn what_has_no_order_waits_for_nothing_and_is_confirmed_by_sample() {
    let mut case = Case::new();
    let publish = |case: &mut Case| {
        let via = case.routes.unordered(case.id, case.now);
        case.routes.publish(case.id, via, Mark::default(), true, case.now);
        via
    };
    assert_eq!([publish(&mut case), publish(&mut case)], [Via::Confirming, Via::Plain]);
    case.routes.confirmed(case.id, true, true, case.now);
    assert_eq!([publish(&mut case), publish(&mut case)], [Via::Confirming; 2], "its queue is full");
    case.routes.confirmed(case.id, true, false, case.now);
    case.routes.confirmed(case.id, true, false, case.now);
    assert_eq!(publish(&mut case), Via::Plain);
    case.now += SAMPLE_EVERY;
    assert_eq!(publish(&mut case), Via::Confirming);
    assert_eq!(case.routes.unordered(None, case.now), Via::Confirming);
}

#[test]
fn a_queue_that_does_not_confirm_is_suspect() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    assert!(!case.routes.is_suspect(case.id, case.now));
    case.now += SLOW;
    assert!(case.routes.is_suspect(case.id, case.now));
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, false, case.now);
    assert!(!case.routes.is_suspect(case.id, case.now));
}

#[test]
fn what_is_not_answered_is_looked_into() {
    let mut case = Case::new();
    case.publish(Via::Confirming);
    case.routes.confirmed(case.id, true, false, case.now);
    let mark = case.publish(Via::Plain);
    case.routes.timed_out(case.id);
    case.check(Turn::Later);
    case.window.read(Via::Plain, mark);
    case.publish(Via::Confirming);
}

#[test]
fn what_is_known_is_bounded() {
    let mut routes = Routes::default();
    let ids = (0..2 * MOST).filter_map(|n| routes.id(&name(""), &n.to_string().into())).count();
    assert_eq!(ids, MOST);
    assert_eq!(routes.turn(None, true, Instant::now(), &Window::default()), Turn::Now(Via::Confirming));
}
