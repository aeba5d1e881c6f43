//! `guirpc contract`: what can be typed.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use guirpc::__private_0_1::exit_codes;
use guirpc::contract::{Format, compare};

use super::Broker;
use crate::commands::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Write the contract of a service that runs, as its servers have it
    #[command(after_help = exit_codes())]
    Export(ContractExport),
    /// Compare a contract with an earlier one, and say what would break callers; for CI
    ///
    /// Of each change it says whom it breaks: callers of the old contract that meet servers of the
    /// new one, or servers of the old contract that callers of the new one meet.
    /// `guirpc::contract::compare` describes which changes there are, and what to do about each.
    ///
    /// A waiver is for a change that is meant. Its file is TOML:
    ///
    /// [[waiver]]
    /// rule = "field-removed"
    /// place = "place.output.total"
    /// reason = "nobody has read it since May"
    /// until = "2026-09-30"
    #[command(after_help = exit_codes(), verbatim_doc_comment)]
    Check(ContractCheck),
    /// Write a package for another program or language that calls a service, out of the service's contract
    ///
    /// The packages for Python and TypeScript can serve it, too.
    #[command(after_help = exit_codes())]
    Client(ContractClient),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContractExport {
    /// The service; or a contract to write in another format: a file, `-` for standard input, or `git:REV:PATH`
    #[arg(value_name = "SERVICE")]
    pub(crate) contract: Source,
    /// How to write it: guirpc's own format, asyncapi, openapi, or markdown
    #[arg(long, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) servers: Servers,
}

/// How servers are asked where a contract is that of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct Servers {
    /// Wait so long for an answer of a service
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub(crate) wait: humantime::Duration,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContractCheck {
    /// The new contract, as `my-service contract` writes it: a file, `-` for standard input, or a service that runs
    #[arg(value_name = "NEW", default_value = "-")]
    pub(crate) new: Source,
    /// The old contract: a file; `git:REV:PATH` for that of a commit, where PATH is seen from the root of the repository,
    /// and with `./` from the current folder; or a service that runs, by its name, or as `service:NAME`
    #[arg(long, value_name = "OLD")]
    pub(crate) against: Source,
    /// In which order the contracts are deployed, and so whose calls have to work
    #[arg(long, value_enum, default_value_t)]
    pub(crate) direction: Direction,
    /// The changes that are meant, and until when they are
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// Print one object in JSON, for programs
    #[arg(long, conflicts_with = "github")]
    pub(crate) json: bool,
    /// Print annotations of GitHub Actions, on the file of the new contract
    #[arg(long)]
    pub(crate) github: bool,
    #[command(flatten)]
    pub(crate) servers: Servers,
}

/// In which order two contracts are deployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// Servers first: old callers meet new servers
    #[default]
    Callers,
    /// Callers first: new callers meet old servers
    Servers,
    /// In any order
    Both,
}

impl Direction {
    pub(crate) fn compared(self) -> compare::Direction {
        match self {
            Direction::Callers => compare::Direction::Callers,
            Direction::Servers => compare::Direction::Servers,
            Direction::Both => compare::Direction::Both,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContractClient {
    /// The language of the package
    #[arg(long, value_enum)]
    pub(crate) lang: Language,
    /// The folder to write the package into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// For Python: what the types are made of
    #[arg(long, value_enum, default_value_t)]
    pub(crate) models: Models,
    /// The contract: a file, `-` for standard input, `git:REV:PATH`, or a service that runs
    #[arg(value_name = "CONTRACT")]
    pub(crate) contract: Source,
    #[command(flatten)]
    pub(crate) servers: Servers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust: a crate of functions without bodies, and of their types
    Rust,
    /// Python 3.10 and newer: asyncio with aio-pika, blocking with pika
    Python,
    /// Node.js 20 and newer, by amqplib
    Typescript,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Models {
    /// The standard library's
    #[default]
    Dataclasses,
    /// Models of pydantic 2
    Pydantic,
}
