//! A request as a client's settings and the function make it.

use std::borrow::Cow;
use std::time::Duration;

use super::Client;
use super::settings::Settings;
use crate::broker::{EXCHANGE, Outbound, PYTHON_EXCHANGE};
use crate::codec::{Codec, Format, PythonOptions};
use crate::error::CallError;
use crate::function::Function;
use crate::message::Dialect;

/// What of a call depends on the function.
pub(super) struct Callee<'a> {
    pub(super) service: &'a str,
    pub(super) lane: Option<&'a str>,
    pub(super) function: &'a str,
    pub(super) timeout: Option<Duration>,
    pub(super) idempotent: bool,
    pub(super) format: Format,
}

impl Callee<'_> {
    pub(super) fn of<F: Function>(format: Format) -> Callee<'static> {
        Callee {
            service: F::SERVICE,
            lane: F::LANE,
            function: F::NAME,
            timeout: F::TIMEOUT,
            idempotent: F::IDEMPOTENT,
            format,
        }
    }
}

impl Settings {
    /// Where the queue is bound that serves it.
    fn routing_key<'a>(&'a self, callee: &Callee<'a>) -> Cow<'a, str> {
        if let Some(routing_key) = self.routing_key.as_deref() {
            return Cow::Borrowed(routing_key);
        }
        let service = self.service.as_deref().unwrap_or(callee.service);
        let lane = match callee.format {
            Format::Native(_) => self.lane.as_deref().or(callee.lane),
            Format::Python(_) => None,
        };
        match (lane, self.suffix.as_deref().unwrap_or_default()) {
            (None, "") => Cow::Borrowed(service),
            (None, suffix) => Cow::Owned(format!("{service}{suffix}")),
            (Some(lane), suffix) => Cow::Owned(format!("{service}.{lane}{suffix}")),
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
    pub(super) fn named<'a>(&self, service: &'a str, function: &'a str) -> Callee<'a> {
        let format = match self.format(Dialect::default(), PythonOptions::default()) {
            Format::Native(_) => Format::Native(Codec::Json),
            python @ Format::Python(_) => python,
        };
        Callee { service, lane: None, function, timeout: None, idempotent: false, format }
    }

    pub(super) fn outbound<'a>(
        &'a self,
        callee: &'a Callee<'a>,
        body: &'a [u8],
        expires: Option<Duration>,
    ) -> Result<Outbound<'a>, CallError> {
        let (size, limit) = (body.len(), self.settings.max_body);
        if size > limit {
            let message = format!("the request has {size} bytes, this client sends at most {limit} (`max_body`)");
            return Err(CallError::Unsendable { message });
        }
        let routing_key = self.settings.routing_key(callee);
        let Callee { function, format, .. } = *callee;
        let exchange = self.settings.exchange.as_deref().unwrap_or(match format {
            Format::Native(_) => EXCHANGE,
            Format::Python(_) => PYTHON_EXCHANGE,
        });
        let app_id = self.settings.app_id.as_deref();
        let headers = &self.settings.headers;
        let priority = self.settings.priority;
        let request = Outbound { exchange, routing_key, function, format, body, app_id, priority, headers, expires };
        request.check().map_err(|message| CallError::Unsendable { message })?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &Settings, lane: Option<&str>, format: Format, expected: &str) {
        let callee = Callee { service: "math", lane, function: "add", timeout: None, idempotent: false, format };
        assert_eq!(settings.routing_key(&callee), expected);
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
