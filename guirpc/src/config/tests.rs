//! Which layer wins, which names there are, and what is said of mistakes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::message::Dialect;

mod files;
mod page;
mod setters;

/// A folder of files that is gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("guirpc-{name}-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}

fn read(file: Option<&Path>, variables: &[(&str, &str)], flags: &[(&'static str, String)]) -> Result<Settings, Error> {
    let file = file.map(Path::to_owned);
    Layers { side: Side::Server, file, environment: &environment(variables), flags }.read()
}

/// The URI that a connection in an INI file makes.
fn config_uri(connection: &str) -> String {
    let folder = Folder::new("uri");
    let file = folder.file("a.ini", &format!("[server.connection]\n{connection}"));
    Config::new(&read(Some(&file), &[], &[]).unwrap()).unwrap().uri
}

/// Three values that the setting takes, for the file, the environment and the command line.
fn samples(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::Uri => ["amqp://file", "amqp://environment", "amqp://flag"],
        Kind::Text | Kind::Name | Kind::Names => ["file", "environment", "flag"],
        Kind::Count(_) | Kind::Bytes => ["1", "2", "3"],
        Kind::Counts(_) => ["a=1", "a=2", "a=3,b=1"],
        Kind::Time => ["1s", "2s", "3s"],
        Kind::YesNo => ["true", "false", "true"],
        Kind::LogFilter => ["warn", "info,my_crate=debug", "off"],
        Kind::Address => ["9100", "0.0.0.0:9101", "[::1]:0"],
        Kind::OneOf(names) => [names[0], names[1], names[0]],
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_a_file_which_beats_the_default() {
    let folder = Folder::new("precedence");
    for setting in SERVER {
        let name = setting.name;
        let [in_file, in_environment, as_flag] = samples(setting.kind);
        let variable = (&*setting.variable(), in_environment);
        let file = folder.file("settings.toml", &format!("[server]\n{name} = \"{in_file}\"\n"));
        let flag = [(name, as_flag.to_owned())];
        let check = |file, variables: &[_], flags: &[_], expected: Option<&str>| {
            let settings = read(file, variables, flags).unwrap();
            assert_eq!(settings.text(name).unwrap().as_deref(), expected, "{name}");
            Config::new(&settings).unwrap();
        };
        check(None, &[], &[], None);
        check(Some(&file), &[], &[], Some(in_file));
        check(Some(&file), &[variable], &[], Some(in_environment));
        check(Some(&file), &[(variable.0, "")], &[], Some(in_file));
        check(Some(&file), &[variable], &flag, Some(as_flag));
        check(Some(&file), &[], &flag, Some(as_flag));
        check(None, &[variable], &flag, Some(as_flag));
    }
}

#[test]
fn a_file_on_the_command_line_beats_those_that_the_environment_names() {
    let folder = Folder::new("files");
    let file = |name: &str| folder.file(&format!("{name}.toml"), &format!("[server]\nqueue = \"{name}\"\n"));
    let given = file("given");
    let names = ["first", "second", "third"].map(|name| file(name).display().to_string());
    let variables = Side::Server.file_variables();
    let set: Vec<(&str, &str)> = variables.iter().copied().zip(names.iter().map(String::as_str)).collect();
    let queue = |file, variables: &[_]| read(file, variables, &[]).unwrap().text("queue").unwrap();
    assert_eq!(queue(Some(&given), &set).as_deref(), Some("given"));
    assert_eq!(queue(None, &set).as_deref(), Some("first"));
    assert_eq!(queue(None, &set[1..]).as_deref(), Some("second"));
    assert_eq!(queue(None, &set[2..]).as_deref(), Some("third"));
    assert_eq!(queue(None, &[("GUIRPC_CONFIG", "")]), None);
}

#[test]
fn a_value_that_is_overruled_is_not_looked_at() {
    let flag = [("workers", "3".to_owned())];
    assert_eq!(read(None, &[("GUIRPC_WORKERS", "many")], &flag).unwrap().value("workers").unwrap(), Some(3_usize));
    let error = read(None, &[("GUIRPC_WORKERS", "many")], &[]).unwrap().value::<usize>("workers").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let says = "`workers` is a whole number from 1 to 4294967295, not `many`: `GUIRPC_WORKERS` in the environment";
    assert_eq!(error.to_string(), says);
}

/// What a setting takes can be read as its type: else a value would be accepted, and the default taken.
#[test]
fn what_a_setting_takes_is_read() {
    let check = |side: Side, reads: fn(&str, &str) -> bool| {
        for setting in side.settings() {
            let largest = match setting.kind {
                Kind::Count(most) => Some(most.to_string()),
                Kind::Counts(most) => Some(format!("a={most}")),
                Kind::Bytes => Some(usize::MAX.to_string()),
                _ => None,
            };
            let samples = samples(setting.kind).map(str::to_owned).into_iter().chain(largest);
            for text in samples.filter(|text| setting.kind.accepts(text)) {
                assert!(reads(setting.name, &text), "`{}` is not read from `{text}`", setting.name);
            }
        }
    };
    check(Side::Server, Config::reads);
    check(Side::Client, ClientConfig::reads);
}

#[test]
fn a_filter_of_the_log_is_made_of_levels() {
    for filter in ["info", "WARN", "off", "my_crate=trace", "info,my_crate::module=debug,other=off"] {
        assert!(Kind::LogFilter.accepts(filter), "{filter}");
    }
    for mistyped in ["", "debgu", "my_crate", "my_crate=", "=info", "info,", "my_crate[span]=verbose", "info;a=debug"] {
        let error = read(None, &[], &[("log", mistyped.to_owned())]).unwrap().value::<String>("log").unwrap_err();
        assert!(error.to_string().contains("`log` is a level (`off`, `error`, `warn`, "), "{error}");
        assert!(error.to_string().contains("as `info,my_crate=debug`"), "{error}");
    }
}

#[test]
fn a_time_beyond_all_bounds_is_a_century() {
    let read = |text| <Duration as Value>::read(text).unwrap();
    assert_eq!((read("1m 30s"), read("500000000000 years")), (Duration::from_secs(90), LONGEST_TIME));
}

#[test]
fn every_setting_says_what_it_is_for() {
    for setting in SERVER.iter().chain(Side::Client.settings()) {
        assert!(setting.help.ends_with(|c: char| c != '.') && !setting.help.contains("  "), "{}", setting.help);
    }
}

#[test]
fn a_client_has_what_its_file_and_the_environment_say() {
    let folder = Folder::new("client");
    let file = folder.file("client.toml", "[client]\ntimeout = \"2s\"\napp_id = \"shop\"\nmax_body = 9\n");
    let config = ClientConfig::read(Some(file), &environment(&[("GUIRPC_TIMEOUT", "3s")])).unwrap();
    assert_eq!((config.timeout, config.app_id.as_deref()), (Some(Duration::from_secs(3)), Some("shop")));
    assert_eq!((config.max_body, config.uri.as_str()), (9, DEFAULT_URI));
    assert_eq!((config.coalescing, config.coalescing_figures()), (None, Coalescing::default()));
    let coalescing = "[client]\ncoalescing = true\ncoalescing_window = 3\ncoalescing_max_calls = 4\n\
                      coalescing_max_bytes = 5\ncoalescing_linger = \"6ms\"\n";
    let config = ClientConfig::read(Some(folder.file("coalescing.toml", coalescing)), &environment(&[])).unwrap();
    let figures = Coalescing::default().window(3).max_calls(4).max_bytes(5).linger(Duration::from_millis(6));
    assert_eq!((config.coalescing, config.coalescing_figures()), (Some(true), figures));
    let named = folder.file("named.ini", "[client]\nproducer_application_id = shop\n");
    for variable in ["PRODUCER_CONFIG", "PRODUCER_CONFIG_FILEPATH"] {
        let config = ClientConfig::read(None, &environment(&[(variable, named.to_str().unwrap())])).unwrap();
        assert_eq!((config.app_id.as_deref(), config.dialect), (Some("shop"), Some(Dialect::Python)));
    }
}
