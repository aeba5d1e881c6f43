//! `guirpc contract`: what can be typed.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use guirpc::__private_0_1::exit_codes;

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Write a package for another program that calls a service, out of the service's contract
    #[command(after_help = exit_codes())]
    Client(ContractClient),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContractClient {
    /// The language of the package
    #[arg(long, value_enum)]
    pub(crate) lang: Language,
    /// The folder to write the package into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The contract, a document in JSON; `-` reads it from standard input
    #[arg(value_name = "CONTRACT")]
    pub(crate) contract: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust: a crate of functions without bodies, and of their types
    Rust,
}
