//! Whatever happens in whatever order: each call has one outcome, nothing that may run once is in flight twice, and who is
//! told that nothing ran is told the truth.

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{checked, request};
use super::*;
use crate::broker::{EXCHANGE, Failure, Limits, MessageSizes};
use crate::client::outcome::tests::encoded;
use crate::message::{EncodedReply, ReplyKind};

mod world;

use world::{InFlight, World};

#[derive(Clone, Debug)]
enum Step {
    Enter {
        idempotent: bool,
        wants_reply: bool,
        elsewhere: bool,
        expires_in: u64,
        large: bool,
        coalesced: bool,
    },
    /// Calls that may travel together, whether idempotent, and a broker that does what is expected of it.
    Burst(Vec<bool>),
    Publish(usize),
    /// Handing over fails.
    Unpublished,
    Probe,
    Probed,
    Reply(usize, Answer),
    /// To a coalesced message as a whole.
    ReplyToAll(usize, Answer),
    Return(usize),
    /// The broker confirms some of what it has got, from the first that is open.
    Confirm {
        up_to: usize,
        multiple: bool,
        accepted: bool,
    },
    Answer(u8),
    Up(bool),
    Blocked(bool),
    Lose(bool),
    /// So many milliseconds pass.
    Expire(u64),
    Forget(usize),
}

/// What a server replies.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// It was run.
    Output,
    /// It was not run, neither on this delivery nor on one before.
    Refusal,
    /// It was not run on this delivery.
    RefusalLater,
}

impl Answer {
    fn reply(self) -> EncodedReply {
        let (kind, status) = match self {
            Answer::Output => (ReplyKind::Output, 200),
            Answer::Refusal | Answer::RefusalLater => (ReplyKind::Refusal, 408),
        };
        let mut reply = encoded(kind, status);
        reply.note_attempts(u32::from(matches!(self, Answer::RefusalLater)));
        reply
    }
}

/// Few calls make a message, and few messages have others wait.
fn coalescing() -> Coalescing {
    Coalescing::default().window(2).max_calls(4).linger(Duration::from_millis(500))
}

fn burst() -> impl Strategy<Value = Step> {
    vec(any::<bool>(), 1..16).prop_map(Step::Burst)
}

fn step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![Just(Answer::Output), Just(Answer::Refusal), Just(Answer::RefusalLater)];
    let some = 0_usize..8;
    prop_oneof![
        12 => (
            any::<bool>(),
            prop::bool::weighted(0.7),
            prop::bool::weighted(0.2),
            0_u64..5000,
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.7),
        )
            .prop_map(|(idempotent, wants_reply, elsewhere, expires_in, large, coalesced)| Step::Enter {
                idempotent, wants_reply, elsewhere, expires_in, large, coalesced: coalesced && wants_reply
            }),
        8 => (1_usize..8).prop_map(Step::Publish),
        1 => Just(Step::Unpublished),
        2 => Just(Step::Probe),
        2 => Just(Step::Probed),
        5 => (some.clone(), answer.clone()).prop_map(|(some, answer)| Step::Reply(some, answer)),
        1 => (some.clone(), answer).prop_map(|(some, answer)| Step::ReplyToAll(some, answer)),
        2 => some.clone().prop_map(Step::Return),
        4 => (some.clone(), any::<bool>(), prop::bool::weighted(0.7))
            .prop_map(|(up_to, multiple, accepted)| Step::Confirm { up_to, multiple, accepted }),
        2 => (0_u8..4).prop_map(Step::Answer),
        4 => prop::bool::weighted(0.2).prop_map(Step::Up),
        1 => any::<bool>().prop_map(Step::Blocked),
        2 => any::<bool>().prop_map(Step::Lose),
        2 => (0_u64..2000).prop_map(Step::Expire),
        2 => some.prop_map(Step::Forget),
    ]
}

/// What waits is where it will be found.
fn check_waiting(calls: &Calls<u64>) -> Result<(), TestCaseError> {
    let is_listed = |number: u64| {
        let mut lists = calls.asking.values().flatten().chain(calls.held.values().flatten());
        calls.queue.contains(number) || lists.any(|other| *other == number)
    };
    for (number, call) in calls.open.iter().filter(|(_, call)| call.stage == Stage::Queued) {
        let is_found = match call.place {
            Some(Place::Within(message)) => calls.batches.will_be_closed(message) || is_listed(message),
            Some(Place::Alone(_)) => false,
            None => is_listed(*number),
        };
        prop_assert!(is_found, "{number} waits for ever: {call:?}");
    }
    Ok(())
}

/// The calls, and the world around them.
struct Model {
    calls: Calls<u64>,
    world: World,
    now: Instant,
    last: u64,
}

impl Model {
    fn enter(&mut self, mut request: Outbound, idempotent: bool, expires_in: u64, coalesced: bool) {
        self.last += 1;
        request.priority = expires_in.is_multiple_of(10).then_some(1);
        let (waiter, deadline) = (self.last, self.now + Duration::from_millis(expires_in));
        let (request, coalescing) = (Arc::new(request), coalesced.then(coalescing));
        let call = NewCall { waiter, request, deadline, idempotent, expires: None, coalescing };
        if self.calls.enter(waiter, call, 1 << 20).is_ok() {
            self.world.open.insert(waiter, idempotent);
            self.calls.watch(waiter);
        }
    }

    /// False if there was nothing to publish.
    fn publish(&mut self) -> Result<bool, TestCaseError> {
        let Model { calls, world, now, .. } = self;
        let Some(it) = calls.next_publication(*now) else { return Ok(false) };
        prop_assert!(world.is_up);
        let (message, is_call, numbers) = (it.number, it.is_call(), it.calls());
        prop_assert!(!is_message(message) || (2..=4).contains(&numbers.len()), "{numbers:?}");
        for number in &numbers {
            prop_assert!(!world.in_flight.iter().any(|it| it.calls.contains(number)));
            world.published.insert(*number);
            let may_have_run = world.may_have_run.entry(*number).or_default();
            *may_have_run += 1;
            prop_assert!(*may_have_run == 1 || world.open[number], "{number} may not run twice");
        }
        let is_counted = calls.open[&numbers[0]].place.is_some();
        world.in_flight.push(InFlight { message, calls: numbers, is_call, is_counted });
        world.confirmable(it.via, Some(message));
        Ok(true)
    }

    fn confirm(&mut self, (tag, multiple, accepted): (u64, bool, bool)) {
        self.calls.confirmed((tag, multiple, accepted), self.now);
        let is_open = |other: &u64| *other > tag || (!multiple && *other != tag);
        let world = &mut self.world;
        for message in world.tags.extract_if(.., |other, _| !is_open(other)).filter_map(|(_, message)| message) {
            // The calls of one that was returned wait for their turn by now.
            world.in_flight.retain(|it| it.message != message || !world.returned.contains(&message));
        }
    }

    fn answer(&mut self, checked: &Checked) {
        self.calls.take_to_ask();
        for exchange in [EXCHANGE, "elsewhere"] {
            self.calls.answered(self.world.generation, &exchange.into(), checked);
        }
    }

    /// A broker does what is expected of it.
    fn run(&mut self) -> Result<(), TestCaseError> {
        loop {
            self.answer(&Checked { presence: Presence::Present, sizes: MessageSizes::known(1 << 20, None) });
            let is_published = self.publish()?;
            let is_confirmed = self.world.tags.last_key_value().map(|(tag, _)| (*tag, true, true));
            if let Some(confirm) = is_confirmed {
                self.confirm(confirm);
            }
            self.settle()?;
            if !is_published && is_confirmed.is_none() {
                return Ok(());
            }
        }
    }

    fn reply(&mut self, some: usize, answer: Answer) -> Result<(), TestCaseError> {
        let Model { calls, world, .. } = self;
        let waiting: Vec<u64> = world.with_servers().flat_map(|it| it.calls.clone()).collect();
        let Some(number) = waiting.get(some) else { return Ok(()) };
        let Replied { waiter, repeated } = calls.replied(world.generation, *number).expect("it is in flight");
        prop_assert_eq!(repeated, world.repeated.contains(number));
        prop_assert!(world.open.remove(&waiter).is_some());
        if let Answer::Refusal = answer {
            world.not_run(waiter);
        }
        world.check_told(waiter, Outcome::Reply(answer.reply()).of_call(repeated))?;
        world.land(*number);
        Ok(())
    }

    fn reply_to_all(&mut self, some: usize, answer: Answer) -> Result<(), TestCaseError> {
        let Model { calls, world, now, .. } = self;
        let message = world.with_servers().filter(|it| is_message(it.message)).nth(some);
        let Some((message, numbers)) = message.map(|it| (it.message, it.calls.clone())) else { return Ok(()) };
        let (generation, reply) = (world.generation, Ok(answer.reply()));
        prop_assert!(!calls.message_replied(generation + 1, message, &reply, *now));
        prop_assert!(calls.message_replied(generation, message, &reply, *now));
        prop_assert!(!calls.message_replied(generation, message, &reply, *now), "it is answered");
        for number in numbers {
            match answer {
                Answer::Refusal => world.not_run(number),
                Answer::RefusalLater if world.open.get(&number) == Some(&true) => {
                    world.repeated.insert(number);
                }
                Answer::Output | Answer::RefusalLater => continue,
            }
            world.land(number);
        }
        Ok(())
    }

    fn return_one(&mut self, some: usize) {
        let Model { calls, world, now, .. } = self;
        let message = world.in_flight.get(some).map(|it| (it.message, it.calls.clone()));
        let Some((message, numbers)) = message else { return };
        let is_new = world.returned.insert(message);
        // Else it is told with its confirm.
        let is_over = calls.flight(message).is_some_and(|flight| flight.via == Via::Plain);
        calls.returned(message, *now);
        for number in numbers {
            if is_new {
                world.not_run(number);
            }
            if is_over {
                world.land(number);
            }
        }
    }

    fn lose(&mut self, failure: &Failure) {
        self.calls.lose(failure);
        self.world.repeated.extend(self.world.in_flight.iter().flat_map(|it| &it.calls));
        self.world.clear();
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let Model { calls, world, now, .. } = self;
        match step {
            Step::Enter { idempotent, wants_reply, elsewhere, expires_in, large, coalesced } => {
                let mut request = request(wants_reply);
                if elsewhere {
                    request.exchange = "elsewhere".into();
                }
                if large {
                    request.body = vec![0; 300 << 10];
                }
                self.enter(request, idempotent, expires_in, coalesced && wants_reply);
            }
            Step::Burst(many) => {
                for idempotent in many {
                    self.enter(request(true), idempotent, 1000, true);
                }
                self.run()?;
            }
            Step::Publish(some) => {
                for _ in 0..some {
                    self.publish()?;
                }
            }
            Step::Unpublished => {
                if let Some(it) = calls.next_publication(*now) {
                    calls.set_down("broken");
                    calls.unpublished(it);
                    self.lose(&Failure::connection("broken"));
                }
            }
            Step::Probe => {
                if let Some(via) = calls.next_probe(*now) {
                    world.probes.push(via);
                    world.confirmable(via, None);
                }
            }
            Step::Probed => {
                if let Some(via) = world.probes.pop() {
                    calls.probed(via);
                }
            }
            Step::Reply(some, answer) => self.reply(some, answer)?,
            Step::ReplyToAll(some, answer) => self.reply_to_all(some, answer)?,
            Step::Return(some) => self.return_one(some),
            Step::Confirm { up_to, multiple, accepted } => {
                if let Some(tag) = world.tags.keys().nth(up_to).copied() {
                    self.confirm((tag, multiple, accepted));
                }
            }
            Step::Answer(answer) => {
                let (presence, sizes) = match answer {
                    0 => (Presence::Present, MessageSizes::known(1 << 20, None)),
                    1 => (Presence::Present, MessageSizes::known(0, Some(200))),
                    2 => (Presence::Missing, MessageSizes::default()),
                    _ => (Presence::Unanswered, MessageSizes::default()),
                };
                self.answer(&Checked { presence, sizes });
            }
            Step::Up(blocked) => {
                if !world.is_up {
                    calls.up(blocked.then(|| "memory".to_owned()), Limits::default());
                    world.generation = calls.generation();
                    world.is_up = true;
                    calls.answered(world.generation, &EXCHANGE.into(), &checked(Presence::Present));
                }
            }
            Step::Blocked(blocked) => calls.set_blocked(blocked.then(|| "memory".to_owned())),
            Step::Lose(channel) => {
                self.lose(&if channel { Failure::channel("gone") } else { Failure::connection("gone") });
            }
            Step::Expire(milliseconds) => {
                *now += Duration::from_millis(milliseconds);
                calls.expired(*now);
                prop_assert!(calls.next_deadline().is_none_or(|next| next > *now));
            }
            Step::Forget(some) => {
                if let Some(number) = world.open.keys().nth(some).copied() {
                    calls.forget(number);
                    world.open.remove(&number);
                    world.land(number);
                }
            }
        }
        self.settle()
    }

    /// Whoever has an outcome is told, and everything else is where it belongs.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        let Model { calls, world, .. } = self;
        world.decided(calls)?;
        let known: BTreeSet<u64> = calls.open.keys().copied().collect();
        prop_assert_eq!(known, world.open.keys().copied().collect::<BTreeSet<_>>(), "one is lost");
        let queued: u64 = calls.open.values().filter(|call| call.stage == Stage::Queued).map(|call| call.bytes).sum();
        prop_assert_eq!(calls.queued_bytes, queued);
        prop_assert_eq!(calls.batches.unanswered(), world.in_flight.iter().filter(|it| it.is_counted).count());
        check_waiting(calls)
    }
}

fn check(steps: impl IntoIterator<Item = Step>) -> Result<(), TestCaseError> {
    let (calls, world) = (Calls::new("not yet"), World::default());
    let mut model = Model { calls, world, now: Instant::now(), last: 0 };
    for step in steps {
        model.step(step)?;
    }
    model.calls.close("closed");
    model.world.decided(&mut model.calls)?;
    prop_assert!(model.world.open.is_empty(), "{:?} have no outcome", model.world.open);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn each_call_has_one_outcome_and_is_in_flight_once_unless_idempotent(steps in vec(step(), 0..80)) {
        check(steps)?;
    }

    /// The same where there is a link, and calls travel together.
    #[test]
    fn calls_that_travel_together_have_an_outcome_each(
        steps in vec(prop_oneof![3 => burst(), 5 => step()], 1..60),
    ) {
        check(iter::once(Step::Up(false)).chain(steps))?;
    }
}
