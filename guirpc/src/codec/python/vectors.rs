//! What the original sent: read, and written again byte for byte, which is what a client of ours sends.

use serde::Deserialize;

use super::{PythonSerializer, PythonTextCodec, read, write};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    name: String,
    direction: String,
    properties: Properties,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Properties {
    content_type: Option<String>,
    content_encoding: Option<String>,
    app_id: Option<String>,
}

/// Written by hand or by a class of Python's, so that it is not what a client would write.
const OTHERWISE: [&str; 2] = ["binary_dict", "binary_uuid"];

#[test]
fn what_was_sent_is_what_we_would_send() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../../tests/interop/vectors.json")).expect("the vectors are JSON");
    let mut written = [0, 0];
    for Message { name, direction, properties, body } in vectors.vectors {
        let is_by_hand = properties.app_id.as_deref() == Some("raw");
        let (Some(body), false) = (body, is_by_hand || OTHERWISE.contains(&name.as_str())) else { continue };
        let serializer = match properties.content_type.as_deref() {
            None => PythonSerializer::Binary,
            Some("application/json") => PythonSerializer::Json,
            Some(_) => PythonSerializer::Text,
        };
        // Written by hand as well, and says nothing of itself.
        if name == "raw_no_content_type" && direction == "request" {
            continue;
        }
        let codec =
            properties.content_encoding.map_or(PythonTextCodec::Ascii, |name| PythonTextCodec::from_name(&name));
        let value = read(serializer, codec, body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let again = write(serializer, codec, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(String::from_utf8_lossy(&again), body, "{name}");
        written[usize::from(direction == "response")] += 1;
    }
    assert_eq!(written, [45, 65]);
}
