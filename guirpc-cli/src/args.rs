//! The command line: what can be typed, and what `--help` says about it.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use guirpc::DEFAULT_TIMEOUT;

use crate::failure::EXIT_CODES;

/// Scaffolds services, and calls their functions over RabbitMQ.
#[derive(Debug, Parser)]
#[command(name = "guirpc", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a new service: a package that builds, runs and has a passing test
    New(New),
    /// Call a function and print its output as JSON
    #[command(after_help = EXIT_CODES)]
    Call(Request),
    /// Send a request that nobody waits for; it is done when the broker has it
    #[command(after_help = EXIT_CODES)]
    Send(Request),
    /// Ask a service whether it is there; no function of it runs
    #[command(after_help = EXIT_CODES)]
    Ping(Ping),
    /// Run a broker in memory, to develop several services on one machine without RabbitMQ
    Broker(EmbeddedBroker),
    /// Print completions, for example: guirpc completions bash > ~/.local/share/bash-completion/completions/guirpc
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// The folder to write; its last part names the package, and with it the service
    #[arg(value_name = "NAME")]
    pub(crate) folder: PathBuf,
    /// Depend on this checkout of guirpc, not on the released version that this command belongs to
    #[arg(long, value_name = "PATH")]
    pub(crate) guirpc_path: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    /// The service, which is also the name of its queue
    pub(crate) service: String,
    /// The function
    pub(crate) function: String,
    /// The arguments as JSON: an object by parameter name, or an array in order; `-` reads them from standard input
    #[arg(default_value = "{}")]
    pub(crate) arguments: String,
    /// Send a header along, as `--header tenant=acme`; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ping {
    /// The service, which is also the name of its queue
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EmbeddedBroker {
    /// The port on 127.0.0.1; at 5672 services and clients find it by themselves; 0 is any that is free
    #[arg(long, value_name = "N", default_value_t = 5672)]
    pub(crate) port: u16,
}

/// Where to ask, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Broker {
    /// The broker, as `amqp://user:password@host:port/vhost`
    // The environment's value may hold a password, so help must not show it.
    #[arg(long, env = "AMQP_URI", hide_env_values = true, default_value = "amqp://guest:guest@localhost:5672/%2f")]
    pub(crate) uri: String,
    /// How long to wait for the answer, such as `500ms`, `5s` or `2min`
    #[arg(long, value_name = "TIME", default_value_t = DEFAULT_TIMEOUT.into())]
    pub(crate) timeout: humantime::Duration,
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a header is written as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_header_is_split_at_its_first_equals_sign() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(header("a="), Ok(("a".to_owned(), String::new())));
        assert!(header("a").is_err());
        assert!(header("=b").is_err());
    }
}
