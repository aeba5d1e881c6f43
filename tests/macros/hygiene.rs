//! The attribute in the most unfriendly surroundings: whatever an expansion needs, it brings along.
//!
//! That this file compiles is most of the test.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic, unused_qualifications, missing_debug_implementations)]

/// A scope in which the usual names mean something else.
#[allow(dead_code, unused_macros, non_camel_case_types)]
mod shadowed {
    pub(super) struct Result;
    pub(super) struct Vec;
    pub(super) struct Option;
    pub(super) struct String;
    pub(super) struct Box;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Client;
    pub(super) struct str;
    pub(super) struct bool;
    pub(super) struct usize;
    pub(super) trait Function {}
    pub(super) trait From {}
    pub(super) trait Into {}
    pub(super) mod core {}
    pub(super) mod std {}
    macro_rules! concat {
        () => {};
    }
    macro_rules! env {
        () => {};
    }

    /// Arguments that have the names of what the expansion itself uses.
    #[guirpc::function]
    pub(super) fn add(client: i64, arguments: i64, invocation: i64, add: i64) -> i64 {
        client + arguments + invocation + add
    }

    /// A function that has the name of what the expansion itself uses.
    #[guirpc::function]
    pub(super) fn invocation(argument_a: i64, a: i64) -> i64 {
        argument_a - a
    }

    /// A fallible function where `Result` is taken.
    #[guirpc::function(timeout = "2s", idempotent)]
    pub(super) fn divide(a: i64, b: i64) -> ::core::result::Result<i64, guirpc::Fault> {
        match b {
            0 => ::core::result::Result::Err(guirpc::Fault::new(422, "division by zero")),
            b => ::core::result::Result::Ok(a / b),
        }
    }
}

use serde_json::json;

/// The same file is an example of its own, built as a library, where it shows that no public item lacks its docs.
#[allow(unreachable_pub, reason = "nothing of a test can be reached from elsewhere")]
mod library;

macro_rules! functions {
    ($($name:ident: $ty:ty;)*) => {
        $(
            /// Made by a macro.
            #[guirpc::function]
            fn $name(value: $ty, other: &str) -> $ty {
                let _ = other;
                value
            }
        )*
    };
}

functions! {
    same_text: String;
    same_number: i64;
}

/// The library, where somebody else has put it.
mod vendored {
    pub(crate) use guirpc as rpc;
}

#[guirpc::function(crate = crate::vendored::rpc)]
fn by_another_path() -> u8 {
    1
}

fn name<F: guirpc::Function>() -> String {
    format!("{}.{}({})", F::SERVICE, F::NAME, F::PARAMETERS.join(", "))
}

#[test]
fn the_function_stays_what_it_was() {
    assert_eq!(shadowed::add(1, 2, 3, 4), 10);
    assert_eq!(shadowed::divide(6, 3), Ok(2));
    assert_eq!(library::grow(vec![1], true), [1, 0]);
    assert_eq!(same_text("a".to_owned(), "b"), "a");
    assert_eq!(by_another_path(), 1);
}

#[test]
fn the_stub_knows_names_and_options() {
    use std::time::Duration;

    use guirpc::Function;

    assert_eq!(name::<shadowed::add>(), "guirpc-tests.add(client, arguments, invocation, add)");
    assert_eq!(name::<library::echo>(), "texts.echo-text(text)");
    assert_eq!(name::<library::count>(), "guirpc-tests.count(bytes)");
    assert_eq!(name::<library::r#match>(), "guirpc-tests.match(type, async)");
    assert_eq!(name::<library::attempt_call>(), "guirpc-tests.attempt(_underscored)");
    assert_eq!(name::<library::elsewhere::add>(), "math.add(a, b)");
    assert_eq!(name::<same_number>(), "guirpc-tests.same_number(value, other)");
    assert_eq!(name::<by_another_path>(), "guirpc-tests.by_another_path()");
    assert_eq!(<shadowed::divide as Function>::TIMEOUT, Some(Duration::from_secs(2)));
    assert_eq!([<shadowed::divide as Function>::IDEMPOTENT, <shadowed::add as Function>::IDEMPOTENT], [true, false]);
    assert_eq!(<library::elsewhere::add as Function>::TIMEOUT, None);
}

#[test]
fn a_function_in_a_function_has_its_stub_there() {
    #[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
    struct Local(i64);

    #[guirpc::function]
    fn inner(local: Local) -> i64 {
        local.0
    }

    assert_eq!(inner(Local(3)), 3);
    assert_eq!(name::<inner>(), "guirpc-tests.inner(local)");
}

/// What the service answers, in process, to a call with these arguments.
#[track_caller]
fn answer(function: &str, arguments: &serde_json::Value) -> (u16, serde_json::Value) {
    let dispatcher = guirpc::Setup::new(["guirpc-tests"])
        .state(library::Counter::default())
        .dispatcher()
        .expect("all state is given, and no two functions have one name");
    let request = guirpc::Request {
        function: function.to_owned(),
        content_type: Some("application/json".to_owned()),
        body: arguments.to_string().into_bytes(),
        ..guirpc::Request::default()
    };
    let reply = dispatcher.dispatch(&request, std::time::SystemTime::now());
    (reply.status, serde_json::from_slice(&reply.body).expect("the reply is JSON too"))
}

#[test]
fn a_request_runs_the_function() {
    assert_eq!(answer("add", &json!({"client": 1, "arguments": 2, "invocation": 3, "add": 4})), (200, json!(10)));
    assert_eq!(answer("divide", &json!([6, 3])), (200, json!(2)));
    assert_eq!(answer("divide", &json!([6, 0])), (422, json!({"message": "division by zero"})));
    assert_eq!(answer("invocation", &json!({"a": 1, "argument_a": 3})), (200, json!(2)));
    assert_eq!(answer("nothing", &json!({})), (200, json!(null)));
    assert_eq!(answer("count", &json!({"bytes": [1, 2, 3]})), (200, json!(3)));
    assert_eq!(answer("match", &json!({"type": "a"})), (200, json!(["a", null])));
    assert_eq!(answer("grow", &json!([[1], true])), (200, json!([1, 0])));
    assert_eq!(answer("create", &json!({"name": "ada"})), (201, json!("ada")));
    assert_eq!(answer("search", &json!([])), (200, json!({"found": []})));
    assert_eq!(answer("attempt", &json!([1])), (503, json!({"message": "not today"})));
    assert_eq!(answer("most", &json!(vec![1; 16])), (200, json!(16)));
    assert_eq!(answer("same_text", &json!({"value": "a", "other": "b"})), (200, json!("a")));
    assert_eq!(answer("by_another_path", &json!([])), (200, json!(1)));
}

#[test]
fn what_is_configured_away_is_not_served() {
    let (status, refusal) = answer("absent", &json!([]));
    assert_eq!(status, 404, "{refusal}");
    assert_eq!(answer("present", &json!([7])), (200, json!(7)));
}

/// Never run: that it compiles shows that the stubs take exactly the arguments of their functions.
#[allow(dead_code, reason = "a client needs a broker")]
fn callers(client: &guirpc::Client) -> Result<(), Box<dyn std::error::Error>> {
    let _: i64 = shadowed::add::call(client, 1, 2, 3, 4)?;
    let _: i64 = shadowed::divide::call(client, 1, 2)?;
    for sum in shadowed::add::call_many(client, [(1, 2, 3, 4)]) {
        let _: i64 = sum?;
    }
    let text = "text".to_owned();
    let _: Vec<String> = library::echo::call_many(client, [(text.as_str(),)]).collect::<Result<_, _>>()?;
    let _: String = library::echo::call(client, "text")?;
    let _: u64 = library::count::call(client, b"bytes")?;
    let _: (String, Option<u8>) = library::r#match::call(client, String::new(), None)?;
    let _: String = library::create::call(client, String::new())?;
    let _: library::SearchResult = library::search::call(client)?;
    let _: i64 = library::attempt_call::call(client, 1)?;
    let _: i64 = library::elsewhere::add::call(client, 1, 2)?;
    drop::<guirpc::Pending<i64>>(library::elsewhere::add::start(client, 1, 2)?);
    drop::<guirpc::Pending<String, guirpc::Fault>>(library::create::start(client, String::new())?);
    library::echo::send(client, "text")?;
    Ok(())
}
