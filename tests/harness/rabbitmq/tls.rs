//! A second port of a node, which speaks TLS.

use crate::port::Port;

#[derive(Debug)]
pub(super) struct Tls {
    port: Port,
    options: String,
    parameters: String,
}

impl Tls {
    pub(super) fn new(options: &str, parameters: &str) -> anyhow::Result<Self> {
        Ok(Self { port: Port::claim()?, options: options.to_owned(), parameters: parameters.to_owned() })
    }

    /// What the node is told of it, as entries of its Erlang terms.
    pub(super) fn settings(&self) -> String {
        let (port, options) = (self.port.number(), &self.options);
        format!(", {{ssl_listeners, [{{\"127.0.0.1\", {port}}}]}}, {{ssl_options, [{options}]}}")
    }

    /// How the management API listens with the same options, and these as further entries.
    pub(super) fn https(&self) -> (&'static str, String) {
        ("ssl_config", format!(", {}", self.options))
    }

    /// The way here instead of to the plain port.
    pub(super) fn uri(&self, plain: &str) -> String {
        let (login, rest) = plain.rsplit_once('@').expect("a URI of ours has a login");
        let (_, vhost) = rest.split_once('/').expect("a URI of ours has a virtual host");
        let login = login.replacen("amqp:", "amqps:", 1);
        // A certificate is for a name.
        format!("{login}@localhost:{}/{vhost}?{}", self.port.number(), self.parameters)
    }
}
