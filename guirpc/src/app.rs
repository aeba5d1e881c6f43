//! What `guirpc::main!` runs: the command line of a service.
//!
//! The only part of the library that installs a logger, listens to signals and decides how the process ends.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind, masked};
use crate::exit::Exit;
use crate::log::info;
use crate::registry::unserved;
use crate::server::{OwnSettings, Server, Setup, ShutdownHandle};

mod args;
#[cfg(feature = "schema")]
mod contract;
#[cfg(feature = "embedded")]
mod dev;
#[cfg(feature = "otel")]
mod export;
#[cfg(not(feature = "otel"))]
#[path = "app/export/none.rs"]
mod export;
mod list;
mod log;
mod output;
mod panics;
mod signals;

use args::{Args, Command};
use export::Exporter;
use output::{Output, printable};

/// For the threads of a server that has stopped to let go of its state.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

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
    let args = match Args::read(program, env::args_os()) {
        Ok(args) => args,
        Err(error) => return refuse(&error),
    };
    match run(program, &args, Box::new(setup)) {
        Ok(exit) => exit.code().into(),
        Err(failure) => {
            Output::new(io::stderr()).write(format!("error: {}\n", printable(&failure.message)).as_bytes());
            failure.exit.code().into()
        }
    }
}

/// Prints what clap says of a command line, and of a URI in it no password.
fn refuse(error: &clap::Error) -> ExitCode {
    let (text, shown) = (error.to_string(), masked(&error.to_string()));
    // Help is none of the user's words, and shows how a URI is written.
    if shown == text || !error.use_stderr() {
        error.exit();
    }
    Output::new(io::stderr()).write(shown.as_bytes());
    Exit::Usage.code().into()
}

/// How the process ends when something is wrong.
struct Failure {
    exit: Exit,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { exit: error.kind().into(), message: error.to_string() }
    }
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure { exit, message: message.into() }
    }

    /// A first run may have no broker to reach.
    fn with_dev(mut self) -> Self {
        if cfg!(feature = "embedded") && self.exit == Exit::Broker {
            self.message.push_str(" (for development, `dev` brings a broker of its own)");
        }
        self
    }
}

/// What the program adds to its set-up.
type AddSetup<'a> = Box<dyn FnOnce(Setup) -> Result<Setup, BoxError> + 'a>;

fn run(program: &Program, args: &Args, setup: AddSetup<'_>) -> Result<Exit, Failure> {
    let settings = args.settings(&Environment::of_the_process())?;
    let mut config = Config::new(&settings)?;
    let own = || program.services.iter().map(|&service| service.to_owned()).collect();
    let services: Vec<String> = config.service.take().unwrap_or_else(own);
    let own = OwnSettings { section: settings.own, arguments: args.own().to_owned() };
    let prepare = |config, exporter| {
        prepare(Setup::with_config(services.clone(), config).with_own(own), &services, exporter, setup)
    };
    match args.command {
        #[cfg(feature = "schema")]
        Some(Command::Contract { of: ref service, format }) => {
            contract::print(&services, service.as_deref(), format)?;
            Ok(Exit::Done)
        }
        #[cfg(not(feature = "schema"))]
        Some(Command::Contract { .. }) => Err(Failure::new(
            Exit::Setup,
            "`contract` needs the functions to describe themselves, which this program is built without: add the \
             feature `schema` to guirpc, as in `cargo add guirpc --features schema`",
        )),
        Some(Command::List { json }) => {
            list::print(&services, json)?;
            Ok(Exit::Done)
        }
        Some(Command::Serve { .. }) | None => {
            let exporter = Exporter::of_the_environment(program)?;
            let shutdown = listen_to_signals()?;
            serve(prepare(config, exporter.as_ref())?, &shutdown, || {}).map_err(Failure::with_dev)
        }
        #[cfg(feature = "embedded")]
        Some(Command::Dev { port, ref call, .. }) => {
            let exporter = Exporter::of_the_environment(program)?;
            let call = dev::Call::parse(call, &services)?;
            let shutdown = listen_to_signals()?;
            let broker = dev::broker(port)?;
            // Before the set-up, which may make clients of it.
            config.uri = broker.uri();
            dev::run(prepare(config, exporter.as_ref())?, &broker, &services, call, &shutdown)
        }
        #[cfg(not(feature = "embedded"))]
        Some(Command::Dev { .. }) => Err(Failure::new(
            Exit::Setup,
            "`dev` needs the broker in memory, which this program is built without: in Cargo.toml, take \
             `default-features = false` off guirpc, or add `features = [\"embedded\"]` to it",
        )),
    }
}

/// From now on a signal stops the program: before its own set-up and its first connection, which may take long. The first
/// process of a container has no other way to hear of one.
fn listen_to_signals() -> Result<ShutdownHandle, Failure> {
    let shutdown = ShutdownHandle::new();
    signals::stop_on_signal(shutdown.clone())
        .map_err(|error| Failure::new(Exit::Other, format!("cannot listen to signals: {error}")))?;
    Ok(shutdown)
}

/// Has the program add its state, and installs the log, unless the program has brought its own.
fn prepare(
    setup: Setup,
    services: &[String],
    exporter: Option<&Exporter>,
    add: AddSetup<'_>,
) -> Result<Setup, Failure> {
    // Before the program, which may have a way of its own.
    panics::log_panics();
    let log = log::of(&setup.config().log, setup.config().log_format, exporter.map(Exporter::layer));
    let setup = tracing::dispatcher::with_default(&log, || add(setup))
        .map_err(|error| Failure::new(Exit::Setup, format!("the program cannot be set up: {error}")))?;
    let _ = log.try_init();
    note_unserved(services);
    Ok(setup)
}

/// Says once what is linked and not served, which may be meant: a program can link functions only to call them.
fn note_unserved(services: &[String]) {
    let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for function in unserved(services) {
        others.entry(function.service).or_default().push(function.name);
    }
    for (service, mut functions) in others {
        functions.sort_unstable();
        info!(
            service,
            functions = functions.join(", "),
            "linked, and not served: to serve them, name their service, as in `--service {},{service}` or \
             `guirpc::main!(services = [\"{}\", \"{service}\"])`",
            services.join(","),
            services.join("\", \"")
        );
    }
}

/// Serves until a signal comes; `ready` runs as soon as calls are answered.
fn serve(setup: Setup, shutdown: &ShutdownHandle, ready: impl FnOnce()) -> Result<Exit, Failure> {
    let state = setup.state_map();
    let server = match Server::start_with(setup, shutdown) {
        Err(error) if error.kind() == ErrorKind::Stopped => return Ok(Exit::Done),
        server => server?,
    };
    ready();
    let report = server.wait();
    if report.abandoned > 0 {
        return Ok(Exit::TimeUp);
    }
    state.release(RELEASE_TIMEOUT);
    Ok(Exit::Done)
}
