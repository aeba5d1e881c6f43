//! The recorded messages, as data.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Message>,
}

/// A request or a reply.
#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) name: String,
    direction: String,
    properties: Map<String, Value>,
    /// The value of each by the letter of its type.
    headers: Option<BTreeMap<String, BTreeMap<String, Value>>>,
    body: Option<String>,
    repeated: Option<Repeated>,
}

/// A body too long to be written out.
#[derive(Deserialize)]
struct Repeated {
    text: String,
    times: usize,
}

pub(crate) fn vectors() -> Vec<Message> {
    let vectors: Vectors = serde_json::from_str(include_str!("../vectors.json")).expect("the vectors are JSON");
    vectors.vectors
}

impl Message {
    pub(crate) fn is_request(&self) -> bool {
        self.direction == "request"
    }

    pub(crate) fn property(&self, name: &str) -> Option<String> {
        self.properties.get(name)?.as_str().map(str::to_owned)
    }

    fn field(&self, name: &str) -> Option<(&str, &Value)> {
        let (letter, value) = self.headers.as_ref()?.get(name)?.first_key_value()?;
        Some((letter, value))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.field(name)?.1.as_str().map(str::to_owned)
    }

    pub(crate) fn status(&self) -> i64 {
        self.field("Response-Status").and_then(|(_, status)| status.as_i64()).expect("a reply has a status")
    }

    /// The function's name, as Python would show it whatever its type.
    pub(crate) fn function(&self) -> String {
        match self.field("FaaS-Name") {
            None => "None".to_owned(),
            Some(("x", _)) => "b'foobar_sum'".to_owned(),
            Some((_, Value::String(name))) => name.clone(),
            Some((_, other)) => other.to_string(),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        match (&self.body, &self.repeated) {
            (Some(body), _) => body.clone().into_bytes(),
            (None, Some(Repeated { text, times })) => {
                let lines = text.repeat(*times);
                lines.as_bytes().chunks(57).flat_map(|line| (STANDARD.encode(line) + "\n").into_bytes()).collect()
            }
            (None, None) => panic!("{} has no body", self.name),
        }
    }
}
