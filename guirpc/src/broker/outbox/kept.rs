//! A request that may have to be published again, on another connection.

use std::borrow::Cow;
use std::time::Duration;

use super::Outbound;
use crate::codec::Format;
use crate::message::Headers;

/// An [`Outbound`] that owns what it is made of.
#[derive(Debug)]
pub(crate) struct Kept {
    exchange: String,
    routing_key: String,
    function: String,
    format: Format,
    body: Vec<u8>,
    app_id: Option<String>,
    priority: Option<u8>,
    headers: Headers,
}

impl Outbound<'_> {
    pub(crate) fn keep(&self) -> Kept {
        Kept {
            exchange: self.exchange.to_owned(),
            routing_key: self.routing_key.clone().into_owned(),
            function: self.function.to_owned(),
            format: self.format,
            body: self.body.to_owned(),
            app_id: self.app_id.map(str::to_owned),
            priority: self.priority,
            headers: self.headers.clone(),
        }
    }
}

impl Kept {
    /// The same request, of use for so long from now on.
    pub(crate) fn outbound(&self, expires: Duration) -> Outbound<'_> {
        Outbound {
            exchange: &self.exchange,
            routing_key: Cow::Borrowed(&self.routing_key),
            function: &self.function,
            format: self.format,
            body: &self.body,
            app_id: self.app_id.as_deref(),
            priority: self.priority,
            headers: &self.headers,
            expires: Some(expires),
        }
    }
}
