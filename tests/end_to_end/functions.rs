//! Every kind of function is called through its stub, in every codec that can carry it.

use anyhow::ensure;
use guirpc::{CallError, Codec};
use harness::{Broker, Case};
use serde_json::json;

use crate::service::{SERVICE, serve};
use crate::workload::tasks::later;
use crate::workload::{
    FindError, User, add, birthday, count, count_early, create, describe, find, halved, r#match, mean, nothing, parse,
    reversed, seen,
};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("functions::plain_values", plain_values),
        Case::shared("functions::borrowed_arguments", borrowed_arguments),
        Case::shared("functions::structs_and_options", structs_and_options),
        Case::shared("functions::typed_errors", typed_errors),
        Case::shared("functions::faults_have_status_and_details", faults_have_status_and_details),
        Case::shared("functions::replies_have_status_and_headers", replies_have_status_and_headers),
        Case::shared("functions::context", context),
        Case::shared("functions::state", state),
        Case::shared("functions::async_functions", async_functions),
        Case::shared("functions::single_values_as_text_and_bytes", single_values_as_text_and_bytes),
        Case::shared("functions::calls_without_a_stub", calls_without_a_stub),
        Case::shared("functions::numbers_are_exact_or_refused", numbers_are_exact_or_refused),
        Case::shared("functions::an_ignored_argument_is_said", an_ignored_argument_is_said),
        Case::shared("functions::pending_is_a_future", pending_is_a_future),
    ]
}

const BOTH: [Codec; 2] = [Codec::MessagePack, Codec::Json];

fn plain_values(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for codec in BOTH {
        let client = client.with_codec(codec);
        ensure!(add::call(&client, 2, -3)? == -1);
        nothing::call(&client)?;
        ensure!(reversed::call(&client, vec![0, 1, 255])? == [255, 1, 0]);
        ensure!(r#match::call(&client, "match")?);
    }
    Ok(())
}

fn borrowed_arguments(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for codec in BOTH {
        let text = "a \"quoted\" ü";
        ensure!(describe::call(&client.with_codec(codec), text, b"1234")? == format!("{text}: 4 bytes"));
    }
    Ok(())
}

fn structs_and_options(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let ada = User { name: "ada".to_owned(), age: 36, picture: vec![0; 300] };
    for codec in BOTH {
        ensure!(birthday::call(&client.with_codec(codec), ada.clone(), None)? == User { age: 37, ..ada.clone() });
        ensure!(birthday::call(&client.with_codec(codec), ada.clone(), Some(4))? == User { age: 40, ..ada.clone() });
    }
    Ok(())
}

fn typed_errors(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for codec in BOTH {
        let client = client.with_codec(codec);
        ensure!(find::call(&client, "ada")?.age == 36);
        let expected = CallError::Function(FindError::NoSuchUser { name: "bob".to_owned() });
        let error = find::call(&client, "bob").unwrap_err();
        ensure!(error == expected, "{error:?}");
        ensure!(error.may_have_run() && !error.is_retryable());
    }
    Ok(())
}

fn faults_have_status_and_details(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for codec in BOTH {
        let client = client.with_codec(codec);
        ensure!(parse::call(&client, "12")? == 12);
        let CallError::Fault(fault) = parse::call(&client, "").unwrap_err() else { anyhow::bail!("no fault") };
        ensure!((fault.status(), fault.message()) == (409, "nothing to parse"));
        ensure!(fault.details() == Some(&json!({ "length": 0 })));
        let CallError::Fault(fault) = parse::call(&client, "x").unwrap_err() else { anyhow::bail!("no fault") };
        ensure!((fault.status(), fault.message()) == (400, "invalid digit found in string"));
    }
    Ok(())
}

fn replies_have_status_and_headers(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(create::call(&client, "ada")? == "/users/ada");
    let reply = create::start(&client, "ada")?.wait_reply()?;
    ensure!(reply.status() == 201);
    ensure!(reply.headers().get("etag").and_then(guirpc::HeaderValue::as_integer) == Some(7));
    ensure!(reply.into_value() == "/users/ada");
    Ok(())
}

fn context(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let seen = seen::call(&client.with_app_id("tests").with_header("tenant", "a"))?;
    for (name, value) in [
        ("service", SERVICE),
        ("function", "seen"),
        ("app_id", "tests"),
        ("tenant", "a"),
        ("deadline", "true"),
        ("awaited", "true"),
        ("redelivered", "false"),
    ] {
        ensure!(seen.get(name).map(String::as_str) == Some(value), "{name} in {seen:?}");
    }
    Ok(())
}

fn state(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(count::call(&client, "a")? == 1);
    ensure!(count::call(&client, "b")? == 1);
    ensure!(count::call(&client, "a")? == 2);
    ensure!(count_early::call(&client, "a")? == 3);
    Ok(())
}

fn async_functions(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(later::call(&client, "now")? == "NOW");
    Ok(())
}

fn single_values_as_text_and_bytes(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(later::call(&client.with_codec(Codec::Text), "text")? == "TEXT");
    ensure!(parse::call(&client.with_codec(Codec::Text), "-5")? == -5);
    ensure!(reversed::call(&client.with_codec(Codec::OctetStream), vec![0, 1, 255])? == [255, 1, 0]);
    let error = add::call(&client.with_codec(Codec::Text), 1, 2).unwrap_err();
    ensure!(matches!(error, CallError::Unsendable { .. }), "{error:?}");
    Ok(())
}

fn numbers_are_exact_or_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let json = client.with_codec(Codec::Json);
    ensure!(halved::call(&json, u128::MAX)? == u128::MAX / 2);
    ensure!(halved::call(&client, u64::MAX.into())? == u128::from(u64::MAX / 2));
    let error = halved::call(&client, u128::MAX).unwrap_err();
    let CallError::Unsendable { message } = error else { anyhow::bail!("it is sent: {error:?}") };
    let said = format!("argument `number`: the integer {} does not fit into 64 bits; send it as JSON", u128::MAX);
    ensure!(message.contains(&said), "{message}");

    // A `Value` has no room for it, so that it is refused where it comes back.
    let largest = format!(r#"{{"number": {}}}"#, u128::MAX);
    let half = (u128::MAX / 2).to_string();
    ensure!(client.call_json_text(SERVICE, "halved", &largest)? == half);
    let error = client.call_json(SERVICE, "large", json!({})).unwrap_err();
    ensure!(matches!(&error, CallError::Undecodable { message } if message.contains("64 bits")), "{error:?}");
    ensure!(client.call_json_text(SERVICE, "large", "{}")? == u128::MAX.to_string());
    client.send_json_text(SERVICE, "halved", &largest)?;
    for arguments in ["1", "{", r#"{"number": NaN}"#, "[1] [2]"] {
        let error = client.call_json_text(SERVICE, "halved", arguments).unwrap_err();
        ensure!(matches!(&error, CallError::Unsendable { .. }), "{arguments}: {error:?}");
    }

    ensure!(mean::call(&client, vec![])?.is_some_and(f64::is_nan));
    ensure!(mean::call(&client, vec![f64::INFINITY])? == Some(f64::INFINITY));
    let error = mean::call(&json, vec![1.0, f64::NAN]).unwrap_err();
    ensure!(
        matches!(&error, CallError::Unsendable { message } if message.contains("argument `of`: `[1]`: JSON has no number for NaN")),
        "{error:?}"
    );
    let error = mean::call(&json, vec![]).unwrap_err();
    ensure!(
        matches!(&error, CallError::Fault(fault) if fault.message().contains("JSON has no number for NaN")),
        "{error:?}"
    );
    Ok(())
}

/// As somebody else wrote the stub, and misspelt it.
#[guirpc::function(service = "guirpc-tests", name = "birthday", stub = misspelt_birthday)]
fn misspelt(user: User, yeers: Option<u8>) -> User;

fn an_ignored_argument_is_said(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let ada = User { name: "ada".to_owned(), age: 36, picture: vec![] };
    birthday::call(&client, ada.clone(), Some(4))?;
    ensure!(client.ignored_arguments().is_empty());
    for codec in BOTH {
        let (_server, client) = serve(broker)?;
        ensure!(misspelt_birthday::call(&client.with_codec(codec), ada.clone(), Some(4))?.age == 37);
        let ignored = client.ignored_arguments();
        ensure!(ignored == ["`birthday` has no argument `yeers`, did you mean `years`?"], "{ignored:?}");
    }
    Ok(())
}

fn calls_without_a_stub(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    ensure!(client.call_json(SERVICE, "add", json!({ "a": 1, "b": 2 }))? == json!(3));
    ensure!(client.call_json(SERVICE, "add", json!([1, 2]))? == json!(3));
    let error = client.call_json(SERVICE, "find", json!({ "name": "bob" })).unwrap_err();
    ensure!(error == CallError::Function(json!({ "NoSuchUser": { "name": "bob" } })), "{error:?}");
    let error = client.call_json(SERVICE, "add", json!(1)).unwrap_err();
    ensure!(matches!(error, CallError::Unsendable { .. }), "{error:?}");
    let info = client.ping(SERVICE)?;
    ensure!(info.service == SERVICE && info.functions.iter().any(|function| function == "add"), "{info:?}");
    Ok(())
}

fn pending_is_a_future(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let sums = (0..100).map(|n| add::start(&client, n, n)).collect::<Result<Vec<_>, _>>()?;
    let sums = futures_util::future::join_all(sums);
    for (n, sum) in (0..).zip(tokio::runtime::Builder::new_current_thread().build()?.block_on(sums)) {
        ensure!(sum? == n + n);
    }
    Ok(())
}
