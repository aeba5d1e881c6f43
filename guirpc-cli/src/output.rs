//! The standard output: results go there, and nothing else does.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::Value;

use crate::failure::Failure;
use crate::terminal;

/// Prints a result: spread out for people, on one line for programs.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    let json = if io::stdout().is_terminal() { format!("{value:#}\n") } else { format!("{value}\n") };
    print(&terminal::json(&json))
}

/// Prints a function's text: as it is for programs; on a terminal, which it could steer, without control characters.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() { print(&terminal::lines(&format!("{text}\n"))) } else { print(&format!("{text}\n")) }
}

/// How many characters of a text are shown: no more than these on a terminal, all of them elsewhere.
pub(crate) fn most(on_a_terminal: usize) -> usize {
    if io::stdout().is_terminal() { on_a_terminal } else { usize::MAX }
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::other(format!("cannot write to the standard output: {error}"))),
    }
}
