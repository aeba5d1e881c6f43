//! `guirpc contract`: what can be typed.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use guirpc::__private_0_1::exit_codes;
use guirpc::contract::compare;

use crate::commands::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Compare a contract with an earlier one, and say what would break callers; for CI
    ///
    /// Of each change it says whom it breaks: callers of the old contract that meet servers of the new one, or servers of
    /// the old contract that callers of the new one meet. Which changes there are, and what to do about each, is described
    /// with `guirpc::contract::compare`.
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContractCheck {
    /// The new contract, as `my-service contract` writes it: a file, or `-` for standard input
    #[arg(value_name = "NEW", default_value = "-")]
    pub(crate) new: Source,
    /// The old contract: a file, or `git:REV:PATH` for that of a commit, where PATH is seen from the root of the
    /// repository, and with `./` from the current folder
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
