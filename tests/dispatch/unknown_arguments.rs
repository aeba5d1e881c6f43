//! Arguments that a function does not take: said in the reply, or refused.

use guirpc::{Codec, Dispatcher, HeaderValue, ReplyKind, Setup, UnknownArguments};
use serde_json::{Value, json};

use crate::functions::Runs;
use crate::service::{NOW, SERVICE, dispatcher, message, output, request};

const BOTH: [Codec; 2] = [Codec::MessagePack, Codec::Json];

/// What the reply says that was ignored, and the function's output.
fn ignored(codec: Codec, function: &str, arguments: &Value) -> (Option<String>, Option<ReplyKind>) {
    let reply = dispatcher().dispatch(&request(codec, function, arguments), NOW);
    let header = reply.headers.get("guirpc-ignored-arguments").and_then(HeaderValue::as_str);
    (header.map(str::to_owned), reply.kind)
}

#[test]
fn the_reply_says_what_was_ignored() {
    let check = |function: &str, arguments: Value, kind, said: Option<&str>| {
        for codec in BOTH {
            let (header, got) = ignored(codec, function, &arguments);
            let said = said.map(|said| format!("`{function}` has no argument {said}"));
            assert_eq!((header, got), (said, Some(kind)), "{codec:?} {arguments}");
        }
    };
    check("perhaps", json!({ "number": 1 }), ReplyKind::Output, None);
    check("perhaps", json!({}), ReplyKind::Output, None);
    check("perhaps", json!([1]), ReplyKind::Output, None);
    check("perhaps", json!({ "numbr": 1 }), ReplyKind::Output, Some("`numbr`, did you mean `number`?"));
    check("add", json!({ "a": 1, "b": 2, "total": [{}] }), ReplyKind::Output, Some("`total`"));
    // Also beside an error, a fault and a panic, of which it may be the reason.
    let misspelt = Some("`nam`, did you mean `name`?");
    check("find", json!({ "name": "bob", "nam": "ada" }), ReplyKind::Error, misspelt);
    check("parse", json!({ "text": "", "radix": 2 }), ReplyKind::Fault, Some("`radix`"));
    check("panic", json!({ "message": "no", "loud": true }), ReplyKind::Fault, Some("`loud`"));
}

#[test]
fn a_header_does_not_grow_with_what_was_sent() {
    let many: serde_json::Map<String, Value> =
        (0..10_000).map(|number| (format!("{number}-{}", "ü\n".repeat(100)), Value::Null)).collect();
    for codec in BOTH {
        let (header, kind) = ignored(codec, "nothing", &Value::Object(many.clone()));
        let header = header.expect("they are ignored");
        assert_eq!(kind, Some(ReplyKind::Output));
        assert!(header.len() <= 300 && header.ends_with("; and more") && !header.contains('\n'), "{header}");
    }
}

#[test]
fn a_refusal_of_missing_arguments_names_the_misspelt_one() {
    for codec in BOTH {
        let reply = dispatcher().dispatch(&request(codec, "same_number", &json!({ "nmuber": 1.5 })), NOW);
        let said = message(&reply);
        assert!(
            said.contains("argument `number` is missing") && said.contains("`nmuber`, did you mean `number`?"),
            "{said}"
        );
    }
}

#[test]
fn a_service_may_refuse_them() {
    let setup = Setup::new([SERVICE]).state(Runs::default()).unknown_arguments(UnknownArguments::Refuse);
    let strict: Dispatcher = setup.dispatcher().unwrap();
    for codec in BOTH {
        let reply = strict.dispatch(&request(codec, "perhaps", &json!({ "numbr": 1 })), NOW);
        assert_eq!((reply.kind, reply.status), (Some(ReplyKind::Refusal), 400));
        assert_eq!(message(&reply), "`perhaps` has no argument `numbr`, did you mean `number`?");
        let reply = strict.dispatch(&request(codec, "perhaps", &json!({ "number": 1 })), NOW);
        assert_eq!(output::<Option<u8>>(&reply), Some(1));
    }
}
