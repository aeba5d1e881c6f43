//! Files: those of the original, our own, and what is wrong with others.

use super::*;

/// As `initconsumer` of the original's version 0.1 writes it.
const CONSUMER: &str = include_str!("../../../../tests/interop/files/consumer.ini");
/// As its `initproducer` does.
const PRODUCER: &str = include_str!("../../../../tests/interop/files/producer.ini");

fn load(name: &str, text: &str) -> Result<Settings, Error> {
    let folder = Folder::new("load");
    read(Some(&folder.file(name, text)), &[], &[])
}

fn config(text: &str) -> Config {
    Config::new(&load("a.ini", text).unwrap()).unwrap()
}

#[test]
fn a_server_of_the_original_is_served_as_it_was() {
    let config = config(CONSUMER);
    assert_eq!(config.uri, "amqp://guest:guest@localhost:5672/%2F");
    assert_eq!((config.dialect, config.durable), (Dialect::Python, None));
    assert_eq!((config.exchange.as_deref(), config.exchange_type), (Some("rpc_gateway"), ExchangeType::Direct));
    assert_eq!((config.queue.as_deref(), config.routing_key.as_deref()), (Some("my_queue"), Some("my_queue")));
    assert_eq!((config.prefetch, config.workers), (Some(1), None));
}

#[test]
fn a_client_of_the_original_calls_as_it_did() {
    let folder = Folder::new("producer");
    let file = folder.file("producer.ini", PRODUCER);
    let config = ClientConfig::read(Some(file.clone()), &environment(&[])).unwrap();
    assert_eq!((config.uri.as_str(), config.dialect), ("amqp://guest:guest@localhost:5672/%2F", Some(Dialect::Python)));
    assert_eq!((config.exchange.as_deref(), config.routing_key.as_deref()), (Some("rpc_gateway"), Some("my_queue")));
    assert_eq!(config.app_id.as_deref(), Some("client_uuid"));
    let config = ClientConfig::read(Some(file), &environment(&[("AMQP_URI", "amqp://elsewhere")])).unwrap();
    assert_eq!(config.uri, "amqp://elsewhere");
}

#[test]
fn both_versions_of_the_original_are_understood() {
    let config = config(
        "[server]\nverbose_name: A: b\nroot = a\n\
         [server.connection]\nhost = h\nuser = a%%40b\npassword = s:%%2F%%#;\nvirtual_host = math\n\
         [server.amqp_entities]\nexchange = e\nexchange_type: topic\nqueue =\nrouting_key\n\
         [server.options]\nprefetch_count = 7\nMAX_WORKERS = 4\n# a comment\n; another\ndrain = 5s\n",
    );
    assert_eq!(config.uri, "amqp://a%40b:s%3A%2F%25%23%3B@h:5672/math");
    assert_eq!((config.exchange.as_deref(), config.exchange_type), (Some("e"), ExchangeType::Topic));
    assert_eq!((config.queue, config.routing_key.as_deref()), (None, Some("")));
    assert_eq!((config.prefetch, config.workers, config.drain), (Some(7), Some(4), Duration::from_secs(5)));
    assert_eq!(config_uri("vhost = %%2F\n"), "amqp://guest:guest@localhost:5672/%2F");
    assert_eq!(config_uri("port = 1\npassword =\n"), "amqp://guest:@localhost:1/%2F");
}

#[test]
fn a_file_of_ours_has_our_names() {
    let text = "[server]\nservice = [\"a\", \"b\"]\nworkers = 3\ndurable = false\n[client]\napp_id = \"x\"\n";
    let settings = load("a.toml", text).unwrap();
    assert_eq!(settings.value::<Vec<String>>("service").unwrap(), Some(vec!["a".to_owned(), "b".to_owned()]));
    let config = Config::new(&settings).unwrap();
    assert_eq!((config.workers, config.durable, config.dialect), (Some(3), Some(false), Dialect::Native));
    load("a.toml", "").unwrap();
}

/// What is wrong with a file is said in its place, with what to do, and never with a password.
#[track_caller]
fn check_mistake(name: &str, text: &str, says: &str) {
    let error = load(name, text).and_then(|settings| Config::new(&settings)).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let error = error.to_string();
    assert!(error.contains(says) && error.contains(name), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn an_unknown_name_is_said_with_the_nearest() {
    check_mistake("a.toml", "[server]\nworker = 3\n", "no setting `worker`: [server] of ");
    check_mistake("a.toml", "[server]\nworker = 3\n", "did you mean `workers`?");
    check_mistake("a.toml", "[sever]\n", "no section `sever`");
    check_mistake("a.toml", "workers = 3\n", "`workers` in ");
    check_mistake("a.ini", "[server.option]\nprefetch_count = 1\n", "did you mean `server.options`?");
    check_mistake("a.ini", "[server.options]\nprefetch_cont = 1\n", "did you mean `prefetch_count`?");
    check_mistake("a.ini", "[server.options]\nqueue = 1\n", "no key `queue`: [server.options] of ");
    check_mistake("a.ini", "host = h\n[server]\n", "before the first section");
}

#[test]
fn a_wrong_type_is_said_with_what_is_expected() {
    check_mistake(
        "a.toml",
        "[server]\nworkers = true\n",
        "a whole number from 1 to 4294967295, not `true`: `workers` in [server] of ",
    );
    check_mistake("a.toml", "[server]\nprefetch = 65536\n", "a whole number from 1 to 65535");
    check_mistake("a.toml", "[server]\ndrain = 5\n", "a time such as `1m 30s`, not `5`");
    check_mistake("a.toml", "[server]\nqueue = { a = 1 }\n", "not a table or a list");
    check_mistake("a.ini", "[server.options]\nprefetch_count = many\n", "`prefetch_count` in [server.options] of ");
    check_mistake("a.ini", "[server.options]\nmax_workers = 0\n", "a whole number from 1");
    check_mistake("a.ini", "[server.amqp_entities]\nexchange_type = headers\n", "one of `direct`, `fanout`, `topic`");
    check_mistake("a.ini", "[server.connection]\nport = amqp\npassword = secret\n", "`port` is a whole number");
}

#[test]
fn a_file_that_cannot_be_understood_is_said() {
    check_mistake("a.yaml", "", "its name ends in `.toml`, or in `.ini`");
    check_mistake("a", "", "its name ends in `.toml`, or in `.ini`");
    check_mistake("a.toml", "[server]\nuri = \"amqp://a:secret@h\n", "line 2");
    check_mistake("a.ini", "[server\n", "line 1");
    check_mistake("a.ini", "[server.connection]\npassword = secret%2F\n", "`%` in a value is written `%%`");
    check_mistake("a.ini", "[server.connection]\nvhost = a\nvirtual_host = b\n", "`vhost` and `virtual_host` differ");
    check_mistake("a.ini", "[server.options]\nmax_workers = 1\nworkers = 2\n", "leave one out");
    check_mistake("a.ini", PRODUCER, "has no section `[server]`");
    check_mistake("a.toml", "[client]\n", "has no section `[server]`");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let error = read(Some(Path::new("/no/such.ini")), &[], &[]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the settings in `/no/such.ini`: "), "{error}");
    let error = read(None, &[("CONSUMER_CONFIG", "/no/such.toml")], &[]).unwrap_err().to_string();
    assert!(error.contains("`/no/such.toml`"), "{error}");
}

#[test]
fn no_password_is_shown_by_debug() {
    let folder = Folder::new("debug");
    let file = folder.file("a.toml", "[server]\nuri = \"amqp://a:secret@h\"\n[client]\nuri = \"amqp://a:secret@h\"\n");
    let settings = read(Some(&file), &[], &[]).unwrap();
    let client = ClientConfig::read(Some(file), &environment(&[])).unwrap();
    assert!(settings.text("uri").unwrap().unwrap().contains("secret") && client.uri.contains("secret"));
    assert!(!format!("{settings:?} {client:?}").contains("secret"));
}

#[test]
fn a_file_names_the_package_that_it_belongs_to() {
    let folder = Folder::new("root");
    assert_eq!(package_of(&folder.file("a.ini", CONSUMER)).unwrap(), folder.0.join("foobar/server.py"));
    let error = package_of(&folder.file("b.ini", "[server]\nroot =\n")).unwrap_err().to_string();
    assert!(error.contains("`root` in [server] is missing"), "{error}");
    assert!(package_of(&folder.file("c.toml", "")).is_err());
}

#[test]
fn what_is_there_twice_is_an_error_as_in_python() {
    let folder = Folder::new("twice");
    let read = |text: &str| {
        let file = folder.file("twice.ini", text);
        ClientConfig::read(Some(file), &environment(&[])).map_err(|error| error.to_string())
    };
    let error = read("[client]\nroot = a\n\n[client]\nverbose_name = b\n").unwrap_err();
    assert!(error.contains("[client] is in") && error.contains("a second time, in line 4"), "{error}");
    let error = read("[client]\nroot = a\nRoot: b\n").unwrap_err();
    assert!(error.contains("`root` in [client]") && error.contains("a second time, in line 3"), "{error}");
    // A value that goes on in the next line is no key, and the same key may stand in another section.
    read("[DEFAULT]\nroot = a\n[client]\nroot = a\n  root = b\n# root = c\n").unwrap();
}
