//! What the Python original and a broker sent each other, answered in process: byte for byte, or with the reason why not.

use std::time::SystemTime;

use guirpc::{Dialect, Dispatcher, EncodedReply, HeaderValue, Request, Setup};

mod data;
#[allow(clippy::disallowed_names, clippy::needless_pass_by_value, reason = "they are the original's, and served")]
mod functions;
mod vector;

use vector::{Message, vectors};

fn dispatcher() -> Dispatcher {
    Setup::new(["foobar"]).pickle(true).dispatcher().expect("the functions can be served")
}

/// The request as it would come off the queue.
fn request(message: &Message) -> Request {
    Request {
        dialect: Dialect::Python,
        function: message.function(),
        content_type: message.property("content_type"),
        body: message.body(),
        ..Request::default()
    }
}

/// What a reply says of itself: status, serializer, content type and encoding.
fn said(reply: &EncodedReply) -> (i64, String, Option<String>, Option<String>) {
    let serializer = reply.headers.get("Response-Serializer").and_then(HeaderValue::as_str).unwrap_or_default();
    let content_type = Some(reply.content_type.to_string()).filter(|content_type| !content_type.is_empty());
    let encoding = reply.content_encoding.as_ref().map(ToString::to_string);
    (reply.status.into(), serializer.to_owned(), content_type, encoding)
}

/// The words in a reply.
fn words(reply: &EncodedReply) -> String {
    use base64::Engine;
    let body: Vec<u8> = reply.body.iter().copied().filter(|byte| *byte != b'\n').collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(body).expect("the body is base64");
    String::from_utf8(bytes).expect("the body is a text")
}

const SERVER_ERROR: &str = "[ServerError] An unexpected error occurred while processing the request message: ";

/// Those that a Rust function cannot answer alike, with the reason, and what it answers.
const OTHERWISE: [(&str, &str, u16, &str); 16] = [
    (
        "exception_500",
        "a Rust function panics, where a Python function raises something with a class",
        500,
        "'Panic -> boom'",
    ),
    ("introspect", "the original's pika cannot read a header of 64 bits", 200, "introspect"),
    ("status_string", "a status is a number", 200, ""),
    ("status_big", "a status is a number of three digits", 200, ""),
    ("empty_text", "the original cannot send an empty text", 200, ""),
    (
        "unserializable",
        "the words are those of an exception that has nothing to do with it",
        500,
        "'SerializationError -> ",
    ),
    (
        "nonascii_text_reply",
        "the words are those of an exception that has nothing to do with it",
        500,
        "'\\xf1' is not in ascii",
    ),
    ("error_nonascii_message", "the original loses the message, and the status with it", 400, "ni\\xf1o"),
    ("binary_error", "the original's clients try to unpickle what has this serializer", 400, "bad binary"),
    ("binary_uuid", "to read it a class would have to be called", 500, "'UnpicklingError -> "),
    ("binary_dict", "tuples and sets arrive as lists", 200, ""),
    (
        "raw_unknown_function_nonascii",
        "the original never answers",
        400,
        "[RequestError] FaaS with name 'ni\\xf1o' is not registered",
    ),
    ("raw_nonascii_exception", "the original never answers", 500, "ni\\xf1o"),
    (
        "raw_missing_headers",
        "the original never answers",
        400,
        "[RequestError] FaaS with name 'None' is not registered",
    ),
    ("raw_no_reply_to", "nobody waits for an answer, which is the same as for those who do", 200, "{\"result\": 3}"),
    ("client_unroutable", "the request never arrives; if it did, it would be a usual one", 200, "{\"result\": 3}"),
];

/// Those that say nothing of a Rust function.
const NOT_FOR_US: [(&str, &str); 5] = [
    ("returns_none", "a function returns what its type says"),
    ("returns_dict", "a function returns what its type says"),
    ("error_no_message", "a fault has a message"),
    ("raw_function_kills_process", "a function that ends the process answers nothing"),
    ("client_no_exchange", "the request never arrives"),
];

#[test]
fn every_request_is_answered_as_the_original_answers_it() {
    let dispatcher = dispatcher();
    let vectors = vectors();
    let mut compared = 0;
    for sent in vectors.iter().filter(|message| message.is_request()) {
        if NOT_FOR_US.iter().any(|(name, _)| *name == sent.name) {
            continue;
        }
        let reply = dispatcher.dispatch(&request(sent), SystemTime::UNIX_EPOCH);
        assert_eq!(reply.kind, None, "{}", sent.name);
        if let Some((name, reason, status, part)) = OTHERWISE.iter().find(|(name, ..)| *name == sent.name) {
            assert_eq!(reply.status, *status, "{name}: {reason}: {}", words(&reply));
            if !part.is_empty() {
                assert!(words(&reply).contains(part), "{name}: {}", words(&reply));
            }
            if *status == 500 {
                assert!(words(&reply).starts_with(SERVER_ERROR), "{name}: {}", words(&reply));
            }
            continue;
        }
        let answer = vectors.iter().find(|message| !message.is_request() && message.name == sent.name);
        let answer = answer.unwrap_or_else(|| panic!("{} has no answer", sent.name));
        let expected = (
            answer.status(),
            answer.header("Response-Serializer").expect("a reply names its serializer"),
            answer.property("content_type"),
            answer.property("content_encoding"),
        );
        let shown = || String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(said(&reply), expected, "{}: {}", sent.name, shown());
        assert!(reply.body == answer.body(), "{}: {}", sent.name, shown());
        compared += 1;
    }
    assert_eq!((vectors.len(), compared), (143, 54));
}

#[test]
fn whatever_cannot_be_equal_is_there() {
    let vectors = vectors();
    let names = OTHERWISE.iter().map(|(name, ..)| name).chain(NOT_FOR_US.iter().map(|(name, _)| name));
    for name in names {
        assert!(vectors.iter().any(|message| message.is_request() && message.name == *name), "{name}");
    }
}

#[test]
fn pickles_are_refused_unless_they_are_asked_for() {
    let dispatcher = Setup::new(["foobar"]).dispatcher().expect("the functions can be served");
    let vectors = vectors();
    let pickled = vectors.iter().find(|message| message.name == "binary_int").expect("it is there");
    let reply = dispatcher.dispatch(&request(pickled), SystemTime::UNIX_EPOCH);
    assert_eq!((reply.status, reply.headers.get("Response-Serializer")), (415, Some(&"TextSerializer".into())));
    assert!(words(&reply).contains("its setting `pickle` is off"), "{}", words(&reply));
}
