//! The flags of the settings, made of their table, so that a setting has one name.

use std::fmt;

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};

use crate::config::{Kind, SERVER, Setting};

/// The settings that the command line names, and what it gives them.
///
/// Variables of the environment and defaults are only shown here: they are read where files are.
#[derive(Clone, Default)]
pub(super) struct Flags(pub(super) Vec<(&'static str, String)>);

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(SERVER.iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = SERVER.iter().filter_map(|setting| {
            let values: Vec<&str> = matches.get_many::<String>(setting.name)?.map(String::as_str).collect();
            Some((setting.name, values.join(",")))
        });
        Ok(Flags(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Flags::from_arg_matches(matches)?;
        Ok(())
    }
}

fn arg(setting: &'static Setting) -> Arg {
    let action = if matches!(setting.kind, Kind::Names | Kind::Counts(_)) { ArgAction::Append } else { ArgAction::Set };
    let arg = Arg::new(setting.name).long(setting.flag()).help(help(setting)).action(action).global(true);
    let arg = arg.help_heading(setting.heading).value_parser(parser(setting.kind));
    match setting.kind {
        Kind::Uri => arg.value_name("URI"),
        Kind::Text => arg.value_name("TEXT"),
        Kind::Name | Kind::Names => arg.value_name("NAME"),
        Kind::Count(_) => arg.value_name("N"),
        Kind::Counts(_) => arg.value_name("NAME=N"),
        Kind::Bytes => arg.value_name("BYTES"),
        Kind::Time => arg.value_name("TIME"),
        Kind::YesNo => arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::LogFilter => arg.value_name("FILTER"),
        Kind::Address => arg.value_name("ADDRESS"),
        Kind::OneOf(_) => arg.value_name("WHICH"),
    }
}

fn help(setting: &Setting) -> String {
    let default = Some((setting.default)()).filter(|default| !default.is_empty());
    let default = default.map_or_else(String::new, |default| format!(" [default: {default}]"));
    format!("{} [env: {}]{default}", setting.help, setting.variable())
}

/// A mistake is told before anything is done; what is right is read like any other layer.
fn parser(kind: Kind) -> ValueParser {
    match kind {
        Kind::OneOf(choices) => PossibleValuesParser::new(choices).into(),
        kind => StringValueParser::new()
            .try_map(move |text| if kind.accepts(&text) { Ok(text) } else { Err(format!("it is {}", kind.expected())) })
            .into(),
    }
}

/// The names only: a value may hold a password.
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
