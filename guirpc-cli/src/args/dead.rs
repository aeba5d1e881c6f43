//! `guirpc dead`: what can be typed.

use clap::{ArgGroup, Subcommand};

use super::Broker;
use guirpc::__private_0_1::exit_codes;

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List a service's dead letters, oldest first
    #[command(after_help = exit_codes())]
    List(DeadList),
    /// Show one letter whole, with its headers and arguments
    #[command(after_help = exit_codes())]
    Show(DeadShow),
    /// Put letters back into the queues that they were taken off, to be run again
    #[command(after_help = exit_codes(), override_usage = "guirpc dead requeue [OPTIONS] SERVICE <ID…|--all|--function NAME|--reason REASON>")]
    Requeue(DeadRequeue),
    /// Delete letters for good, without a prompt
    #[command(after_help = exit_codes(), override_usage = "guirpc dead drop [OPTIONS] SERVICE <ID…|--all|--function NAME|--reason REASON>")]
    Drop(DeadSelected),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeadList {
    /// The service
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Print one object in JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeadShow {
    /// The service
    pub(crate) service: String,
    /// The letter's number in the list, or the correlation id of its request
    pub(crate) id: String,
    /// Print one object in JSON, for programs; the body is in hexadecimal digits
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeadRequeue {
    #[command(flatten)]
    pub(crate) selected: DeadSelected,
    /// Put the letters into this queue, not into the ones that they say they were taken off: for a service whose queue has
    /// another name than its own
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").args(["ids", "all", "function", "reason"]).required(true).multiple(true))]
pub(crate) struct DeadSelected {
    /// The service
    pub(crate) service: String,
    /// Letters, by their numbers in the list or the correlation ids of their requests. Numbers change when letters are
    /// taken away, so name several at once, or use correlation ids
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// All letters
    #[arg(long, conflicts_with_all = ["ids", "function", "reason"])]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

/// Filters for letters.
#[derive(Debug, clap::Args)]
pub(crate) struct Filter {
    /// Only letters that ask for this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Only letters that are dead for this reason, such as `crashed`, `uncounted`, `failed` or `unanswerable`
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// Only so many, the oldest
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}
