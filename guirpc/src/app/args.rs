//! The command line of a service, and the environment.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::Program;
use crate::config::{Config, DEFAULT_DRAIN, DEFAULT_MAX_BODY, DEFAULT_URI};

pub(super) const EXIT_FAILURE: u8 = 1;
pub(super) const EXIT_SETUP: u8 = 3;
pub(super) const EXIT_BROKER: u8 = 4;
pub(super) const EXIT_TOPOLOGY: u8 = 5;
pub(super) const EXIT_ABANDONED: u8 = 6;

const EXIT_CODES: &str = "\
Exit codes:
  0  stopped by SIGTERM or SIGINT, with everything that had begun finished
  1  the operating system refused something
  2  the command line cannot be understood
  3  the program or a setting is wrong: missing state, two functions of one name, a malformed URI
  4  the broker cannot be reached, or refuses the user or the virtual host
  5  the exchange or a queue exists and is declared differently
  6  stopped, but some functions did not finish within the drain time
  130, 143  a second SIGINT or SIGTERM: left at once";

/// Serves this program's functions over `RabbitMQ`.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    pub(super) log: Log,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve until SIGTERM or SIGINT (the default)
    Serve,
    /// Serve on a broker in memory that is started with it, to try things out without RabbitMQ; `AMQP_URI` is not used
    #[command(hide = !cfg!(feature = "embedded"))]
    Dev {
        /// The broker's port on 127.0.0.1 [default: 5673, or any free one if that is taken]
        #[arg(long, value_name = "N")]
        port: Option<u16>,
        /// Call a function as soon as it is served, and show its output; the arguments are JSON, as in `guirpc call`
        #[arg(long, num_args = 1..=2, value_names = ["FUNCTION", "ARGUMENTS"])]
        call: Vec<String>,
    },
    /// Show the functions: names, signatures, docs; needs no broker
    List {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Settings {
    /// The broker, as `amqp://user:password@host:port/vhost?heartbeat=SECONDS`
    // The environment's value may hold a password, so help must not show it.
    #[arg(long, env = "AMQP_URI", hide_env_values = true, default_value = DEFAULT_URI, global = true)]
    uri: String,
    /// A service to serve, instead of the program's own; may be repeated
    #[arg(long = "service", value_name = "NAME", env = "GUIRPC_SERVICE", value_delimiter = ',', global = true)]
    services: Vec<String>,
    /// How many functions run at once [default: the machine's parallelism]
    #[arg(long, env = "GUIRPC_WORKERS", value_name = "N", global = true)]
    workers: Option<NonZeroUsize>,
    /// How many requests to fetch ahead of their turn [default: 64 for each worker]
    #[arg(long, env = "GUIRPC_PREFETCH", value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    prefetch: Option<u16>,
    /// The queue to take requests off, if not the one that is named for the service
    #[arg(long, env = "GUIRPC_QUEUE", value_name = "NAME", global = true)]
    queue: Option<String>,
    /// How long to wait, when stopped, for what has begun
    #[arg(long, env = "GUIRPC_DRAIN", value_name = "TIME", default_value_t = DEFAULT_DRAIN.into(), global = true)]
    drain: humantime::Duration,
    /// The largest request to decode, and the largest reply to send, in bytes
    #[arg(long, env = "GUIRPC_MAX_BODY", value_name = "BYTES", default_value_t = DEFAULT_MAX_BODY, global = true)]
    max_body: usize,
}

/// What to log, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// What to log: error, warn, info, debug (a line for each call), trace, or a filter such as `info,my_crate=debug`
    #[arg(long = "log", env = "GUIRPC_LOG", value_name = "LEVEL", default_value = "info", global = true)]
    pub(super) filter: String,
    /// How to write the log
    #[arg(
        long = "log-format",
        env = "GUIRPC_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        global = true
    )]
    pub(super) format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    Text,
    /// A JSON object a line, for programs
    Json,
}

impl Args {
    /// Understands a command line; the error is one that clap prints.
    pub(super) fn read(program: &Program, line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Args::command().name(program.name).version(program.version);
        let matches = command.try_get_matches_from_mut(line)?;
        let args = Args::from_arg_matches(&matches)?;
        let is_given = matches.value_source("uri") == Some(ValueSource::CommandLine);
        if is_given && matches!(args.command, Some(Command::Dev { .. })) {
            let message = "`dev` starts a broker of its own, so `--uri` means nothing to it: \
                           `serve --uri …` serves on that broker, `dev --port …` chooses the port of its own";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        Ok(args)
    }

    /// The services that the command line names, or those that the program serves by itself.
    pub(super) fn services(&self, own: &[&str]) -> Vec<String> {
        if self.settings.services.is_empty() {
            return own.iter().map(|&service| service.to_owned()).collect();
        }
        self.settings.services.clone()
    }

    pub(super) fn config(self) -> Config {
        let Settings { uri, workers, prefetch, queue, drain, max_body, services: _ } = self.settings;
        Config { uri, workers: workers.map(NonZeroUsize::get), prefetch, queue, drain: Duration::from(drain), max_body }
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
    fn settings_may_stand_before_and_after_the_command() {
        for line in [["service", "--workers", "3", "serve"], ["service", "serve", "--workers", "3"]] {
            let config = Args::parse_from(line).config();
            assert_eq!(config.workers, Some(3));
        }
    }

    #[test]
    fn services_on_the_command_line_replace_the_programs_own() {
        assert_eq!(Args::parse_from(["math"]).services(&["math"]), ["math"]);
        assert_eq!(
            Args::parse_from(["math", "--service", "a,b", "--service", "c"]).services(&["math"]),
            ["a", "b", "c"]
        );
    }
}
