//! A service of all [`functions`](crate::functions), and requests to it as any client could write them.

use std::time::{Duration, SystemTime};

use guirpc::{Codec, Dispatcher, EncodedReply, ReplyKind, Request, Setup};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::functions::Runs;

pub(crate) const SERVICE: &str = env!("CARGO_PKG_NAME");

/// When every request arrives, unless a test says otherwise.
pub(crate) const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// Larger than everything that the tests send, unless it is meant to be too large.
pub(crate) const MAX_BODY: usize = 4 << 20;

pub(crate) fn dispatcher() -> Dispatcher {
    tolerant_dispatcher(Duration::ZERO)
}

/// One that lets the caller's clock differ by so much.
pub(crate) fn tolerant_dispatcher(tolerance: Duration) -> Dispatcher {
    let setup = Setup::new([SERVICE]).state(Runs::default()).max_body(MAX_BODY).pickle(true);
    setup.clock_tolerance(tolerance).dispatcher().expect("the functions can be served")
}

/// A request whose body is written without guirpc's help.
pub(crate) fn request(codec: Codec, function: &str, arguments: &impl Serialize) -> Request {
    let body = match codec {
        Codec::Json => serde_json::to_vec(arguments).expect("the arguments have a form in JSON"),
        _ => rmp_serde::to_vec_named(arguments).expect("the arguments have a form in MessagePack"),
    };
    raw_request(codec, function, body)
}

pub(crate) fn raw_request(codec: Codec, function: &str, body: impl Into<Vec<u8>>) -> Request {
    Request {
        function: function.to_owned(),
        content_type: Some(codec.content_type().to_owned()),
        body: body.into(),
        ..Request::default()
    }
}

/// The value that a function returned.
#[track_caller]
pub(crate) fn output<T: DeserializeOwned>(reply: &EncodedReply) -> T {
    assert_eq!(reply.kind, Some(ReplyKind::Output), "{}", message(reply));
    match reply.content_type.as_ref() {
        "application/json" => serde_json::from_slice(&reply.body).expect("the reply is JSON of its type"),
        "application/msgpack" => rmp_serde::from_slice(&reply.body).expect("the reply is MessagePack of its type"),
        other => panic!("nobody asked for {other}"),
    }
}

/// What a fault or a refusal says, in whichever content type it is written.
pub(crate) fn message(reply: &EncodedReply) -> String {
    let body: Option<Value> = match reply.content_type.as_ref() {
        "application/json" => serde_json::from_slice(&reply.body).ok(),
        "application/msgpack" => rmp_serde::from_slice(&reply.body).ok(),
        _ => None,
    };
    let message = body.as_ref().and_then(|body| body["message"].as_str());
    message.map_or_else(|| String::from_utf8_lossy(&reply.body).into_owned(), str::to_owned)
}

/// So many seconds after [`NOW`].
pub(crate) fn seconds(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}
