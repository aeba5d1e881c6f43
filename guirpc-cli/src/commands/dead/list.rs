//! `guirpc dead list`: two lines for each letter, or JSON.

use std::fmt::Write;

use guirpc::DeadLetter;
use guirpc::dead_letters::List;

use super::text::moment;
use super::{check_known, connect, json, select};
use crate::args::DeadList;
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

/// On a terminal, which is so narrow; whoever reads a pipe gets all of it.
const MESSAGE: usize = 100;
const NAME: usize = 60;

pub(super) fn run(arguments: &DeadList) -> Result<(), Failure> {
    let letters = connect(&arguments.broker, &arguments.service)?;
    let list = letters.list(&select(&[], &arguments.filter))?;
    if list.letters.is_empty() {
        check_known(&letters, &arguments.service)?;
    }
    if arguments.json { output::print_json(&json::list(&list)) } else { output::print(&text(&list)) }
}

fn text(list: &List) -> String {
    let mut text: String = list.letters.iter().map(entry).collect();
    if text.is_empty() {
        text.push_str("no dead letters\n");
    }
    if list.unread > 0 {
        // Writing to a text does not fail.
        let _ = writeln!(text, "and {} younger ones that were not looked at", list.unread);
    }
    text
}

fn entry(letter: &DeadLetter) -> String {
    let status = letter.status().map(|status| format!(" {status}")).unwrap_or_default();
    format!(
        "{number}  {time}  {function}  {reason}{status}  {id}\n    {message}\n",
        number = letter.number(),
        time = letter.dead_since().and_then(moment).unwrap_or_else(|| "-".to_owned()),
        function = line(letter.function(), output::most(NAME)),
        reason = line(letter.reason().unwrap_or("-"), output::most(NAME)),
        id = line(letter.correlation_id().unwrap_or("-"), usize::MAX),
        message = line(letter.message().unwrap_or("-"), output::most(MESSAGE)),
    )
}
