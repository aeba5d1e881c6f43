//! A call that a unit test makes up, for functions that ask for their context.

use std::time::{Duration, SystemTime};

use crate::context::Context;
use crate::message::{ATTEMPTS, DEADLINE, HeaderValue, Request, TIMEOUT};

/// A call that was never made, whose [`Context`] a unit test passes to a function.
///
/// ```
/// use guirpc::Context;
/// use guirpc::testing::Call;
///
/// #[guirpc::function]
/// fn greet(name: &str, #[context] context: &Context) -> String {
///     let tenant = context.headers().get("tenant").and_then(|tenant| tenant.as_str());
///     format!("Hello {name} of {}", tenant.unwrap_or("nowhere"))
/// }
///
/// let call = Call::new("greeter", "greet").header("tenant", "acme");
/// assert_eq!(greet("Ada", &call.context()), "Hello Ada of acme");
/// ```
#[derive(Debug)]
pub struct Call {
    service: String,
    request: Request,
}

impl Call {
    /// A call of this function of this service: awaited, delivered for the first time, without headers or deadline.
    pub fn new(service: impl Into<String>, function: impl Into<String>) -> Self {
        let request = Request { function: function.into(), reply_to: Some("replies".to_owned()), ..Request::default() };
        Call { service: service.into(), request }
    }

    /// With a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<HeaderValue>) -> Self {
        self.add(name.into(), value.into());
        self
    }

    /// With the caller's name for the call.
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.request.correlation_id = Some(id.into());
        self
    }

    /// With the caller's own name.
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.request.app_id = Some(app_id.into());
        self
    }

    /// With so much time left; none at all is a call that has expired.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let deadline = SystemTime::now().checked_add(timeout);
        let since_epoch = deadline.and_then(|deadline| deadline.duration_since(SystemTime::UNIX_EPOCH).ok());
        for (name, duration) in [(DEADLINE, since_epoch), (TIMEOUT, Some(timeout))] {
            let milliseconds = duration.and_then(|duration| i64::try_from(duration.as_millis()).ok());
            self.add(name.to_owned(), HeaderValue::from(milliseconds.unwrap_or(i64::MAX)));
        }
        self
    }

    /// Nobody waits for the reply, as after a `send`.
    pub fn sent(mut self) -> Self {
        self.request.reply_to = None;
        self
    }

    /// Delivered before, so that it may have been run before.
    pub fn redelivered(mut self) -> Self {
        self.add(ATTEMPTS.to_owned(), HeaderValue::from(1));
        self
    }

    /// The context, as the function would have it.
    pub fn context(&self) -> Context<'_> {
        Context::new(&self.service, &self.request, SystemTime::now())
    }

    fn add(&mut self, name: String, value: HeaderValue) {
        let headers = std::mem::take(&mut self.request.headers);
        let kept = headers.iter().filter(|(other, _)| *other != name);
        let kept: Vec<_> = kept.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        self.request.headers = kept.into_iter().chain([(name, value)]).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_says_what_the_test_has_said() {
        let call = Call::new("math", "add")
            .header("tenant", "acme")
            .correlation_id("7")
            .app_id("tests")
            .timeout(Duration::from_mins(1))
            .redelivered()
            .sent();
        let context = call.context();
        assert_eq!((context.service(), context.function()), ("math", "add"));
        assert_eq!((context.correlation_id(), context.app_id()), (Some("7"), Some("tests")));
        assert_eq!(context.headers().get("tenant").and_then(HeaderValue::as_str), Some("acme"));
        let remaining = context.remaining().expect("it has a deadline");
        assert!(remaining > Duration::from_secs(50) && remaining <= Duration::from_mins(1), "{remaining:?}");
        assert!(context.redelivered() && !context.is_awaited());
        let plain = Call::new("math", "add");
        assert!(!plain.context().redelivered() && plain.context().is_awaited());
        assert!(plain.context().deadline().is_none());
        assert!(plain.timeout(Duration::ZERO).context().is_expired());
    }
}
