//! What asks servers over the control exchange.

use clap::ValueEnum;

use super::Broker;

/// How long answers are gathered.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Gather {
    /// Gather answers for so long, such as `300ms` or `2s`
    #[arg(long, value_name = "TIME", default_value = "300ms")]
    pub(crate) wait: humantime::Duration,
    /// Do not wait longer when so many servers have answered; fewer are an error
    #[arg(long, value_name = "N")]
    pub(crate) expect: Option<usize>,
    /// Print the answers as JSON, as they are described with `guirpc::control`
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ls {
    /// Only servers of this service
    pub(crate) service: Option<String>,
    #[command(flatten)]
    pub(crate) gather: Gather,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Info {
    /// The service
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) gather: Gather,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Stats {
    /// Only this service
    pub(crate) service: Option<String>,
    /// A line for each server, rather than the sums
    #[arg(long)]
    pub(crate) instances: bool,
    #[command(flatten)]
    pub(crate) gather: Gather,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Top {
    /// Only this service
    pub(crate) service: Option<String>,
    /// How often to ask, such as `1s`
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(crate) interval: humantime::Duration,
    /// What comes first
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: TopSort,
    /// Only functions whose name, as `SERVICE.FUNCTION`, has this in it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) filter: String,
    /// Ask twice, an interval apart, print what was between, and end; with `--json` for programs
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) gather: Gather,
}

/// By what functions are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopSort {
    /// Requests per second, most first
    #[default]
    Rate,
    /// Failures per second, most first
    Failures,
    /// What is in flight, most first
    InFlight,
    /// The time of 99 of 100 runs, longest first
    P99,
    /// The name
    Name,
}
