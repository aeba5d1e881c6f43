//! The standard output: results go there, and nothing else does.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::Value;

use crate::failure::Failure;

/// Prints a result: spread out for people, on one line for programs.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    if io::stdout().is_terminal() { print(&format!("{value:#}\n")) } else { print(&format!("{value}\n")) }
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::other(format!("cannot write to the standard output: {error}"))),
    }
}
