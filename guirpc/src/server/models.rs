//! Models of what the threads of a server agree by: each is run in many orders of its threads.
//!
//! They are the same files as elsewhere, with the locks and atomics of the scheduler that chooses the order.

use shuttle::check_random;

/// The locks and atomics of the scheduler.
mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[allow(dead_code, clippy::duplicate_mod, reason = "a model needs not all of it, and other locks in it")]
#[path = "leader.rs"]
mod leader;
#[allow(dead_code, clippy::duplicate_mod, reason = "a model needs not all of it, and other locks in it")]
#[path = "tick.rs"]
mod tick;

use leader::Leadership;
use sync::{Arc, AtomicBool, AtomicU64, Ordering};
use tick::Tick;

/// How many orders are tried.
const ORDERS: usize = 2000;

/// However the tick and the end of a turn fall, one worker leads at a time, and every request is taken by one.
#[test]
fn one_worker_leads_at_a_time() {
    check_random(
        || {
            const REQUESTS: u64 = 6;
            let leadership = Arc::new(Leadership::<()>::new());
            let (leading, taken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            leadership.assign(Arc::new(()));
            let work = |slow: bool| {
                let (leadership, leading, taken) = (Arc::clone(&leadership), Arc::clone(&leading), Arc::clone(&taken));
                move || {
                    while let Some(session) = leadership.take_lead() {
                        loop {
                            assert_eq!(leading.fetch_add(1, Ordering::SeqCst), 0, "two lead");
                            let number = taken.fetch_add(1, Ordering::SeqCst);
                            leading.fetch_sub(1, Ordering::SeqCst);
                            if number >= REQUESTS {
                                leadership.retire(&session);
                                leadership.dismiss();
                                break;
                            }
                            if slow && number % 2 == 0 {
                                leadership.release_lead();
                                break;
                            }
                            let turn = leadership.begin_turn();
                            shuttle::thread::yield_now();
                            if !leadership.end_turn(turn) {
                                break;
                            }
                        }
                    }
                }
            };
            let workers = [false, true, false].map(|slow| shuttle::thread::spawn(work(slow)));
            // As the consumer thread's tick does it, at moments of the scheduler's choice.
            for _ in 0..4 {
                if let Some(turn) = leadership.turn() {
                    shuttle::thread::yield_now();
                    leadership.pass_lead_on(turn);
                }
            }
            for worker in workers {
                worker.join().expect("no worker panics");
            }
            assert!(taken.load(Ordering::SeqCst) > REQUESTS, "a request was left");
        },
        ORDERS,
    );
}

/// A leader whose session is lost does not lead it again, and the next session has a leader.
#[test]
fn the_next_session_has_a_leader() {
    check_random(
        || {
            let leadership = Arc::new(Leadership::<u32>::new());
            leadership.assign(Arc::new(1));
            let led = Arc::new(AtomicU64::new(0));
            let workers: Vec<_> = (0..2)
                .map(|_| {
                    let (leadership, led) = (Arc::clone(&leadership), Arc::clone(&led));
                    shuttle::thread::spawn(move || {
                        while let Some(session) = leadership.take_lead() {
                            if *session == 2 {
                                led.fetch_add(1, Ordering::SeqCst);
                            }
                            leadership.retire(&session);
                        }
                    })
                })
                .collect();
            leadership.unassign();
            leadership.assign(Arc::new(2));
            while led.load(Ordering::SeqCst) == 0 {
                shuttle::thread::yield_now();
            }
            leadership.dismiss();
            for worker in workers {
                worker.join().expect("no worker panics");
            }
            assert_eq!(led.load(Ordering::SeqCst), 1, "a session that is over is led again");
        },
        ORDERS,
    );
}

/// The consumer thread never sleeps while there is something for it to do.
#[test]
fn no_work_is_slept_through() {
    check_random(
        || {
            let tick = Arc::new(Tick::new());
            let (work, wakes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
            let worker = {
                let (tick, work, wakes) = (Arc::clone(&tick), Arc::clone(&work), Arc::clone(&wakes));
                shuttle::thread::spawn(move || {
                    work.store(1, Ordering::SeqCst);
                    if !tick.is_ticking() {
                        wakes.store(true, Ordering::SeqCst);
                    }
                })
            };
            tick.stop(|| work.load(Ordering::SeqCst) > 0);
            worker.join().expect("no panic");
            assert!(tick.is_ticking() || wakes.load(Ordering::SeqCst), "it sleeps, and is not woken");
        },
        ORDERS,
    );
}
