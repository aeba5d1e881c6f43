//! The command line of a service, and the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

mod flags;

use flags::Flags;

use super::Program;
use crate::config::{Environment, Layers, Settings, Side};
use crate::error::Error;
use crate::exit::exit_codes;

/// Serves this program's functions over `RabbitMQ`.
#[derive(Debug, Parser)]
#[command(after_help = exit_codes())]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// A file of settings, TOML or INI
    #[arg(help = config_help(), short, long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// The program's own arguments, behind `--`
    #[arg(last = true, value_name = "ARGUMENTS", hide = true)]
    own: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve until SIGTERM or SIGINT (the default)
    Serve {
        #[arg(last = true, value_name = "ARGUMENTS", hide = true)]
        own: Vec<OsString>,
    },
    /// Serve on a broker in memory that is started with it, to try things out without RabbitMQ; `AMQP_URI` is not used
    #[command(hide = !cfg!(feature = "embedded"))]
    Dev {
        /// The broker's port on 127.0.0.1 [default: 5673, or any free one if that is taken]
        #[arg(long, value_name = "N")]
        port: Option<u16>,
        /// Call a function as soon as it is served, and show its output; the arguments are JSON, as in `guirpc call`
        #[arg(long, num_args = 1..=2, value_names = ["FUNCTION", "ARGUMENTS"])]
        call: Vec<String>,
        #[arg(last = true, value_name = "ARGUMENTS", hide = true)]
        own: Vec<OsString>,
    },
    /// Write the contract: what the service promises its callers, as a document; needs no broker
    #[command(hide = !cfg!(feature = "schema"))]
    Contract {
        /// Of this service, if the program serves several
        #[arg(value_name = "SERVICE")]
        of: Option<String>,
        /// How to write it: guirpc, asyncapi, openapi or markdown
        #[cfg(feature = "schema")]
        #[arg(long, default_value_t)]
        format: crate::contract::Format,
    },
    /// Show the functions: names, signatures, docs; needs no broker
    List {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

fn config_help() -> String {
    format!("A file of settings, TOML or INI [env: {}]", Side::Server.file_variables().join(", "))
}

impl Args {
    /// Understands a command line; the error is one that clap prints.
    pub(super) fn read(program: &Program, line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        // `dev` has a broker of its own: a flag of its own in the place of the general one, and not shown.
        let uri = Arg::new("uri").long("uri").hide(true);
        let command = Args::command().name(program.name).version(program.version);
        let mut command = command.mut_subcommand("dev", |dev| dev.arg(uri));
        let matches = command.try_get_matches_from_mut(line)?;
        let args = Args::from_arg_matches(&matches)?;
        let is_given = |matches: &ArgMatches| matches.value_source("uri") == Some(ValueSource::CommandLine);
        if matches.subcommand_matches("dev").is_some_and(|dev| is_given(dev) || is_given(&matches)) {
            let message = "`dev` starts a broker of its own, so `--uri` means nothing to it: \
                           `serve --uri …` serves on that broker, `dev --port …` chooses the port of its own";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        Ok(args)
    }

    /// What stands behind `--`, which is the program's own.
    pub(super) fn own(&self) -> &[OsString] {
        match &self.command {
            Some(Command::Serve { own } | Command::Dev { own, .. }) => own,
            Some(Command::Contract { .. } | Command::List { .. }) | None => &self.own,
        }
    }

    /// The settings: those of this command line over the environment's, over the file's.
    pub(super) fn settings(&self, environment: &Environment) -> Result<Settings, Error> {
        Layers { side: Side::Server, file: self.config.clone(), environment, flags: &self.flags.0 }.read()
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
    fn the_help_has_its_flags_in_groups_and_what_is_for_python_last() {
        let help = Args::command().render_help().to_string();
        let place = |heading| help.find(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("no `{heading}`: {help}"));
        let headings = ["Options", "Broker", "Services and concurrency", "Log", "For callers in Python"].map(place);
        assert!(headings.is_sorted(), "{help}");
        assert!(help.find("--uri").unwrap() > headings[1] && help.find("--pickle").unwrap() > headings[4], "{help}");
    }

    fn settings(line: &[&str]) -> Settings {
        Args::parse_from(line).settings(&Environment::default()).expect("they are settings")
    }

    #[test]
    fn settings_may_stand_before_and_after_the_command() {
        for line in [["service", "--workers", "3", "serve"], ["service", "serve", "--workers", "3"]] {
            assert_eq!(settings(&line).value("workers").unwrap(), Some(3_usize));
        }
    }

    #[test]
    fn services_are_named_with_commas_or_one_by_one() {
        let services =
            settings(&["math", "--service", "a,b", "--service", "c"]).value::<Vec<String>>("service").unwrap();
        assert_eq!(services, Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn what_a_setting_does_not_take_is_said_by_its_flag() {
        let error = Args::try_parse_from(["math", "--workers", "many"]).unwrap_err().to_string();
        assert!(error.contains("--workers") && error.contains("a whole number from 1"), "{error}");
    }
}
