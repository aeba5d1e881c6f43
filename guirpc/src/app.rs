//! What `guirpc::main!` runs: the command line of a service.
//!
//! The only part of the library that installs a logger, listens to signals and decides how the process ends.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::EnvFilter;

use crate::error::{Error, ErrorKind};
use crate::server::{Server, Setup};

mod args;
mod list;
mod signals;

use args::{Args, Command, LogFormat};

/// What the program says when it cannot give its state: anything that can be shown.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Who the program is and what it serves: filled in by `guirpc::main!`.
#[derive(Debug)]
pub struct Program {
    /// The name of the package.
    pub name: &'static str,
    /// The version of the package.
    pub version: &'static str,
    /// The services that it serves if the command line does not say otherwise.
    pub services: &'static [&'static str],
}

/// Reads the command line and does what it says.
pub fn main(program: &Program, setup: impl FnOnce(Setup) -> Result<Setup, BoxError>) -> ExitCode {
    let command = Args::command().name(program.name).version(program.version);
    let args = match Args::from_arg_matches(&command.get_matches()) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    match run(program, args, setup) {
        Ok(code) => code,
        Err(failure) => {
            // There is nobody left to tell if this fails.
            let _ = writeln!(io::stderr(), "error: {}", failure.message);
            failure.code
        }
    }
}

/// How the process ends when something is wrong.
struct Failure {
    code: ExitCode,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Setup | ErrorKind::Configuration => args::EXIT_SETUP,
            ErrorKind::Unreachable | ErrorKind::Denied => args::EXIT_BROKER,
            ErrorKind::Topology => args::EXIT_TOPOLOGY,
            ErrorKind::System => args::EXIT_FAILURE,
        };
        Failure { code: ExitCode::from(code), message: error.to_string() }
    }
}

fn run(
    program: &Program,
    args: Args,
    setup: impl FnOnce(Setup) -> Result<Setup, BoxError>,
) -> Result<ExitCode, Failure> {
    let services = args.services(program.services);
    match args.command {
        Some(Command::List { json }) => {
            list::print(&services, json)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Serve) | None => {
            let logging = args.log.install();
            logging.map_err(|message| Failure { code: ExitCode::from(args::EXIT_SETUP), message })?;
            let setup = setup(Setup::with_config(services, args.config())).map_err(|error| Failure {
                code: ExitCode::from(args::EXIT_SETUP),
                message: format!("the program cannot be set up: {error}"),
            })?;
            serve(setup)
        }
    }
}

fn serve(setup: Setup) -> Result<ExitCode, Failure> {
    let server = Server::start(setup)?;
    signals::stop_on_signal(server.stopper()).map_err(|error| Failure {
        code: ExitCode::from(args::EXIT_FAILURE),
        message: format!("cannot listen to signals: {error}"),
    })?;
    let drained = server.wait();
    Ok(if drained.abandoned == 0 { ExitCode::SUCCESS } else { ExitCode::from(args::EXIT_ABANDONED) })
}

impl args::Log {
    /// Sends the log to the standard error output.
    fn install(&self) -> Result<(), String> {
        // amiquip logs what we say better ourselves, and at a higher level than it deserves.
        let filter = EnvFilter::try_new(format!("amiquip=off,{}", self.filter))
            .map_err(|error| format!("the log filter `{}` cannot be read: {error}", self.filter))?;
        let colours = io::stderr().is_terminal();
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr);
        match self.format {
            LogFormat::Text => log.try_init(),
            LogFormat::Json => log.json().flatten_event(true).try_init(),
        }
        .map_err(|error| format!("the log cannot be installed: {error}"))
    }
}
