//! A request as a client's settings and the function make it.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::settings::Settings;
use crate::broker::{EXCHANGE, Outbound, PYTHON_EXCHANGE};
use crate::codec::{Codec, Format, PythonOptions};
use crate::config::Coalescing;
use crate::error::CallError;
use crate::function::Function;
use crate::message::{CONTRACT, Dialect, Headers, Name};
use crate::scope::Scope;
use crate::trace::{CallSpan, Called};

/// What of a request depends on the function.
#[derive(Clone, Debug)]
pub(super) struct Callee {
    pub(super) service: Name,
    pub(super) lane: Option<&'static str>,
    pub(super) function: Name,
    pub(super) timeout: Option<Duration>,
    pub(super) idempotent: bool,
    pub(super) coalesces: bool,
    pub(super) contract: Option<&'static str>,
    pub(super) format: Format,
}

impl Callee {
    pub(super) fn of<F: Function>(format: Format) -> Self {
        Callee {
            service: F::SERVICE.into(),
            lane: F::LANE,
            function: F::NAME.into(),
            timeout: F::TIMEOUT,
            idempotent: F::IDEMPOTENT,
            coalesces: F::COALESCE,
            contract: F::CONTRACT,
            format,
        }
    }
}

impl Settings {
    /// Whether and how calls of this function may travel with others; those in Python's dialect do not.
    pub(super) fn coalescing_of(&self, callee: &Callee) -> Option<Coalescing> {
        let is_native = matches!(callee.format, Format::Native(_));
        (is_native && self.coalesces.unwrap_or(callee.coalesces)).then_some(self.coalescing)
    }

    /// The lane that is asked for, if any; there are none in Python's dialect.
    pub(super) fn lane_of<'a>(&'a self, callee: &'a Callee) -> Option<&'a str> {
        match callee.format {
            Format::Native(_) => self.lane.as_deref().or(callee.lane),
            Format::Python(_) => None,
        }
    }

    /// The client's own headers, and the contract that it was made from.
    fn headers_of(&self, callee: &Callee) -> Arc<Headers> {
        match (callee.contract, callee.format) {
            (Some(contract), Format::Native(_)) if self.headers.get(CONTRACT).is_none() => {
                let mut headers = Headers::clone(&self.headers);
                headers.set_own(CONTRACT, contract);
                Arc::new(headers)
            }
            _ => Arc::clone(&self.headers),
        }
    }

    /// Where the queue is bound that serves it.
    fn routing_key(&self, callee: &Callee) -> Name {
        if let Some(routing_key) = &self.routing_key {
            return routing_key.clone();
        }
        let service = self.service.as_ref().unwrap_or(&callee.service);
        match (self.lane_of(callee), self.suffix.as_deref().unwrap_or_default()) {
            (None, "") => service.clone(),
            (None, suffix) => format!("{service}{suffix}").into(),
            (Some(lane), suffix) => format!("{service}.{lane}{suffix}").into(),
        }
    }
}

impl Client {
    /// How a request to a function is written that is defined so.
    pub(super) fn format(&self, dialect: Dialect, python: PythonOptions) -> Format {
        match self.settings.dialect.unwrap_or(dialect) {
            Dialect::Native => Format::Native(self.settings.codec),
            Dialect::Python => Format::Python(self.settings.python.unwrap_or(python)),
        }
    }

    /// A function of which nothing is known but its name.
    pub(super) fn named(&self, service: &str, function: &str) -> Callee {
        let format = match self.format(Dialect::default(), PythonOptions::default()) {
            Format::Native(_) => Format::Native(Codec::Json),
            python @ Format::Python(_) => python,
        };
        let (service, function) = (service.to_owned().into(), function.to_owned().into());
        Callee {
            service,
            lane: None,
            function,
            timeout: None,
            idempotent: false,
            coalesces: false,
            contract: None,
            format,
        }
    }

    /// A request, and the span that it has from now on.
    pub(super) fn outbound(
        &self,
        callee: &Callee,
        body: Vec<u8>,
        wants_reply: bool,
    ) -> Result<(Arc<Outbound>, CallSpan), CallError> {
        let (size, limit) = (body.len(), self.settings.max_body);
        if size > limit {
            let message = format!("the request has {size} bytes, this client sends at most {limit} (`max_body`)");
            return Err(CallError::Unsendable { message });
        }
        let usual = match callee.format {
            Format::Native(_) => EXCHANGE,
            Format::Python(_) => PYTHON_EXCHANGE,
        };
        let mut request = Outbound {
            exchange: self.settings.exchange.clone().unwrap_or_else(|| usual.into()),
            routing_key: self.settings.routing_key(callee),
            function: callee.function.clone(),
            format: callee.format,
            body,
            app_id: self.settings.app_id.clone(),
            priority: self.settings.priority,
            headers: self.settings.headers_of(callee),
            wants_reply,
        };
        request.check().map_err(|message| CallError::Unsendable { message })?;
        let scope = Scope::current();
        let made = Called {
            service: self.settings.service.as_ref().unwrap_or(&callee.service),
            function: &request.function,
            exchange: &request.exchange,
            routing_key: &request.routing_key,
            broker: self.connected.addresses.server(),
            bytes: size,
            is_awaited: wants_reply,
        };
        let span = CallSpan::begin(&made, scope.trace());
        request.headers = span.context(scope.trace()).added_to(&request.headers);
        Ok((Arc::new(request), span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &Settings, lane: Option<&'static str>, format: Format, expected: &str) {
        let callee = Callee {
            service: "math".into(),
            lane,
            function: "add".into(),
            timeout: None,
            idempotent: false,
            coalesces: false,
            contract: None,
            format,
        };
        assert_eq!(&*settings.routing_key(&callee), expected);
    }

    #[test]
    fn a_lane_follows_the_service_and_precedes_what_keeps_tests_apart() {
        let native = Format::Native(Codec::default());
        let plain = Settings::default();
        check(&plain, None, native, "math");
        check(&plain, Some("reports"), native, "math.reports");
        check(&plain, Some("reports"), Format::Python(PythonOptions::default()), "math");
        let apart = Settings { suffix: Some(".test-1".into()), ..Settings::default() };
        check(&apart, None, native, "math.test-1");
        check(&apart, Some("reports"), native, "math.reports.test-1");
        let elsewhere = Settings { lane: Some("slow".into()), service: Some("maths".into()), ..Settings::default() };
        check(&elsewhere, Some("reports"), native, "maths.slow");
        let bound = Settings { routing_key: Some("key".into()), ..elsewhere };
        check(&bound, Some("reports"), native, "key");
    }
}
