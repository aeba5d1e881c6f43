//! The INI files that the commands of the original write: for a server, or for a client.

use std::path::{Path, PathBuf};

use crate::args::{Connect, ConsumerSettings, ProducerSettings};
use crate::failure::Failure;
use crate::template::fill;

const CONSUMER: &str = include_str!("../../templates/consumer.ini");
const PRODUCER: &str = include_str!("../../templates/producer.ini");

/// The settings of a server, which lives in the package `root`.
pub(super) fn consumer(name: &str, root: &str, settings: &ConsumerSettings) -> Result<String, Failure> {
    let ConsumerSettings { exchange, exchange_type, queue, routing_key, prefetch_count, max_workers, connect } =
        settings;
    let [name, root, exchange, exchange_type, queue, routing_key] =
        [name, root, exchange, exchange_type, queue, routing_key].map(escaped);
    let blanks = [
        ("name", &*name),
        ("root", &root),
        ("connection", &connection("server", connect)?),
        ("exchange", &exchange),
        ("exchange_type", &exchange_type),
        ("queue", &queue),
        ("routing_key", &routing_key),
        ("prefetch_count", &prefetch_count.to_string()),
        ("max_workers", &max_workers.to_string()),
    ];
    Ok(fill(CONSUMER, &blanks))
}

/// The settings of a client, which lives in the package `root`.
pub(super) fn producer(name: &str, root: &str, settings: &ProducerSettings) -> Result<String, Failure> {
    let ProducerSettings { producer_id, exchange, routing_key, consumer, connect } = settings;
    let [name, root, producer_id, exchange, routing_key, consumer] =
        [name, root, producer_id, exchange, routing_key, consumer].map(escaped);
    let blanks = [
        ("name", &*name),
        ("root", &root),
        ("producer_id", &producer_id),
        ("connection", &connection("client", connect)?),
        ("exchange", &exchange),
        ("routing_key", &routing_key),
        ("consumer", &consumer),
    ];
    Ok(fill(PRODUCER, &blanks))
}

/// The file for a name, in a folder.
pub(super) fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.ini"))
}

/// As Python's `configparser` has a value.
fn escaped(value: &str) -> String {
    value.replace('%', "%%")
}

/// The section for the broker; empty if there is none.
fn connection(side: &str, connect: &Connect) -> Result<String, Failure> {
    if connect.0.is_empty() {
        return Ok(String::new());
    }
    let Parts { user, password, host, port, vhost } = Parts::of(&connect.0).ok_or_else(|| {
        // It may have a password, so it is not repeated.
        Failure::usage(
            "the broker of `--connect` is written as `user:password@host:port`, or `user:password@host:port/vhost`",
        )
    })?;
    let [user, password, host, port] = [user, password, host, port].map(escaped);
    let vhost = vhost.map_or_else(String::new, |vhost| format!("vhost = {}\n", escaped(vhost)));
    let section =
        format!("[{side}.connection]\nhost = {host}\nport = {port}\nuser = {user}\npassword = {password}\n{vhost}\n");
    Ok(section)
}

/// The parts of `--connect`.
#[derive(Debug, PartialEq)]
struct Parts<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
    vhost: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(connect: &'a str) -> Option<Self> {
        let connect = connect.strip_prefix("amqp://").unwrap_or(connect);
        let (login, place) = connect.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (place, vhost) = place.split_once('/').map_or((place, None), |(place, vhost)| (place, Some(vhost)));
        let (host, port) = place.rsplit_once(':').unwrap_or((place, "5672"));
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        let is_sound = is_port && !host.is_empty() && !connect.contains(char::is_control);
        is_sound.then_some(Parts { user, password, host, port, vhost: vhost.filter(|vhost| !vhost.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_taken_apart() {
        let parts = |user, password, host, port, vhost| Some(Parts { user, password, host, port, vhost });
        assert_eq!(Parts::of("guest:guest@localhost:5672"), parts("guest", "guest", "localhost", "5672", None));
        assert_eq!(Parts::of("amqp://a:b:@c@h/v"), parts("a", "b:@c", "h", "5672", Some("v")));
        for mistaken in ["localhost:5672", "guest@localhost:5672", "a:b@h:0", "a:b@h:port", "a:b@:1", "a:b\n@h:1"] {
            assert_eq!(Parts::of(mistaken), None, "{mistaken}");
        }
    }

    #[test]
    fn percent_signs_are_doubled() {
        let section = connection("client", &Connect("a:s%40@h".to_owned())).unwrap();
        assert!(section.contains("password = s%%40\n"), "{section}");
        assert_eq!(connection("client", &Connect(String::new())).unwrap(), "");
    }
}
