//! The handshake of a connection: protocol header, authentication, and negotiated limits.

use std::io::Read;
use std::time::Duration;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::connection::{AMQPMethod as Method, OpenOk, Start, StartOk, Tune, TuneOk};
use amq_protocol::types::{AMQPValue, FieldTable};

use super::methods::{Unreadable, method_id, parse_method, write_method};
use super::refusal::{Code, MethodId, Refusal};
use super::send_buffer::SendBuffer;
use super::state::Client;
use super::wire::{FrameReader, METHOD, ReadError};

/// RabbitMQ's own limits.
const CHANNEL_MAX: u16 = 2047;
pub(super) const FRAME_MAX: usize = 128 << 10;
/// What every client has to be able to take; nothing larger may be sent before the limits are agreed on.
const FRAME_MIN: usize = 4096;
/// What RabbitMQ suggests, in seconds.
const HEARTBEAT: u16 = 60;

const MECHANISM: &str = "PLAIN";
const USER: &str = "guest";
const PASSWORD: &str = "guest";
const PROTOCOL: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// The parameters that client and broker negotiated.
#[derive(Debug)]
pub(super) struct Negotiated {
    pub(super) client: Client,
    pub(super) channel_max: u16,
    pub(super) heartbeat: Option<Duration>,
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Disconnect {
    /// The client is gone, or the broker hangs up without a reason.
    Gone,
    /// The broker closes the connection with this reason, about this method.
    Refused(Refusal, MethodId),
    /// The client has sent `connection.close`.
    ClosedByClient,
    /// Another thread has sent the client `connection.close`.
    ClosedByBroker,
}

impl From<ReadError> for Disconnect {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Gone => Disconnect::Gone,
            ReadError::Refused(refusal) => Disconnect::Refused(refusal, (0, 0)),
        }
    }
}

impl From<Unreadable> for Disconnect {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Unknown => Disconnect::Gone,
            Unreadable::Refused(refusal, about) => Disconnect::Refused(refusal, about),
        }
    }
}

/// Leads a client from its first byte to an open connection.
///
/// # Errors
/// It speaks another protocol, its access is refused, or it exceeds the limits.
pub(super) fn shake_hands(
    reader: &mut FrameReader<impl Read>,
    send_buffer: &SendBuffer,
) -> Result<Negotiated, Disconnect> {
    if reader.protocol_header()? != *PROTOCOL {
        send_buffer.put(|out| out.extend_from_slice(PROTOCOL));
        return Err(Disconnect::Gone);
    }
    reader.frame_max = FRAME_MIN;
    let negotiated = agree(reader, send_buffer).map_err(unexplained)?;
    reader.frame_max = negotiated.client.frame_max;
    let open = expect(reader, "opening", |method| if let Method::Open(open) = method { Some(open) } else { None })?;
    if open.virtual_host != "/" {
        let text = format!("vhost {} not found", open.virtual_host);
        return Err(Disconnect::Refused(Refusal::new(Code::NotAllowed, text), (10, 40)));
    }
    Ok(negotiated)
}

fn agree(reader: &mut FrameReader<impl Read>, send_buffer: &SendBuffer) -> Result<Negotiated, Disconnect> {
    send(send_buffer, Method::Start(greeting()));
    let start_ok = expect(reader, "starting", |method| if let Method::StartOk(ok) = method { Some(ok) } else { None })?;
    let client = introduced(start_ok)?;
    let frame_max = u32::try_from(FRAME_MAX).expect("it is 128 KiB");
    send(send_buffer, Method::Tune(Tune { channel_max: CHANNEL_MAX, frame_max, heartbeat: HEARTBEAT }));
    let tune_ok = expect(reader, "tuning", |method| if let Method::TuneOk(ok) = method { Some(ok) } else { None })?;
    let TuneOk { channel_max, frame_max, heartbeat } = tune_ok;
    let frame_max = frame_max as usize;
    // 0, which means no limit, is more than there is, too.
    if !(1..=CHANNEL_MAX).contains(&channel_max) || !(FRAME_MIN..=FRAME_MAX).contains(&frame_max) {
        let text = format!("no more than {CHANNEL_MAX} channels, and frames of {FRAME_MIN} to {FRAME_MAX} bytes");
        return Err(Disconnect::Refused(Refusal::new(Code::NotAllowed, text), (10, 31)));
    }
    let heartbeat = Some(heartbeat).filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
    Ok(Negotiated { client: Client { frame_max, ..client }, channel_max, heartbeat })
}

/// Before RabbitMQ has authenticated a client, the only reason that it sends is that access is refused.
fn unexplained(end: Disconnect) -> Disconnect {
    match end {
        Disconnect::Refused(Refusal { code: Code::AccessRefused, .. }, _) => end,
        _ => Disconnect::Gone,
    }
}

/// The end of the handshake; it is sent once the broker state has the connection.
pub(super) fn send_open_ok(send_buffer: &SendBuffer) {
    send(send_buffer, Method::OpenOk(OpenOk { known_hosts: String::new() }));
}

fn send(send_buffer: &SendBuffer, method: Method) {
    send_buffer.put(|out| write_method(out, 0, &AMQPClass::Connection(method)));
}

/// Reads the one method that may come now.
fn expect<T>(
    reader: &mut FrameReader<impl Read>,
    state: &str,
    take: impl Fn(Method) -> Option<T>,
) -> Result<T, Disconnect> {
    let frame = reader.next()?;
    let about = method_id(&frame.payload);
    if frame.channel != 0 || frame.kind != METHOD {
        return Err(Disconnect::Refused(Refusal::unexpected_frame(frame.kind, &frame.payload), (0, 0)));
    }
    let method = parse_method(&frame.payload)?;
    let expected = if let AMQPClass::Connection(method) = method { take(method) } else { None };
    expected.ok_or_else(|| Disconnect::Refused(Refusal::unexpected_method(state), about))
}

fn greeting() -> Start {
    let capabilities = [
        "publisher_confirms",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "authentication_failure_close",
        "per_consumer_qos",
        "direct_reply_to",
    ];
    let capabilities = capabilities.map(|name| (name.to_owned(), AMQPValue::Boolean(true)));
    let text = |text: &str| AMQPValue::LongString(text.to_owned());
    let server_properties = FieldTable::from(
        [
            ("product", text("guirpc embedded broker")),
            ("version", text(env!("CARGO_PKG_VERSION"))),
            ("platform", text("Rust")),
            ("information", text("in memory, for development and tests")),
            ("capabilities", AMQPValue::FieldTable(capabilities.into())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    Start {
        version_major: 0,
        version_minor: 9,
        server_properties,
        mechanisms: MECHANISM.to_owned(),
        locales: "en_US".to_owned(),
    }
}

/// Checks who a client is.
fn introduced(start_ok: StartOk) -> Result<Client, Disconnect> {
    let about = (10, 11);
    let StartOk { client_properties, mechanism, response, .. } = start_ok;
    if mechanism != MECHANISM {
        let text = format!("unknown authentication mechanism '{mechanism}'");
        return Err(Disconnect::Refused(Refusal::new(Code::CommandInvalid, text), about));
    }
    let capabilities = match client_properties.get("capabilities") {
        Some(AMQPValue::FieldTable(capabilities)) => Some(capabilities),
        _ => None,
    };
    let can = |name| capabilities.and_then(|table| table.get(name)) == Some(&AMQPValue::Boolean(true));
    let ["", user, password] = *response.split('\0').collect::<Vec<_>>() else { return Err(Disconnect::Gone) };
    if (user, password) != (USER, PASSWORD) {
        if !can("authentication_failure_close") {
            return Err(Disconnect::Gone);
        }
        let text = format!(
            "Login was refused using authentication mechanism {MECHANISM}. For details see the broker logfile."
        );
        return Err(Disconnect::Refused(Refusal::new(Code::AccessRefused, text), (0, 0)));
    }
    let said = |name| match client_properties.get(name) {
        Some(AMQPValue::LongString(text)) => Some(text.clone()),
        _ => None,
    };
    Ok(Client {
        user: USER.to_owned(),
        information: said("information").or_else(|| said("product")).unwrap_or_default(),
        frame_max: FRAME_MAX,
        supports_blocked: can("connection.blocked"),
        supports_cancel: can("consumer_cancel_notify"),
    })
}
