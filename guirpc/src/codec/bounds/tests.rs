//! What exceeds the bounds is refused by every codec that could read it, and what keeps to them is not.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FEWEST_VALUES;
use crate::codec::{Codec, Format, PythonOptions, PythonSerializer};

/// A type that is made of itself by nothing that shows in a message.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Link(Option<Box<Link>>);

impl Link {
    fn of(length: usize) -> Self {
        (0..length).fold(Link(None), |link, _| Link(Some(Box::new(link))))
    }
}

/// Without a stack for it.
impl Drop for Link {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next {
            next = link.0.take();
        }
    }
}

/// One that is made of itself by lists.
#[derive(Debug, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

const PYTHON: [PythonSerializer; 3] = [PythonSerializer::Json, PythonSerializer::Text, PythonSerializer::Binary];

fn formats() -> impl Iterator<Item = Format> {
    let native = Codec::ALL.into_iter().map(Format::Native);
    native.chain(PYTHON.map(|serializer| {
        Format::Python(PythonOptions { request: serializer, response: serializer, ..PythonOptions::new() })
    }))
}

/// A body that says something, in this format.
fn body(format: Format) -> Vec<u8> {
    match format {
        Format::Native(Codec::MessagePack) => vec![1],
        Format::Native(_) => b"1".to_vec(),
        Format::Python(PythonOptions { response: PythonSerializer::Binary, .. }) => {
            BASE64_STANDARD.encode(b"\x80\x02K\x01.").into_bytes()
        }
        Format::Python(_) => BASE64_STANDARD.encode("1").into_bytes(),
    }
}

#[track_caller]
fn refused<T: DeserializeOwned>(format: Format, body: &[u8], why: &str) {
    match format.decode::<T>(body) {
        Ok(_) => panic!("{format:?} took it"),
        Err(error) => assert!(error.to_string().contains(why), "{format:?}: {error}"),
    }
}

#[test]
fn a_newtype_of_itself_is_not_read_for_ever() {
    for format in formats() {
        refused::<Link>(format, &body(format), "levels deep");
    }
    // As a key, too.
    refused::<BTreeMap<Link, u8>>(Format::Native(Codec::MessagePack), b"\x81\xa11\x01", "levels deep");
    refused::<BTreeMap<Link, u8>>(Format::Native(Codec::Json), br#"{"1":1}"#, "levels deep");
    assert_eq!(Format::Native(Codec::Json).decode::<Link>(b"null").ok(), Some(Link(None)));
}

#[test]
fn what_is_deep_is_not_written_either() {
    const DEEP: usize = 1 << 20;
    for format in formats() {
        let error = format.encode_object(&Link::of(DEEP)).unwrap_err().to_string();
        let is_of_bytes = format == Format::Native(Codec::OctetStream);
        assert!(error.contains("levels deep") || is_of_bytes, "{format:?}: {error}");
        let map = BTreeMap::from([(Link::of(DEEP), 1)]);
        assert!(format.encode_object(&map).is_err(), "{format:?}");
    }
    let tree = |depth| (0..depth).fold(Tree(Vec::new()), |tree, _| Tree(vec![tree]));
    for format in formats().filter(|format| !matches!(format, Format::Native(Codec::Text | Codec::OctetStream))) {
        let written = format.encode_object(&tree(1000)).map_err(|error| error.to_string());
        assert!(written.is_err_and(|error| error.contains("levels deep")), "{format:?}");
    }
}

/// A list in MessagePack of so many of these bytes.
fn list(count: usize, element: &[u8]) -> Vec<u8> {
    let head = [&[0xdd], &u32::try_from(count).unwrap().to_be_bytes()[..]].concat();
    [head, element.repeat(count)].concat()
}

#[test]
fn a_message_that_holds_too_many_values_is_refused() {
    let most = FEWEST_VALUES;
    let message_pack = Format::Native(Codec::MessagePack);
    // An empty list is a byte, and a `Value` in memory.
    refused::<Value>(message_pack, &list(most, &[0x90]), "more than 1048576 values");
    assert!(message_pack.decode::<Value>(&list(most - 1, &[0x90])).is_ok());
    refused::<Vec<Vec<u8>>>(message_pack, &list(most, &[0x90]), "more than 1048576 values");
    refused::<Value>(message_pack, &list(most, &[0xc3]), "more than 1048576 values");
    // Bytes are read as numbers by who keeps anything.
    let bytes = [&[0xc6], &u32::try_from(most).unwrap().to_be_bytes()[..], &vec![0; most]].concat();
    refused::<Value>(message_pack, &bytes, "more than 1048576 values");
    assert_eq!(message_pack.decode::<Vec<u8>>(&bytes).ok().map(|bytes| bytes.len()), Some(most));
    let json = |element: &str| format!("[{}{element}]", format!("{element},").repeat(most - 1)).into_bytes();
    for element in ["[]", "1", "\"\"", "{}"] {
        refused::<Value>(Format::Native(Codec::Json), &json(element), "more than 1048576 values");
    }
    let python = |serializer| Format::Python(PythonOptions { response: serializer, ..PythonOptions::new() });
    let in_python = BASE64_STANDARD.encode(json("[]")).into_bytes();
    refused::<Value>(python(PythonSerializer::Json), &in_python, "more than 1048576 values");
    let pickles = [
        // Made and thrown away; put aside under another number each time; named again and again.
        [&b"\x80\x02"[..], &b"N0".repeat(most + 1), b"N."].concat(),
        [&b"\x80\x04N"[..], &b"\x94".repeat(most + 1), b"."].concat(),
        [&b"\x80\x02]q\x00("[..], &b"h\x00".repeat(3), b"e."].concat(),
        [&b"\x80\x02](N\x94"[..], &b"h\x00".repeat(most), b"e."].concat(),
    ];
    for (pickle, why) in pickles.iter().zip(["values", "values", "levels deep", "values"]) {
        refused::<Value>(python(PythonSerializer::Binary), &BASE64_STANDARD.encode(pickle).into_bytes(), why);
    }
}

#[test]
fn numbers_that_a_type_asks_for_are_free() {
    let count = 4 * FEWEST_VALUES;
    let numbers = Format::Native(Codec::MessagePack).decode::<Vec<f64>>(&list(count, &[0xcb, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(numbers.ok().map(|numbers| numbers.len()), Some(count));
    let points = Format::Native(Codec::MessagePack).decode::<Vec<(u8, bool)>>(&list(count, &[0x92, 1, 0xc3]));
    assert_eq!(points.ok().map(|points| points.len()), Some(count));
    let json = format!("[{}[1,true]]", "[1,true],".repeat(count - 1));
    let points = Format::Native(Codec::Json).decode::<Vec<(u8, bool)>>(json.as_bytes());
    assert_eq!(points.ok().map(|points| points.len()), Some(count));
}

#[test]
fn a_larger_message_may_hold_more() {
    let count = 2 * FEWEST_VALUES;
    let text = [&[0xb0][..], &[b'x'; 16]].concat();
    let texts = Format::Native(Codec::MessagePack).decode::<Vec<String>>(&list(count - 1, &text));
    assert_eq!(texts.ok().map(|texts| texts.len()), Some(count - 1));
}
