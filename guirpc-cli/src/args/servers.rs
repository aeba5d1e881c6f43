//! What asks servers over the control exchange.

use super::Broker;

/// How long answers are gathered.
#[derive(Debug, clap::Args)]
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
