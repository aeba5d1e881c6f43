//! The command line: subcommands, options and their help.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use guirpc::PythonOptions;

use guirpc::__private_0_1::exit_codes;

mod bench;
mod contract;
mod dead;
mod doctor;
mod python;
mod servers;

pub(crate) use bench::{BENCH_JSON, Bench, LoadFlags, Results};
pub(crate) use contract::{
    Contract, ContractCheck, ContractClient, ContractExport, Direction, Language, Models, Servers,
};
pub(crate) use dead::{Dead, DeadList, DeadRequeue, DeadSelected, DeadShow, Filter};
pub(crate) use doctor::{Doctor, Role};
pub(crate) use python::{
    Connect, ConsumerSettings, CreateConfig, InitConsumer, InitProducer, ProducerSettings, PublishOne, RunConsumer,
};
pub(crate) use servers::{Gather, Info, Ls, Stats, Top, TopSort};

/// Scaffolds services, and calls their functions over RabbitMQ.
#[derive(Debug, Parser)]
#[command(name = "guirpc", version, arg_required_else_help = true, after_help = exit_codes())]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a new service: a package that builds, runs and has a passing test
    New(New),
    /// Call a function and print its output as JSON, or a text as it is
    #[command(after_help = exit_codes())]
    Call(Request),
    /// Send a request without waiting for a reply (fire-and-forget); done when the broker has confirmed it
    #[command(after_help = exit_codes())]
    Send(Request),
    /// Ask a service whether it is there; no function of it runs
    #[command(after_help = exit_codes())]
    Ping(Ping),
    /// List the services and the servers that serve them, as they answer over the broker
    #[command(after_help = exit_codes())]
    Ls(Ls),
    /// Describe a service: its functions, and its servers with their settings
    #[command(after_help = exit_codes())]
    Info(Info),
    /// Show how functions do: counts, failures, times, what is in flight
    #[command(after_help = exit_codes())]
    Stats(Stats),
    /// Watch functions live in the terminal: rates, failures, times, what is in flight
    #[command(after_help = exit_codes())]
    Top(Top),
    /// Measure how fast a function answers under load; this runs the function for real, thousands of times
    ///
    /// Calls are made as `guirpc call` makes them, with the same arguments each time, so the function has to bear that:
    /// each call has its effects. Nothing else is touched, and nothing is sent that is not waited for.
    ///
    /// A call that fails is counted by its kind, and the command then ends with the exit code of most failures. A lost
    /// connection, or no answer at all for the time of `--timeout`, ends the run with the results so far; so does
    /// Ctrl-C, with exit code 0.
    ///
    /// With `--against` a figure is worse or better if it differs by 5 % or more, and the slices of time of both steps
    /// differ by four standard errors (Welch's test, of logarithms). What else the machine does during one of the two
    /// runs only is no noise for that test.
    #[command(after_help = exit_codes(), after_long_help = format!("{BENCH_JSON}\n\n{}", exit_codes()))]
    Bench(Box<Bench>),
    /// Write a Grafana dashboard, or alert rules for Prometheus, for what servers and clients serve at /metrics
    Dashboard(Dashboard),
    /// What a service promises its callers, its contract: write it, compare it, make clients of it
    #[command(subcommand, after_help = exit_codes())]
    Contract(Contract),
    /// List, requeue or drop dead letters: failed sends and poison messages
    #[command(subcommand, after_help = exit_codes())]
    Dead(Dead),
    /// Look for what goes wrong in practice: the broker, rights, queues, settings; says what it means and what to do
    #[command(after_help = exit_codes())]
    Doctor(Doctor),
    /// Run a broker in memory, to develop several services on one machine without RabbitMQ
    Broker(EmbeddedBroker),
    /// Print completions, for example: guirpc completions bash > ~/.local/share/bash-completion/completions/guirpc
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
    /// For Python: write a new service for callers in Python, NAME, and its settings, NAME.ini
    #[command(name = "initconsumer")]
    InitConsumer(InitConsumer),
    /// For Python: write a new client that calls as one in Python does, NAME, and its settings, NAME.ini
    #[command(name = "initproducer")]
    InitProducer(InitProducer),
    /// For Python: write the settings of a server or a client, NAME.ini
    #[command(name = "createconfig")]
    CreateConfig(CreateConfig),
    /// For Python: build and run the service that a file of settings belongs to
    #[command(name = "runconsumer")]
    RunConsumer(RunConsumer),
    /// For Python: publish one message, or with `--function` make one call as a client in Python does
    #[command(name = "publishone", after_help = exit_codes())]
    PublishOne(PublishOne),
}

#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// The folder to write; its last part names the package, and with it the service
    #[arg(value_name = "NAME")]
    pub(crate) folder: PathBuf,
    /// Depend on this checkout of guirpc [default: the one that this command was built from, while it is there, or else
    /// the released version]
    #[arg(long, value_name = "PATH")]
    pub(crate) guirpc_path: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Dashboard {
    /// Write the alert rules rather than the dashboard
    #[arg(long)]
    pub(crate) alerts: bool,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Request {
    /// The service, which is also the name of its queue
    pub(crate) service: String,
    /// The function
    pub(crate) function: String,
    /// The arguments as JSON: an object by parameter name (the default is `{}`), or an array in order; `-` reads them
    /// from standard input. In Python's dialect anything that the function takes, with `--serializer text` as it is
    #[arg(allow_negative_numbers = true)]
    pub(crate) arguments: Option<String>,
    /// Send a header along, as `--header tenant=acme`; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// Call through this lane of the service
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
    /// Precede requests of a lower priority, if the service's queue goes by that; 0 is the lowest
    #[arg(long, value_name = "N")]
    pub(crate) priority: Option<u8>,
    #[command(flatten)]
    pub(crate) broker: Broker,
    #[command(flatten)]
    pub(crate) route: Route,
}

/// How a request is written, and how it gets to its service.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "For services in Python, and exchanges of one's own")]
pub(crate) struct Route {
    /// How the request is written: `python` for a consumer of the Python package guirpc [default: native]
    #[arg(long, value_enum)]
    pub(crate) dialect: Option<Dialect>,
    /// In Python's dialect, how the function reads its request [default: json]
    #[arg(long, value_enum)]
    pub(crate) serializer: Option<Serializer>,
    /// The exchange to publish to [default: `guirpc`, in Python's dialect `rpc_gateway`]
    #[arg(long, value_name = "NAME")]
    pub(crate) exchange: Option<String>,
    /// The routing key to publish with [default: the service's name, with `--lane` SERVICE.LANE]
    #[arg(long, value_name = "KEY")]
    pub(crate) routing_key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    #[default]
    Native,
    Python,
}

/// The original's classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Serializer {
    /// `JsonSerializer`
    #[default]
    Json,
    /// `TextSerializer`
    Text,
    /// `BinarySerializer`, a pickle; here the arguments are JSON
    Binary,
}

impl Serializer {
    pub(crate) fn options(self) -> PythonOptions {
        let request = match self {
            Serializer::Json => guirpc::PythonSerializer::Json,
            Serializer::Text => guirpc::PythonSerializer::Text,
            Serializer::Binary => guirpc::PythonSerializer::Binary,
        };
        PythonOptions { request, ..PythonOptions::new() }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ping {
    /// The service, which is also the name of its queue
    pub(crate) service: String,
    /// Ask so often, one after another, and show the shortest, the mean and the longest time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) count: u32,
    /// Print the answer and the times as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
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
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub(crate) struct Broker {
    /// A client's file of settings, TOML or INI, which `GUIRPC_CONFIG`, `PRODUCER_CONFIG` or
    /// `PRODUCER_CONFIG_FILEPATH` may name as well
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The broker, as `amqp://user:password@host:port/vhost`, or several, with commas between them [env: `AMQP_URI`]
    #[arg(long)]
    pub(crate) uri: Option<String>,
    /// How long to wait for the answer, such as `500ms`, `5s` or `2min` [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<humantime::Duration>,
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
    fn the_help_explains_every_exit_code() {
        assert!(Args::command().render_help().to_string().contains(&exit_codes()));
    }

    #[test]
    fn what_is_for_python_comes_last() {
        let help = Args::command().render_help().to_string();
        let of_python = help.lines().skip_while(|line| !line.contains("For Python"));
        let commands = of_python.take_while(|line| line.starts_with("  ") && !line.trim_start().starts_with("help"));
        assert!(commands.clone().count() >= 5, "{help}");
        for line in commands.filter(|line| !line.starts_with("   ")) {
            assert!(line.contains("For Python"), "{line}");
        }
        let call = Args::command().find_subcommand_mut("call").map(|call| call.render_help().to_string());
        let call = call.unwrap_or_default();
        assert!(call.find("Broker:") < call.find("For services in Python"), "{call}");
    }

    #[test]
    fn a_negative_number_is_an_argument() {
        let args = Args::try_parse_from(["guirpc", "call", "math", "abs", "-5", "--dialect", "python"]).unwrap();
        let Command::Call(request) = args.command else { panic!("{args:?}") };
        assert_eq!(request.arguments.as_deref(), Some("-5"));
        assert!(Args::try_parse_from(["guirpc", "call", "math", "abs", "-x"]).is_err());
        Args::try_parse_from(["guirpc", "publishone", "rpc_gateway", "math", "-5"]).unwrap();
    }

    #[test]
    fn a_header_is_split_at_its_first_equals_sign() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(header("a="), Ok(("a".to_owned(), String::new())));
        assert!(header("a").is_err());
        assert!(header("=b").is_err());
    }
}
