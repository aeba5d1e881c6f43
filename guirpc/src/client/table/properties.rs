//! Whatever happens in whatever order: each call has one outcome, and only what may be is published twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Insert {
        repeatable: bool,
        expires_in: Option<u64>,
    },
    Take(u64),
    Lose(Loss),
    /// A new link takes over some of those that are adrift.
    Adopt(usize),
    /// So many seconds pass.
    Expire(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let loss = prop_oneof![Just(Loss::Connection), Just(Loss::Channel)];
    let step = prop_oneof![
        3 => (any::<bool>(), proptest::option::of(0_u64..20))
            .prop_map(|(repeatable, expires_in)| Step::Insert { repeatable, expires_in }),
        2 => (1_u64..30).prop_map(Step::Take),
        1 => loss.prop_map(Step::Lose),
        2 => (0_usize..5).prop_map(Step::Adopt),
        1 => (0_u64..5).prop_map(Step::Expire),
    ];
    vec(step, 0..60)
}

proptest! {
    #[test]
    fn each_call_has_one_outcome_and_is_repeated_only_if_it_may_be(steps in steps()) {
        let start = Instant::now();
        let (mut calls, mut now, mut link, mut last) = (Calls::default(), start, 1, 0);
        // What is waiting: whether it may be repeated, and when it expires.
        let mut waiting: BTreeMap<u64, (bool, Option<Instant>)> = BTreeMap::new();
        let mut published: BTreeMap<u64, u32> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert { repeatable, expires_in } => {
                    last += 1;
                    calls.insert(last, link, last, repeatable.then_some(last)).unwrap();
                    let deadline = expires_in.map(|seconds| now + Duration::from_secs(seconds));
                    if let Some(deadline) = deadline {
                        calls.expire_at(deadline, last);
                    }
                    waiting.insert(last, (repeatable, deadline));
                    published.insert(last, 1);
                }
                Step::Take(number) => {
                    let taken = calls.take(number);
                    prop_assert_eq!(taken.is_some(), waiting.remove(&number).is_some());
                    if let Some(Taken { waiter, repeated }) = taken {
                        prop_assert_eq!((waiter, repeated), (number, published[&number] > 1));
                    }
                }
                Step::Lose(loss) => {
                    for number in calls.lose(link, "gone", loss) {
                        let (repeatable, _) = waiting.remove(&number).unwrap();
                        prop_assert!(!repeatable || loss == Loss::Channel);
                    }
                    prop_assert!(waiting.values().all(|(repeatable, _)| *repeatable));
                    prop_assert!(calls.insert(1000, link, 1000, None).is_err());
                    link += 1;
                }
                Step::Adopt(some) => {
                    for (number, _) in calls.adrift().into_iter().take(some) {
                        prop_assert!(calls.adopt(number, link) && !calls.adopt(number, link));
                        prop_assert!(waiting[&number].0);
                        *published.get_mut(&number).unwrap() += 1;
                    }
                }
                Step::Expire(seconds) => {
                    now += Duration::from_secs(seconds);
                    let expired: BTreeSet<u64> = calls.expired(now).into_iter().collect();
                    let due: BTreeSet<u64> =
                        waiting.iter().filter(|(_, call)| call.1.is_some_and(|at| at <= now)).map(|(n, _)| *n).collect();
                    prop_assert_eq!(&expired, &due);
                    waiting.retain(|number, _| !due.contains(number));
                }
            }
        }
        let rest: BTreeSet<u64> = calls.close().into_iter().collect();
        prop_assert_eq!(rest, waiting.into_keys().collect::<BTreeSet<_>>());
    }
}
