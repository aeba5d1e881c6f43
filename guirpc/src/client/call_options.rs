//! How long a caller waits, and whether its call may be made again.

use std::time::{Duration, Instant};

use crate::error::{CallError, Refusal};
use crate::message::status;
use crate::scope::Scope;

/// How a caller waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallOptions {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// Whether the request may be published again.
    pub(super) idempotent: bool,
}

impl CallOptions {
    pub(super) fn new(timeout: Duration, idempotent: bool) -> Self {
        CallOptions { deadline: Instant::now() + timeout, timeout, idempotent }
    }

    /// That of a call: it ends with that of the caller of the function which makes it, if one does.
    pub(super) fn until_outer(timeout: Duration, idempotent: bool) -> Result<Self, CallError> {
        let now = Instant::now();
        let own = now + timeout;
        let deadline = Scope::current().deadline().map_or(own, |outer| outer.min(own));
        let timeout = deadline.saturating_duration_since(now);
        if deadline < own && timeout.is_zero() {
            let message = "the caller of the function that makes this call does not wait any more: nothing was sent";
            return Err(CallError::Refused(Refusal::new(status::EXPIRED, message.to_owned())));
        }
        Ok(CallOptions { deadline, timeout, idempotent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceContext;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_call_within_a_function_waits_no_longer_than_the_functions_caller() {
        let alone = CallOptions::until_outer(60 * SECOND, false).unwrap();
        assert_eq!(alone.timeout, 60 * SECOND);
        let outer = Instant::now() + 2 * SECOND;
        Scope::new(Some(outer), TraceContext::default()).run(|| {
            let long = CallOptions::until_outer(60 * SECOND, false).unwrap();
            assert_eq!(long.deadline, outer);
            assert!(long.timeout <= 2 * SECOND);
            let short = CallOptions::until_outer(SECOND, true).unwrap();
            assert!(short.timeout == SECOND && short.deadline < outer);
        });
    }

    #[test]
    fn where_nothing_is_left_nothing_is_sent() {
        let expired = Scope::new(Some(Instant::now()), TraceContext::default());
        let error = expired.run(|| CallOptions::until_outer(SECOND, false)).unwrap_err();
        assert!(matches!(&error, CallError::Refused(refusal) if refusal.status() == status::EXPIRED), "{error}");
        assert!(!error.may_have_run());
    }
}
