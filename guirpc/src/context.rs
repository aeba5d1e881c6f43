//! What a function may know about its call ([`Context`]) and about its program ([`StateMap`]).

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::message::{Headers, Request};
use crate::scope::Scope;

/// The call that a function is answering, taken as a parameter marked `#[context]`.
///
/// ```
/// use guirpc::Context;
///
/// #[guirpc::function]
/// fn greet(name: &str, #[context] context: &Context) -> String {
///     let tenant = context.headers().get("tenant").and_then(|tenant| tenant.as_str());
///     format!("Hello {name} of {}", tenant.unwrap_or("nowhere"))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Context<'a> {
    service: &'a str,
    request: &'a Request,
    deadline: Option<SystemTime>,
}

impl<'a> Context<'a> {
    /// The context of a request that has arrived by now.
    pub(crate) fn new(service: &'a str, request: &'a Request, now: SystemTime) -> Self {
        // Whoever's clock is wrong, the caller waits no longer than that.
        let latest = request.timeout().and_then(|timeout| now.checked_add(timeout));
        Context { service, request, deadline: request.deadline().into_iter().chain(latest).min() }
    }

    /// What calls inherit that the function makes, which has just begun; it is in the scope of its trace.
    pub(crate) fn scope(&self, now: SystemTime) -> Scope {
        let left = self.deadline.map(|deadline| deadline.duration_since(now).unwrap_or_default());
        let deadline = left.and_then(|left| Instant::now().checked_add(left));
        Scope::new(deadline, Scope::current().trace().clone())
    }

    /// The service that is answering.
    pub fn service(&self) -> &str {
        self.service
    }

    /// The name by which the function was called.
    pub fn function(&self) -> &str {
        &self.request.function
    }

    /// The caller's name for this call; write it into logs and pass it on.
    pub fn correlation_id(&self) -> Option<&str> {
        self.request.correlation_id.as_deref()
    }

    /// Who calls, as they say: not proof of anything.
    pub fn app_id(&self) -> Option<&str> {
        self.request.app_id.as_deref()
    }

    /// The headers of the request, among them `traceparent` if the caller traces; the function's own calls have that
    /// too, since they are in its [`Scope`].
    pub fn headers(&self) -> &Headers {
        &self.request.headers
    }

    /// Whether the caller waits for the reply: after a call it does, after a `send` it does not.
    pub fn is_awaited(&self) -> bool {
        self.request.is_awaited()
    }

    /// Whether this request was delivered before, so that it may have been run before.
    pub fn redelivered(&self) -> bool {
        self.request.attempts() > 0
    }

    /// The moment at which the caller stops waiting; a `send` has none.
    ///
    /// Calls that the function makes itself end by then as well, on its own thread or in its own task; in others that it
    /// starts, if they are in its [`Scope`].
    pub fn deadline(&self) -> Option<SystemTime> {
        self.deadline
    }

    /// How long the caller still waits: nothing if it has stopped, `None` if there is no deadline.
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.deadline()?;
        Some(deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
    }

    /// Whether the caller has stopped waiting, so that a long function may stop as well.
    pub fn is_expired(&self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("service", &self.service)
            .field("function", &self.function())
            .field("correlation_id", &self.correlation_id())
            .finish_non_exhaustive()
    }
}

/// The values that functions take as parameters marked `#[state]`, one of each type.
#[derive(Clone, Default)]
pub(crate) struct StateMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl StateMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(state));
    }

    pub(crate) fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    /// Drops the values, here and now, as soon as nobody else has them; leaves them if somebody keeps them for so long.
    #[cfg(feature = "main")]
    pub(crate) fn release(self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.0.values().any(|value| Arc::strong_count(value) > 1) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn find<T: 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateMap({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_not_awaited_in_either_dialect() {
        let is_awaited = |reply_to: Option<&str>| {
            let request = Request { reply_to: reply_to.map(str::to_owned), ..Request::default() };
            Context::new("math", &request, SystemTime::UNIX_EPOCH).is_awaited()
        };
        assert!(is_awaited(Some("replies")));
        assert!(!is_awaited(None));
        // As the Python original sends what wants no reply.
        assert!(!is_awaited(Some("guirpc.nobody")));
    }
}
