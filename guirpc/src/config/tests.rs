//! Which layer wins, which names there are, and what is said of mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::ErrorKind;

mod files;
mod page;

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

/// For every setting a value in the file, another in the environment, and a third on the command line.
const PRECEDENCE: [(&str, [&str; 3]); 23] = [
    ("uri", ["amqp://file", "amqp://environment", "amqp://flag"]),
    ("service", ["file", "environment", "flag"]),
    ("workers", ["1", "2", "3"]),
    ("prefetch", ["1", "2", "3"]),
    ("lane_workers", ["a=1", "a=2", "a=3"]),
    ("lane_prefetch", ["a=1", "a=2", "a=3,b=1"]),
    ("dialect", ["native", "python", "native"]),
    ("exchange", ["file", "environment", "flag"]),
    ("exchange_type", ["direct", "fanout", "topic"]),
    ("queue", ["file", "environment", "flag"]),
    ("routing_key", ["file", "", "flag"]),
    ("durable", ["true", "false", "true"]),
    ("queue_type", ["classic", "quorum", "classic"]),
    ("max_priority", ["1", "2", "3"]),
    ("single_active_consumer", ["true", "false", "true"]),
    ("max_deliveries", ["2", "3", "4"]),
    ("clock_tolerance", ["1s", "2s", "3s"]),
    ("reply_cache", ["1", "2", "3"]),
    ("drain", ["1s", "2s", "3s"]),
    ("max_body", ["1", "2", "3"]),
    ("pickle", ["true", "false", "true"]),
    ("log", ["warn", "info", "debug"]),
    ("log_format", ["text", "json", "text"]),
];

#[test]
fn a_flag_beats_the_environment_which_beats_a_file_which_beats_the_default() {
    assert_eq!(PRECEDENCE.map(|(name, _)| name).to_vec(), SERVER.iter().map(|it| it.name).collect::<Vec<_>>());
    let folder = Folder::new("precedence");
    for (name, [in_file, in_environment, as_flag]) in PRECEDENCE {
        let setting = Side::Server.setting(name).unwrap();
        let variable = (&*setting.variable(), in_environment);
        let file = folder.file("settings.toml", &format!("[server]\n{name} = \"{in_file}\"\n"));
        let flag = [(name, as_flag.to_owned())];
        // An empty variable is as good as none.
        let over_file = if in_environment.is_empty() { in_file } else { in_environment };
        let check = |file, variables: &[_], flags: &[_], expected: Option<&str>| {
            let settings = read(file, variables, flags).unwrap();
            assert_eq!(settings.text(name).unwrap().as_deref(), expected, "{name}");
        };
        check(None, &[], &[], None);
        check(Some(&file), &[], &[], Some(in_file));
        check(Some(&file), &[variable], &[], Some(over_file));
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
    assert_eq!(read(None, &[("GUIRPC_WORKERS", "many")], &flag).unwrap().number("workers").unwrap(), Some(3));
    let error = read(None, &[("GUIRPC_WORKERS", "many")], &[]).unwrap().number::<usize>("workers").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let says = "`workers` is a whole number from 1 to 4294967295, not `many`: `GUIRPC_WORKERS` in the environment";
    assert_eq!(error.to_string(), says);
}

#[test]
fn what_is_shown_as_the_default_is_the_default() {
    let shown = |name| Side::Server.setting(name).unwrap().default;
    let default = Config::default();
    assert_eq!(shown("uri"), default.uri);
    assert_eq!(shown("max_body"), default.max_body.to_string());
    assert_eq!(shown("reply_cache"), default.reply_cache.to_string());
    assert_eq!(shown("max_deliveries"), default.max_deliveries.to_string());
    assert_eq!(shown("clock_tolerance"), humantime::format_duration(default.clock_tolerance).to_string());
    assert_eq!(shown("drain"), humantime::format_duration(default.drain).to_string());
    for setting in SERVER.iter().chain(Side::Client.settings()).filter(|it| it.kind.accepts(it.default)) {
        assert!(!setting.help.is_empty(), "{}", setting.name);
    }
}

#[test]
fn a_client_has_what_its_file_and_the_environment_say() {
    let folder = Folder::new("client");
    let file = folder.file("client.toml", "[client]\ntimeout = \"2s\"\napp_id = \"shop\"\nmax_body = 9\n");
    let config = ClientConfig::read(Some(file), &environment(&[("GUIRPC_TIMEOUT", "3s")])).unwrap();
    assert_eq!((config.timeout, config.app_id.as_deref()), (Some(Duration::from_secs(3)), Some("shop")));
    assert_eq!((config.max_body, config.uri.as_str()), (9, DEFAULT_URI));
    let named = folder.file("named.ini", "[client]\nproducer_application_id = shop\n");
    for variable in ["PRODUCER_CONFIG", "PRODUCER_CONFIG_FILEPATH"] {
        let config = ClientConfig::read(None, &environment(&[(variable, named.to_str().unwrap())])).unwrap();
        assert_eq!((config.app_id.as_deref(), config.dialect), (Some("shop"), Some(Dialect::Python)));
    }
}
