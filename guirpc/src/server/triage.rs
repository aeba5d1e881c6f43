//! What is to be done before a request is run that may have been run before. Pure data, no I/O.
//!
//! The broker marks what it delivers again, and marks it whether its function had begun or it was merely fetched.
//! guirpc counts: a marked request is published again with its count before it is run, so that the next mark is one more.
//!
//! - From the service's own queue it goes to `SERVICE.retry`, of which as many are fetched as there are workers:
//!   most of what a crash leaves behind was merely fetched, and is to be served at full speed.
//! - From there, and whenever the next attempt is the last, it goes to `SERVICE.quarantine`, of which one is fetched
//!   at a time: what ran beside a poison message is not condemned with it.

use super::queues::QueueRole;

/// What is known of a request when it is delivered.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are facts, each for itself")]
pub(super) struct Facts {
    /// Whether the broker has delivered this message before.
    pub(super) is_redelivered: bool,
    /// How often its function has, or may have, begun before.
    pub(super) attempts: u32,
    /// How often it may begin; `None` if the queue keeps nothing, so that nothing is counted either.
    pub(super) max_deliveries: Option<u32>,
    /// Whether it is acknowledged before it runs.
    pub(super) is_early: bool,
    /// Whether its caller has given up, so that it will be refused.
    pub(super) is_expired: bool,
    /// Whether it came with others in one message, which is acknowledged when all of them are done.
    pub(super) is_coalesced: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Run,
    /// Run it when the broker knows all acknowledgements until now, and if this is `true`, its own.
    RunOnceAcknowledged {
        own: bool,
    },
    /// Publish it again as it was, alone: it is acknowledged before it runs, and those that came with it are not.
    Part,
    /// Publish it again with its count, into one of these queues.
    Count(QueueRole),
    /// It runs at most once, and may have run.
    Refuse,
    /// It has begun too often.
    DeadLetter,
}

impl Facts {
    pub(super) fn step(self) -> Step {
        if self.is_early {
            return match self.attempts {
                // Where others are still to be done, that they are delivered again must not have it run once more: it is
                // refused then, and so is one that was published again alone before its message was acknowledged.
                0 if self.is_coalesced => Step::Part,
                0 => Step::RunOnceAcknowledged { own: true },
                _ => Step::Refuse,
            };
        }
        match self.max_deliveries {
            _ if self.attempts == 0 => Step::Run,
            Some(max) if self.is_redelivered && !self.is_expired => {
                if self.attempts >= max {
                    Step::DeadLetter
                } else {
                    Step::Count(retry_queue(self.attempts, max))
                }
            }
            // Else this attempt could end the process before the broker knows what became of the last one.
            _ => Step::RunOnceAcknowledged { own: false },
        }
    }
}

/// The queue of a request whose function has, or may have, begun so often.
fn retry_queue(attempts: u32, max_deliveries: u32) -> QueueRole {
    let is_last = attempts.saturating_add(1) >= max_deliveries;
    if attempts > 1 || is_last { QueueRole::Quarantine } else { QueueRole::Retry }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{self, Codec, Format};
    use crate::error::Refusal;

    fn facts(attempts: u32) -> Facts {
        let (is_early, is_expired, is_coalesced) = (false, false, false);
        Facts { is_redelivered: true, attempts, max_deliveries: Some(5), is_early, is_expired, is_coalesced }
    }

    #[test]
    fn what_comes_again_is_counted_and_then_kept_apart() {
        assert_eq!(facts(1).step(), Step::Count(QueueRole::Retry));
        for attempts in 2..5 {
            assert_eq!(facts(attempts).step(), Step::Count(QueueRole::Quarantine));
        }
        assert_eq!(facts(5).step(), Step::DeadLetter);
        assert_eq!(facts(u32::MAX).step(), Step::DeadLetter);
    }

    #[test]
    fn the_last_attempt_is_always_apart() {
        let step = |max| Facts { max_deliveries: Some(max), ..facts(1) }.step();
        assert_eq!(step(2), Step::Count(QueueRole::Quarantine));
        assert_eq!(step(3), Step::Count(QueueRole::Retry));
    }

    #[test]
    fn what_was_counted_is_run_once_the_broker_knows() {
        let counted = Facts { is_redelivered: false, ..facts(1) };
        assert_eq!(counted.step(), Step::RunOnceAcknowledged { own: false });
        assert_eq!(Facts { attempts: 0, ..counted }.step(), Step::Run);
        assert_eq!(Facts { max_deliveries: None, ..facts(1) }.step(), Step::RunOnceAcknowledged { own: false });
    }

    #[test]
    fn what_has_expired_is_not_counted() {
        let expired = Facts { is_expired: true, ..facts(7) };
        assert_eq!(expired.step(), Step::RunOnceAcknowledged { own: false });
    }

    #[test]
    fn what_runs_at_most_once_is_acknowledged_before_and_not_run_again() {
        let first = Facts { is_early: true, is_redelivered: false, ..facts(0) };
        assert_eq!(first.step(), Step::RunOnceAcknowledged { own: true });
        for (attempts, is_redelivered) in [(1, true), (9, true), (1, false)] {
            assert_eq!(Facts { is_redelivered, attempts, ..first }.step(), Step::Refuse);
            assert_eq!(Facts { is_redelivered, attempts, is_expired: true, ..first }.step(), Step::Refuse);
        }
    }

    /// What happens to a request on one delivery.
    #[derive(Clone, Copy, Debug)]
    enum Fate {
        /// Its server is killed before it does anything.
        KilledBefore,
        /// Its server is killed in the middle of the function.
        KilledWithin,
        /// This server refuses it: it has no such function, or takes less, or has another clock.
        Refused,
        Finished,
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            3 => Just(Fate::KilledBefore), 6 => Just(Fate::KilledWithin), 1 => Just(Fate::Refused), 1 => Just(Fate::Finished)
        ]
    }

    /// Whether the caller of a request that is refused on this delivery is told that nothing ran.
    fn says_not_run(attempts: u32) -> bool {
        let refusal = Refusal::new(404, "no".to_owned());
        let mut reply = codec::refusal(Format::Native(Codec::Json), &refusal);
        reply.note_attempts(attempts);
        !reply.may_have_run()
    }

    proptest! {
        /// However often its servers end: a function begins no more often than it may, and a certain "no" is one.
        #[test]
        fn what_has_begun_is_counted_and_told(
            fates in vec(fate(), 0..40), max in 2_u32..8, is_early in any::<bool>(),
        ) {
            let (mut begun, mut count, mut is_redelivered) = (0, 0, false);
            for fate in fates {
                let attempts = count + u32::from(is_redelivered);
                let facts = Facts { is_redelivered, max_deliveries: Some(max), is_early, ..facts(attempts) };
                match facts.step() {
                    _ if matches!(fate, Fate::KilledBefore) => is_redelivered = true,
                    Step::Run | Step::RunOnceAcknowledged { .. } => match fate {
                        Fate::Refused => {
                            prop_assert!(!says_not_run(attempts) || begun == 0, "it had begun {begun} times");
                            break;
                        }
                        Fate::Finished => break,
                        Fate::KilledBefore | Fate::KilledWithin => {
                            begun += 1;
                            prop_assert!(begun <= max && (begun == 1 || !is_early), "it has begun {begun} times");
                            if is_early {
                                break;
                            }
                            is_redelivered = true;
                        }
                    },
                    Step::Count(_) => (count, is_redelivered) = (attempts, false),
                    Step::Part => panic!("it came alone"),
                    Step::Refuse => {
                        prop_assert!(is_early && !says_not_run(attempts));
                        break;
                    }
                    Step::DeadLetter => {
                        prop_assert!(attempts >= max && begun <= max);
                        break;
                    }
                }
            }
        }
    }

    /// A call of a message, or one that was published again alone.
    #[derive(Clone, Copy, Debug, Default)]
    struct Call {
        is_early: bool,
        begun: u32,
        is_answered: bool,
        /// Published again alone, with this count.
        alone: Option<u32>,
    }

    /// Where the server of a message is killed: after so many calls were begun, of which so many are answered; and whether
    /// it remembers them, as it does if only its session is lost.
    #[derive(Clone, Copy, Debug)]
    struct Kill {
        begun: usize,
        answered: usize,
        remembers: bool,
    }

    fn kill() -> impl Strategy<Value = Kill> {
        (0_usize..8, 0_usize..8, any::<bool>()).prop_map(|(begun, answered, remembers)| Kill {
            begun,
            answered,
            remembers,
        })
    }

    proptest! {
        /// However often the server of a message is killed: a call that runs at most once does, each other is answered or waits
        /// alone, and none that was answered is run again by whoever remembers that.
        #[test]
        fn a_message_is_taken_apart(early in vec(any::<bool>(), 1..8), kills in vec(kill(), 0..4)) {
            let mut calls: Vec<Call> = early.iter().map(|is_early| Call { is_early: *is_early, ..Call::default() }).collect();
            let mut is_acknowledged = false;
            for (delivery, kill) in kills.iter().map(Some).chain([None]).enumerate() {
                let is_redelivered = delivery > 0;
                let mut open = 0;
                for (number, call) in calls.iter_mut().enumerate() {
                    let attempts = u32::from(is_redelivered);
                    let remembered = delivery.checked_sub(1).is_some_and(|last| kills[last].remembers);
                    if !call.is_early && call.is_answered && remembered {
                        continue;
                    }
                    let is_early = call.is_early;
                    let facts = Facts { is_redelivered, attempts, is_early, is_coalesced: true, ..facts(0) };
                    match facts.step() {
                        Step::Part => {
                            prop_assert!(call.is_early && !is_redelivered && call.alone.is_none());
                            call.alone = Some(0);
                        }
                        Step::Run => {
                            prop_assert!(!call.is_early && !is_redelivered);
                            let is_begun = kill.is_none_or(|kill| number < kill.begun);
                            call.begun += u32::from(is_begun);
                            call.is_answered |= is_begun && kill.is_none_or(|kill| number < kill.answered);
                            open += usize::from(!call.is_answered);
                        }
                        Step::Count(queue) => {
                            prop_assert_eq!(queue, QueueRole::Retry);
                            prop_assert!(!call.is_early && is_redelivered);
                            call.alone = Some(attempts);
                        }
                        Step::Refuse => prop_assert!(call.is_early && is_redelivered),
                        step => prop_assert!(false, "{:?}", step),
                    }
                }
                is_acknowledged = open == 0 && kill.is_none();
                if is_acknowledged {
                    break;
                }
            }
            prop_assert!(is_acknowledged);
            for call in calls {
                // What waits alone runs at most once more if it is early, and by the rules for one that comes alone.
                if call.is_early {
                    prop_assert!(call.begun == 0 && call.alone.is_none_or(|count| count == 0));
                } else {
                    prop_assert!(call.is_answered || call.alone.is_some(), "it is lost: {call:?}");
                    prop_assert!(call.begun == 0 || call.is_answered || call.alone.is_some_and(|count| count > 0));
                }
            }
        }
    }

    /// One message that ends its process each time, and another that happens to run beside it.
    ///
    /// The two meet on the service's own queue and in the retry queue; in quarantine one is fetched at a time.
    #[test]
    fn what_runs_beside_a_poison_message_is_not_condemned() {
        for max in 2..10 {
            let mut place = QueueRole::Own;
            let mut crashes = 0;
            let mut begun = 0;
            // The worst case: both are running at each crash for as long as they share a queue.
            while place != QueueRole::Quarantine {
                crashes += 1;
                begun += 1;
                let facts = Facts { attempts: begun, max_deliveries: Some(max), ..facts(0) };
                place = match facts.step() {
                    Step::Count(QueueRole::Retry) => QueueRole::Retry,
                    Step::Count(QueueRole::Quarantine) => QueueRole::Quarantine,
                    step => panic!("{step:?} after {crashes} crashes of {max}"),
                };
            }
            assert!(begun < max, "it may not begin any more");
        }
    }
}
