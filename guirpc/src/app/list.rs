//! `list`: the functions of a program, for people or for programs.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

use serde_json::{Value, json};

use crate::error::Error;
use crate::registry::{Ack, Registration, Service, unserved};

/// Writes the functions of these services to the standard output, and then those that are linked and not served.
pub(super) fn print(services: &[String], as_json: bool) -> Result<(), Error> {
    let names = services;
    let services = names.iter().map(|name| Service::linked(name)).collect::<Result<Vec<_>, _>>()?;
    let served = services.iter().flat_map(Service::functions).map(|function| (function, true));
    let mut others: Vec<_> = unserved(names).map(|function| (function, false)).collect();
    others.sort_by_key(|(function, _)| (function.service, function.name));
    let functions = served.chain(others);
    let text = if as_json {
        format!("{:#}\n", Value::from(functions.map(to_json).collect::<Vec<_>>()))
    } else {
        functions.map(to_text).collect::<Vec<_>>().join("\n")
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| {
            Error::new(crate::ErrorKind::System, format!("cannot write to the standard output: {error}"))
                .with_source(error)
        }),
    }
}

fn to_text((function, is_served): (&'static Registration, bool)) -> String {
    let lane = function.lane.map_or_else(String::new, |lane| format!(" (lane {lane})"));
    let unserved = if is_served { "" } else { " (not served: name its service with `--service`)" };
    let mut text = format!("{}.{}{lane}{unserved}\n    {}\n", function.service, function.name, function.signature);
    for line in function.docs.lines() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn to_json((function, is_served): (&'static Registration, bool)) -> Value {
    let arguments: Vec<Value> = function
        .parameters
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "type": parameter.type_name }))
        .collect();
    json!({
        "service": function.service,
        "name": function.name,
        "signature": function.signature,
        "arguments": arguments,
        "output": function.output,
        "docs": function.docs,
        "lane": function.lane,
        "timeout_ms": function.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
        "idempotent": function.idempotent,
        "ack": match function.ack { Ack::AfterReply => "after-reply", Ack::Early => "early" },
        "place": function.place.to_string(),
        "served": is_served,
    })
}
