//! `guirpc dead show`: one letter, whole.

use std::fmt::{Display, Write};

use guirpc::DeadLetter;
use guirpc::dead_letters::Selection;
use serde_json::Value;

use super::text::{hex, moment};
use super::{check_known, connect, json};
use crate::args::DeadShow;
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

/// How many bytes of a body are shown that cannot be decoded.
const BYTES: usize = 256;
/// How many characters of a text are shown.
const TEXT: usize = 4096;

pub(super) fn run(arguments: &DeadShow) -> Result<(), Failure> {
    let letters = connect(&arguments.broker, &arguments.service)?;
    let selection = Selection::all().id(&arguments.id);
    let Some(letter) = letters.first(&selection)? else {
        // Only now is it worth the time to look for one like it.
        check_known(&letters, &arguments.service)?;
        let missing = letters.list(&selection)?.missing;
        let why = missing.iter().map(|missing| line(&missing.to_string(), TEXT)).next();
        return Err(Failure::other(why.unwrap_or_else(|| "it is there by now: try again".to_owned())));
    };
    if arguments.json { output::print_json(&as_json(&letter)) } else { output::print(&as_text(&letter)) }
}

fn as_json(letter: &DeadLetter) -> Value {
    let mut object = json::letter(letter);
    object["arguments"] = letter.arguments().unwrap_or_default();
    object["body"] = format!("0x{}", hex(letter.body().unwrap_or_default(), usize::MAX)).into();
    object
}

fn as_text(letter: &DeadLetter) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: Option<&dyn Display>| {
        if let Some(value) = value {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{name:<15} {}", line(&value.to_string(), output::most(TEXT)));
        }
    };
    let moment = letter.dead_since().and_then(moment);
    let optional = [
        ("correlation id", letter.correlation_id()),
        ("dead since", moment.as_deref()),
        ("reason", letter.reason()),
        ("message", letter.message()),
        ("app id", letter.app_id()),
        ("content type", letter.content_type()),
    ];
    add("number", Some(&letter.number()));
    add("function", Some(&letter.function()));
    for (name, value) in &optional {
        add(name, value.as_ref().map(|value| value as &dyn Display));
    }
    add("status", letter.status().as_ref().map(|status| status as &dyn Display));
    add("attempts", Some(&letter.attempts()));
    add("queue", Some(&letter.queue()));
    add("dialect", Some(&format!("{:?}", letter.dialect()).to_lowercase()));
    add("size", Some(&format!("{} bytes", letter.size())));
    for (name, value) in letter.headers().iter() {
        add("header", Some(&format!("{name}: {value}")));
    }
    match letter.arguments() {
        Ok(arguments) => add("arguments", Some(&arguments)),
        Err(why) => {
            add("not decoded", Some(&why));
            add("body", Some(&format!("0x{}", hex(letter.body().unwrap_or_default(), output::most(BYTES)))));
        }
    }
    text
}
