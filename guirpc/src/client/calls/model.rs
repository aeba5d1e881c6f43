//! Whatever happens in whatever order: each call has one outcome, nothing that may run once is in flight twice, and who is
//! told that nothing ran is told the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{checked, request};
use super::*;
use crate::broker::{EXCHANGE, Failure, Limits, MessageSizes};
use crate::client::outcome::tests::encoded;
use crate::client::outcome::{Told, decode_json};
use crate::message::ReplyKind;

#[derive(Clone, Debug)]
enum Step {
    Enter {
        idempotent: bool,
        wants_reply: bool,
        elsewhere: bool,
        expires_in: u64,
        large: bool,
    },
    Publish(usize),
    /// Handing over fails.
    Unpublished,
    Probe,
    Probed,
    Reply(usize, Answer),
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
    fn outcome(self) -> Outcome {
        let (kind, status) = match self {
            Answer::Output => (ReplyKind::Output, 200),
            Answer::Refusal | Answer::RefusalLater => (ReplyKind::Refusal, 408),
        };
        let mut reply = encoded(kind, status);
        reply.note_attempts(u32::from(matches!(self, Answer::RefusalLater)));
        Outcome::Reply(reply)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![Just(Answer::Output), Just(Answer::Refusal), Just(Answer::RefusalLater)];
    let some = 0_usize..8;
    prop_oneof![
        8 => (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), 0_u64..5000, prop::bool::weighted(0.2)).prop_map(
            |(idempotent, wants_reply, elsewhere, expires_in, large)| Step::Enter {
                idempotent, wants_reply, elsewhere, expires_in, large
            }
        ),
        8 => (1_usize..8).prop_map(Step::Publish),
        1 => Just(Step::Unpublished),
        2 => Just(Step::Probe),
        2 => Just(Step::Probed),
        5 => (some.clone(), answer).prop_map(|(some, answer)| Step::Reply(some, answer)),
        2 => some.clone().prop_map(Step::Return),
        4 => (some.clone(), any::<bool>(), prop::bool::weighted(0.7))
            .prop_map(|(up_to, multiple, accepted)| Step::Confirm { up_to, multiple, accepted }),
        2 => (0_u8..4).prop_map(Step::Answer),
        4 => prop::bool::weighted(0.2).prop_map(Step::Up),
        1 => any::<bool>().prop_map(Step::Blocked),
        2 => any::<bool>().prop_map(Step::Lose),
        2 => (0_u64..2000).prop_map(Step::Expire),
        1 => some.prop_map(Step::Forget),
    ]
}

/// What the world around the calls knows.
#[derive(Default)]
struct World {
    /// Those without an outcome, and whether they are idempotent.
    open: BTreeMap<u64, bool>,
    /// How often each was published.
    published: BTreeMap<u64, u32>,
    /// How often each was published and may have been run for that.
    may_have_run: BTreeMap<u64, u32>,
    /// What the broker has returned of what is in flight.
    returned: BTreeSet<u64>,
    /// What is in flight on the present link, in order, and what of it wants a reply.
    in_flight: Vec<(u64, Via, bool)>,
    /// The tags that are open, each with its number.
    tags: BTreeMap<u64, Option<u64>>,
    last_tag: u64,
    probes: Vec<Via>,
    generation: u64,
    is_up: bool,
}

impl World {
    fn confirmable(&mut self, via: Via, number: Option<u64>) {
        if via == Via::Confirming {
            self.last_tag += 1;
            self.tags.insert(self.last_tag, number);
        }
    }

    /// Whoever is told that nothing ran is told the truth.
    fn check_told(&self, number: u64, outcome: Outcome) -> Result<(), TestCaseError> {
        let shown = format!("{outcome:?}");
        let told = Told { service: "math", timeout: Duration::ZERO, idempotent: false, max_body: usize::MAX };
        let decoded = outcome.into_reply(told).map(|reply| reply.map(|reply| decode_json(Some(&reply)).map(drop)));
        let says_not_run = match decoded {
            Err(error) => !error.may_have_run(),
            Ok(Some(Err(error))) => !error.may_have_run(),
            Ok(Some(Ok(())) | None) => false,
        };
        let may_have_run = self.may_have_run.get(&number).is_some_and(|times| *times > 0);
        prop_assert!(!(says_not_run && may_have_run), "{number} may have run: {shown}");
        Ok(())
    }

    /// The last time that it was published it was certainly not run.
    fn not_run(&mut self, number: u64) {
        *self.may_have_run.entry(number).or_insert(1) -= 1;
    }

    fn clear(&mut self) {
        self.in_flight.clear();
        self.returned.clear();
        self.tags.clear();
        self.last_tag = 0;
        self.probes.clear();
        self.is_up = false;
    }

    /// Takes note of those that have an outcome: one each.
    fn decided(&mut self, calls: &mut Calls<u64>) -> Result<(), TestCaseError> {
        for (number, outcome) in calls.take_decided() {
            let open = self.open.remove(&number);
            prop_assert!(open.is_some(), "{number} has two outcomes, the second is {outcome:?}");
            let published = self.published.get(&number).copied().unwrap_or_default();
            match &outcome {
                Outcome::Lost(_) => prop_assert!(published > 0, "{number} was never published"),
                Outcome::NotSent(_) => prop_assert!(published == 0, "{number} was published"),
                Outcome::Blocked(_) | Outcome::Denied(_) => prop_assert!(published == 0, "{number} was published"),
                _ => {}
            }
            self.check_told(number, outcome)?;
            self.in_flight.retain(|(other, ..)| *other != number);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn each_call_has_one_outcome_and_is_in_flight_once_unless_idempotent(steps in vec(step(), 0..80)) {
        let start = Instant::now();
        let (mut calls, mut world, mut now, mut last) = (Calls::new("not yet"), World::default(), start, 0);
        for step in steps {
            match step {
                Step::Enter { idempotent, wants_reply, elsewhere, expires_in, large } => {
                    last += 1;
                    let mut request = request(wants_reply);
                    if elsewhere {
                        request.exchange = "elsewhere".into();
                    }
                    if large {
                        request.body = vec![0; 300 << 10];
                    }
                    let deadline = now + Duration::from_millis(expires_in);
                    let request = Arc::new(request);
                    let call = NewCall { waiter: last, request, deadline, idempotent, expires: None };
                    if calls.enter(last, call, 1 << 20).is_ok() {
                        world.open.insert(last, idempotent);
                        calls.watch(last);
                    }
                }
                Step::Publish(some) => {
                    for _ in 0..some {
                        let Some(it) = calls.next_publication(now) else { break };
                        prop_assert!(world.is_up);
                        prop_assert!(!world.in_flight.iter().any(|(number, ..)| *number == it.number));
                        let published = world.published.entry(it.number).or_default();
                        *published += 1;
                        prop_assert!(*published == 1 || world.open[&it.number], "{} may not run twice", it.number);
                        *world.may_have_run.entry(it.number).or_default() += 1;
                        world.in_flight.push((it.number, it.via, it.request.wants_reply));
                        world.confirmable(it.via, Some(it.number));
                    }
                }
                Step::Unpublished => {
                    if let Some(it) = calls.next_publication(now) {
                        calls.set_down("broken");
                        calls.unpublished(it);
                        let failure = Failure::connection("broken");
                        calls.lose(&failure);
                        world.clear();
                    }
                }
                Step::Probe => {
                    if let Some(via) = calls.next_probe(now) {
                        world.probes.push(via);
                        world.confirmable(via, None);
                    }
                }
                Step::Probed => {
                    if let Some(via) = world.probes.pop() {
                        calls.probed(via);
                    }
                }
                Step::Reply(some, answer) => {
                    // What is returned is in no queue, so no server has it.
                    let is_waiting = |(number, _, wants_reply): &&(u64, Via, bool)| {
                        *wants_reply && !world.returned.contains(number)
                    };
                    let waiting: Vec<u64> = world.in_flight.iter().filter(is_waiting).map(|it| it.0).collect();
                    if let Some(number) = waiting.get(some) {
                        let replied = calls.replied(world.generation, *number);
                        let Replied { waiter, repeated } = replied.expect("it is in flight");
                        prop_assert_eq!(repeated, world.published[number] > 1);
                        prop_assert!(world.open.remove(&waiter).is_some());
                        if let Answer::Refusal = answer {
                            world.not_run(waiter);
                        }
                        world.check_told(waiter, answer.outcome().of_call(repeated))?;
                        world.in_flight.retain(|(other, ..)| other != number);
                    }
                }
                Step::Return(some) => {
                    if let Some((number, ..)) = world.in_flight.get(some).copied() {
                        if world.returned.insert(number) {
                            world.not_run(number);
                        }
                        calls.returned(number);
                    }
                }
                Step::Confirm { up_to, multiple, accepted } => {
                    if let Some(tag) = world.tags.keys().nth(up_to).copied() {
                        calls.confirmed((tag, multiple, accepted), now);
                        world.tags.retain(|other, _| *other > tag || (!multiple && *other != tag));
                    }
                }
                Step::Answer(answer) => {
                    calls.take_to_ask();
                    let (presence, sizes) = match answer {
                        0 => (Presence::Present, MessageSizes::known(1 << 20, None)),
                        1 => (Presence::Present, MessageSizes::known(0, Some(1000))),
                        2 => (Presence::Missing, MessageSizes::default()),
                        _ => (Presence::Unanswered, MessageSizes::default()),
                    };
                    let checked = Checked { presence, sizes };
                    for exchange in [EXCHANGE, "elsewhere"] {
                        calls.answered(world.generation, &exchange.into(), &checked);
                    }
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
                    let failure = if channel { Failure::channel("gone") } else { Failure::connection("gone") };
                    calls.lose(&failure);
                    world.clear();
                }
                Step::Expire(milliseconds) => {
                    now += Duration::from_millis(milliseconds);
                    calls.expired(now);
                    prop_assert!(calls.next_deadline().is_none_or(|next| next > now));
                }
                Step::Forget(some) => {
                    if let Some(number) = world.open.keys().nth(some).copied() {
                        calls.forget(number);
                        world.open.remove(&number);
                        world.in_flight.retain(|(other, ..)| *other != number);
                    }
                }
            }
            world.decided(&mut calls)?;
            let known: BTreeSet<u64> = calls.open.keys().copied().collect();
            prop_assert_eq!(known, world.open.keys().copied().collect::<BTreeSet<_>>(), "one is lost");
            let queued: u64 =
                calls.open.values().filter(|call| call.stage == Stage::Queued).map(|call| call.bytes).sum();
            prop_assert_eq!(calls.queued_bytes, queued);
        }
        calls.close("closed");
        world.decided(&mut calls)?;
        prop_assert!(world.open.is_empty(), "{:?} have no outcome", world.open);
    }
}
