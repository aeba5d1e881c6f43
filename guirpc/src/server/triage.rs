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
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Run,
    /// Run it when the broker knows all acknowledgements until now, and if this is `true`, its own.
    RunOnceAcknowledged {
        own: bool,
    },
    /// Publish it again with its count, into one of these queues.
    Count(QueueRole),
    /// It has begun too often.
    DeadLetter,
}

impl Facts {
    pub(super) fn step(self) -> Step {
        if self.is_early {
            return Step::RunOnceAcknowledged { own: true };
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
    use super::*;

    fn facts(attempts: u32) -> Facts {
        Facts { is_redelivered: true, attempts, max_deliveries: Some(5), is_early: false, is_expired: false }
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
    fn what_runs_at_most_once_is_acknowledged_before() {
        assert_eq!(Facts { is_early: true, ..facts(9) }.step(), Step::RunOnceAcknowledged { own: true });
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
