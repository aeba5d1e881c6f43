//! Panics of functions, as lines of the log like others.
//!
//! Rust itself writes whatever a panic says, on as many lines as that has; and it may have been a caller who said it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io;
use std::panic;
use std::thread;

use super::output::Output;
use crate::log::error;

/// How the threads are named that are ours.
const OURS: &str = "guirpc-";

/// Has panics of our threads logged from now on, which run functions; all others are written as before.
pub(super) fn log_panics() {
    let formerly = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let thread = thread::current();
        let Some(thread) = thread.name().filter(|name| name.starts_with(OURS)) else { return formerly(panic) };
        let message = panic.payload_as_str().unwrap_or("(no message)");
        let at = panic.location().map(ToString::to_string);
        error!(thread, at, "a panic: {message}");
        // Where `RUST_BACKTRACE` asks for it.
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            Output::new(io::stderr()).write(format!("{backtrace}\n").as_bytes());
        }
    }));
}
