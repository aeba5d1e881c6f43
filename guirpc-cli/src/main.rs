//! The `guirpc` command: scaffold a service, and call functions from the shell.
//!
//! It is an ordinary user of the library: a program can do the same through `guirpc::Client`.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod commands;
mod failure;
mod output;
mod template;
mod terminal;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return failure::refuse(&error),
    };
    match commands::run(args) {
        Ok(exit) => exit.code().into(),
        Err(failure) => failure.report(),
    }
}
