//! `list`: the functions of a program, for people or for programs.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

use serde_json::{Value, json};

use crate::control::FunctionDescription;
use crate::error::Error;
use crate::registry::{Registration, Service, unserved};

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
    write(&text)
}

/// Writes to the standard output.
pub(super) fn write(text: &str) -> Result<(), Error> {
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
    let mut text =
        format!("{}.{}{lane}{unserved}\n    {}\n", function.service, function.name, function.description.signature);
    for line in function.description.docs.lines() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn to_json((function, is_served): (&'static Registration, bool)) -> Value {
    let mut described = json!(FunctionDescription::of(function));
    described["service"] = function.service.into();
    described["place"] = function.description.place.to_string().into();
    described["served"] = is_served.into();
    #[cfg(feature = "schema")]
    {
        described["undescribed"] = function.description.undescribed().into();
    }
    described
}
