//! Replays the messages in `corpus/`, each of which has something wrong with it, which its name says.
//!
//! A message that has ever made trouble gets a file there:
//!
//! - `why`: what would happen if nobody looked out for it.
//! - `function`, `content_type`, `headers`: the properties of the request, `headers` as integers or texts.
//! - `body`: its parts, each a `text` or bytes in `hex`, repeated so many `times`.
//! - `expected`: the `kind` and `status` of the reply, and what its `message` contains.

use std::fs;
use std::path::{Path, PathBuf};

use guirpc::{Codec, Dispatcher, EncodedReply, HeaderValue, Headers, Request};
use serde::Deserialize;

use crate::service::{NOW, dispatcher, message, output, request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BadMessage {
    #[serde(rename = "why")]
    _why: String,
    function: Text,
    content_type: Option<Text>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, Header>,
    #[serde(default)]
    body: Vec<Part>,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Repeated(Part),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Header {
    Integer(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    text: String,
    #[serde(default)]
    hex: String,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: String,
    status: u16,
    message: String,
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        let digits: String = self.hex.split_whitespace().collect();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two hexadecimal digits");
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        [self.text.as_bytes(), &bytes].concat().repeat(self.times)
    }
}

impl Text {
    fn into_string(self) -> String {
        match self {
            Text::Plain(text) => text,
            Text::Repeated(part) => part.text.repeat(part.times),
        }
    }
}

impl BadMessage {
    fn read(path: &Path) -> Self {
        let file = fs::read(path).expect("the file can be read");
        serde_json::from_slice(&file).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn into_request(self) -> (Request, Expected) {
        let header = |(name, value)| match value {
            Header::Integer(integer) => (name, HeaderValue::Integer(integer)),
            Header::Text(text) => (name, HeaderValue::Text(text)),
        };
        let request = Request {
            function: self.function.into_string(),
            content_type: self.content_type.map(Text::into_string),
            body: self.body.iter().flat_map(Part::bytes).collect(),
            headers: self.headers.into_iter().map(header).collect::<Headers>(),
            ..Request::default()
        };
        (request, self.expected)
    }
}

/// What is wrong with the reply to the message in this file.
fn complaint(dispatcher: &Dispatcher, path: &Path) -> Option<String> {
    let (request, expected) = BadMessage::read(path).into_request();
    let reply = dispatcher.dispatch(&request, NOW);
    let EncodedReply { kind, status, .. } = &reply;
    let said = message(&reply);
    let as_expected = kind.is_some_and(|kind| kind.as_str() == expected.kind)
        && *status == expected.status
        && said.contains(&expected.message)
        && said.len() < 2_000;
    let name = path.file_name().unwrap_or_default().display();
    (!as_expected).then(|| format!("{name}: {kind:?} {status} {said:.2000}"))
}

#[test]
fn bad_messages_are_answered() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("dispatch/corpus");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(corpus).expect("the corpus is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() > 30, "most of the corpus is missing");
    let dispatcher = dispatcher();
    let complaints: Vec<String> = paths.iter().filter_map(|path| complaint(&dispatcher, path)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(output::<i64>(&dispatcher.dispatch(&request(Codec::Json, "add", &[2, 3]), NOW)), 5);
}
