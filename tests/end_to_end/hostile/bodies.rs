//! Bodies with anything in them, in every content type.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::message::Message;

const MESSAGE_PACK: &[u8] = b"application/msgpack";
const JSON: &[u8] = b"application/json";
/// What a server takes.
const MAX_BODY: usize = 16 << 20;

pub(super) fn messages() -> Vec<Message> {
    let mut messages = message_pack();
    messages.extend(json());
    messages.extend(others());
    messages.extend(python());
    messages.extend(huge());
    messages
}

fn nested(open: &[u8], depth: usize, close: &[u8]) -> Vec<u8> {
    [&open.repeat(depth)[..], &close.repeat(depth)].concat()
}

fn message_pack() -> Vec<Message> {
    let bodies: [(&str, Vec<u8>); 19] = [
        ("nothing", vec![]),
        ("arrays in arrays", nested(b"\x91", 200_000, b"")),
        ("maps in maps", nested(b"\x81\xa0", 200_000, b"")),
        ("maps as keys", nested(b"\x81", 200_000, b"")),
        ("an array of four billion", b"\xdd\xff\xff\xff\xff".to_vec()),
        ("a map of four billion", b"\xdf\xff\xff\xff\xff".to_vec()),
        ("a text of four gigabytes", b"\x91\xdb\xff\xff\xff\xff".to_vec()),
        ("bytes of four gigabytes", b"\x91\xc6\xff\xff\xff\xff".to_vec()),
        ("an extension of four gigabytes", b"\x91\xc9\xff\xff\xff\xff\x01".to_vec()),
        ("arrays of four billion in each other", nested(b"\xdd\xff\xff\xff\xff", 1000, b"")),
        ("the reserved byte", vec![0xc1; 1000]),
        ("a text that is not UTF-8", b"\x82\xa1\xff\x01\xa1b\x02".to_vec()),
        ("integers at the limits", b"\x92\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xd3\x80\0\0\0\0\0\0\0".to_vec()),
        ("a sum that is too large", b"\x92\xd3\x7f\xff\xff\xff\xff\xff\xff\xff\x01".to_vec()),
        ("no number", b"\x92\xcb\x7f\xf8\0\0\0\0\0\0\xca\xff\x80\0\0".to_vec()),
        ("a moment", b"\x92\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01".to_vec()),
        ("one argument a million times", [b"\xde\xff\xff".to_vec(), b"\xa1a\x01".repeat(65_535)].concat()),
        ("a million nils", [b"\xdd\0\x0f\x42\x40".to_vec(), vec![0xc0; 1_000_000]].concat()),
        ("more behind it", b"\x92\x01\x02\x92\x01\x02".to_vec()),
    ];
    let bodies = bodies.into_iter();
    bodies
        .map(|(name, body)| Message::new(format!("MessagePack: {name}")).content_type(MESSAGE_PACK).body(body))
        .collect()
}

fn json() -> Vec<Message> {
    let digits = vec![b'9'; 1_000_000];
    let bodies: [(&str, Vec<u8>); 18] = [
        ("nothing", vec![]),
        ("arrays in arrays", nested(b"[", 200_000, b"]")),
        ("objects in objects", nested(b"{\"a\":", 200_000, b"}")),
        ("arrays without an end", nested(b"[", 200_000, b"")),
        ("a number of a million digits", [b"[", &digits[..], b", 1]"].concat()),
        ("a fraction of a million digits", [b"[0.", &digits[..], b", 1]"].concat()),
        ("a number beyond all", b"[1e999999999, -1e999999999]".to_vec()),
        ("a name of a million letters", [b"{\"", &digits[..], b"\": 1}"].concat()),
        ("half a pair", b"[\"\\ud800\", 1]".to_vec()),
        ("zeros", vec![0; 1000]),
        ("not UTF-8", b"[\"\xff\xfe\", 1]".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf[1, 2]".to_vec()),
        ("sixteen bits each", b"\xff\xfe[\x001\x00,\x002\x00]\x00".to_vec()),
        ("twice the same", b"{\"a\": 1, \"a\": 2, \"b\": 3}".to_vec()),
        ("no number", b"[NaN, -Infinity]".to_vec()),
        ("more behind it", b"[1, 2][1, 2]".to_vec()),
        ("a sum that is too large", b"[9223372036854775807, 1]".to_vec()),
        ("its prototype", b"{\"__proto__\": {\"a\": 1}, \"constructor\": 2}".to_vec()),
    ];
    let bodies = bodies.into_iter();
    bodies.map(|(name, body)| Message::new(format!("JSON: {name}")).content_type(JSON).body(body)).collect()
}

fn others() -> Vec<Message> {
    let magic: [(&str, &[u8]); 8] = [
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\0\xff\xff"),
        ("zlib", b"\x78\x9c\xff\xff"),
        ("zip", b"PK\x03\x04\xff\xff"),
        ("ELF", b"\x7fELF\x02\x01\x01"),
        ("an entity in itself", b"<!DOCTYPE a [<!ENTITY b \"&b;&b;\">]><a>&b;</a>"),
        ("a tag in itself", b"&a [*a, *a, *a]"),
        ("a script", b"#!/bin/sh\nrm -rf /\n"),
    ];
    let mut messages = Vec::new();
    for (name, body) in magic {
        let body = [body, &[0xaa; 5000]].concat();
        for (function, content_type) in [("add", JSON), ("add", MESSAGE_PACK), ("upper", b"text/plain")] {
            let message = Message::new(format!("{name} for {function}")).function(function.as_bytes());
            messages.push(message.content_type(content_type).body(body.clone()));
        }
    }
    messages.extend([
        Message::new("a text that is not UTF-8").function(b"upper").content_type(b"text/plain").body([0xff; 9999]),
        Message::new("a number of digits").function(b"parse").content_type(b"text/plain").body(vec![b'9'; 99_999]),
        Message::new("no bytes").function(b"reversed").content_type(b"application/octet-stream").body([]),
        Message::new("a panic of its own").function(b"panic").body(*b"[\"\\u001b[2J\\n\\u0000\"]"),
        Message::new("more than memory holds").function(b"parse").body(*b"[\"\"]"),
        Message::new("a user without an age")
            .function(b"birthday")
            .body(*b"[{\"name\": \"a\", \"picture\": []}, null]"),
        Message::new("a birthday too many")
            .function(b"birthday")
            .body(*b"[{\"name\": \"a\", \"age\": 255, \"picture\": []}, 255]"),
    ]);
    messages
}

fn python() -> Vec<Message> {
    let encoded = |body: &[u8]| STANDARD.encode(body).into_bytes();
    let texts: [(&str, Vec<u8>); 14] = [
        ("nothing", vec![]),
        ("no base64", vec![0xff; 1000]),
        ("only padding", vec![b'='; 100_000]),
        ("only white space", b" \r\n\t".repeat(100_000)),
        ("megabytes of A", vec![b'A'; 4 << 20]),
        ("base64 of base64", encoded(&encoded(&encoded(b"{}")))),
        ("a character short", b"e30".to_vec()),
        ("padding in the middle", b"e3==0=e30=".to_vec()),
        ("arrays in arrays", encoded(&nested(b"[", 200_000, b"]"))),
        ("objects in objects", encoded(&nested(b"{\"a\":", 200_000, b"}"))),
        ("a number of digits", encoded(&[b"{\"a\": ", &vec![b'9'; 100_000][..], b", \"b\": 1}"].concat())),
        ("not ASCII", encoded("{\"a\": \"ü\"}".as_bytes())),
        ("not UTF-8", encoded(b"{\"a\": \"\xff\"}")),
        ("half a pair", encoded(b"{\"a\": \"\\ud800\", \"b\": Infinity}")),
    ];
    let mut messages = Vec::new();
    for (name, body) in texts {
        for (function, content_type) in
            [(&b"add"[..], Some(JSON)), (b"upper", Some(&b"text/plain"[..])), (b"unpickled", None)]
        {
            let name = format!("Python: {name}, for {}", function.escape_ascii());
            messages.push(Message::python(name, function, content_type, body.clone()));
        }
    }
    for (name, pickle) in super::pickles::all() {
        messages.push(Message::python(format!("a pickle: {name}"), b"unpickled", None, encoded(&pickle)));
    }
    messages
}

fn huge() -> Vec<Message> {
    let add = |name: &str, size: usize| Message::new(name).content_type(MESSAGE_PACK).body(vec![0xc0; size]).huge();
    vec![
        add("a byte more than a server takes", MAX_BODY + 1),
        add("four times what a server takes", 4 * MAX_BODY),
        add("as much as a server takes", MAX_BODY).function(b"reversed").content_type(b"application/octet-stream"),
        Message::new("sixteen million arrays").content_type(MESSAGE_PACK).body(vec![0x90; MAX_BODY]).huge(),
        Message::new("five million elements").body([b"[".to_vec(), b"[],".repeat(5 << 20)].concat()).huge(),
        Message::python("megabytes of base64", b"unpickled", None, vec![b'A'; MAX_BODY]).huge(),
    ]
}
