//! What the commands do, one file each.

use std::io::{self, Read};

use guirpc::Client;
use serde_json::Value;

use crate::args::{Args, Broker, Command, Request};
use crate::failure::Failure;

mod broker;
mod call;
mod completions;
mod new;
mod ping;
mod send;

/// Does what the command line says.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::New(new) => new::run(&new),
        Command::Call(request) => call::run(&request),
        Command::Send(request) => send::run(&request),
        Command::Ping(ping) => ping::run(&ping),
        Command::Broker(settings) => broker::run(&settings),
        Command::Completions { shell } => completions::run(shell),
    }
}

impl Broker {
    fn connect(&self) -> Result<Client, Failure> {
        let client = Client::connect(&self.uri)?;
        Ok(client.timeout(self.timeout.into()).app_id("guirpc-cli"))
    }
}

impl Request {
    fn connect(&self) -> Result<Client, Failure> {
        let client = self.broker.connect()?;
        Ok(self.headers.iter().fold(client, |client, (name, value)| client.header(name, value.as_str())))
    }

    fn arguments(&self) -> Result<Value, Failure> {
        if self.arguments != "-" {
            return parse(&self.arguments);
        }
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::other(format!("cannot read the standard input: {error}")))?;
        parse(&text)
    }
}

/// Checked before connecting, so that a mistyped bracket costs no time and needs no broker.
fn parse(text: &str) -> Result<Value, Failure> {
    let example = r#"write an object by parameter name, as '{"a": 1}', or an array in order, as '[1]'"#;
    match serde_json::from_str(text) {
        Ok(arguments @ (Value::Object(_) | Value::Array(_))) => Ok(arguments),
        Ok(other) => Err(Failure::usage(format!("the arguments cannot be `{other}`; {example}"))),
        Err(error) => Err(Failure::usage(format!("the arguments are not JSON: {error}; {example}"))),
    }
}
