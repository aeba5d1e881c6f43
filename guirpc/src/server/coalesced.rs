//! A message of several calls, taken apart: each becomes a delivery of its own, as if it had come alone, and has a part
//! in the acknowledgement of the message.

use std::mem;

use super::delivery::{Acknowledged, Delivery};
use super::queues::QueueRole;
use crate::broker::Receipt;
use crate::codec::coalesced::{CoalescedCall, decode_calls};
use crate::codec::{self, Codec, DecodeError, Format};
use crate::error::Refusal;
use crate::message::{ATTEMPTS, CALLS, DEADLINE, Dialect, EncodedReply, Request, TIMEOUT, status};

impl Delivery {
    /// Whether it holds several calls; what was too large to be kept is refused as a request is.
    pub(super) fn is_of_calls(&self) -> bool {
        self.request.dialect == Dialect::Native && self.request.function == CALLS && self.request.dropped.is_none()
    }

    /// Whether it has come with others in one message.
    pub(super) fn is_coalesced(&self) -> bool {
        self.receipt.calls().is_some()
    }

    /// Takes a message of calls apart.
    ///
    /// # Errors
    /// It is none: none of it is run. The delivery as it was, and the refusal.
    pub(super) fn into_calls(mut self) -> Result<Vec<Delivery>, Box<(Delivery, EncodedReply)>> {
        let body = mem::take(&mut self.request.body);
        let calls = match decode_calls(&body) {
            Ok(calls) => calls,
            Err(error) => {
                self.request.body = body;
                return Err(Box::new((self, unreadable(&error))));
            }
        };
        let Delivery { service, request, receipt, reply_to, is_accepted, .. } = self;
        let delivery = |(call, receipt): (CoalescedCall<'_>, Receipt)| Delivery {
            service,
            // Where it goes if it is given back.
            queue: QueueRole::Own,
            request: call_request(call, &request),
            receipt,
            acknowledged: Acknowledged::No,
            reply_to: reply_to.clone(),
            is_accepted,
        };
        let receipts = receipt.of_calls(calls.len());
        Ok(calls.into_iter().zip(receipts).map(delivery).collect())
    }
}

/// The request that a call is, with what it shares with the others of its message.
fn call_request(call: CoalescedCall<'_>, message: &Request) -> Request {
    let CoalescedCall { id, function, content_type, deadline, timeout, headers, body } = call;
    let mut headers = headers.into_owned();
    headers.remove(ATTEMPTS);
    for (name, milliseconds) in [(DEADLINE, deadline), (TIMEOUT, timeout)] {
        if let Some(milliseconds) = milliseconds {
            headers.set_own(name, milliseconds);
        }
    }
    Request {
        dialect: Dialect::Native,
        function: function.to_owned(),
        content_type: content_type.map(str::to_owned),
        body: body.to_owned(),
        dropped: None,
        correlation_id: Some(id.to_owned()),
        reply_to: message.reply_to.clone(),
        app_id: message.app_id.clone(),
        headers,
        // How often is not known of one among several: they are counted from now on, each alone.
        redelivered: message.attempts() > 0,
    }
}

fn unreadable(error: &DecodeError) -> EncodedReply {
    let message = format!("the message is no list of calls, and none of it was run: {error}");
    codec::refusal(Format::Native(Codec::MessagePack), &Refusal::new(status::BAD_REQUEST, message))
}
