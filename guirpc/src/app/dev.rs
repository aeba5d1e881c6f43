//! `dev`: the service and a broker in memory in one process, and a call to try it with.

use std::io;

use serde_json::value::RawValue;

use super::output::{Output, printable};
use super::{Failure, serve};
use crate::client::Client;
use crate::embedded::Broker;
use crate::exit::Exit;
use crate::registry::{Registration, linked};
use crate::server::{Setup, ShutdownHandle};

mod example;

use example::Example;

/// Tried first, so that the address is the same from one run to the next; it stands beside RabbitMQ's 5672.
const USUAL_PORT: u16 = 5673;

/// A call that is made as soon as there is somebody to answer.
#[derive(Debug)]
pub(super) struct Call {
    service: String,
    function: String,
    arguments: Box<RawValue>,
}

impl Call {
    /// Reads a function's name and its arguments, which are none if they are left out; nothing is no call.
    pub(super) fn parse(words: &[String], services: &[String]) -> Result<Option<Self>, Failure> {
        let Some((function, arguments)) = words.split_first() else { return Ok(None) };
        let arguments = arguments.first().map_or("{}", String::as_str);
        let arguments = serde_json::from_str(arguments).map_err(|error| Failure {
            exit: Exit::Usage,
            message: format!(
                r#"the arguments `{arguments}` are not JSON: {error}; write an object by parameter name, as '{{"a": 1}}', or an array in order, as '[1]'"#
            ),
        })?;
        let has_it = |service: &&String| linked().any(|it| it.service == **service && it.name == function);
        let service = services.iter().find(has_it).or(services.first()).cloned().unwrap_or_default();
        Ok(Some(Call { service, function: function.clone(), arguments }))
    }

    /// Calls, and says what came of it.
    fn make(self, uri: &str) -> String {
        let Call { service, function, arguments } = self;
        let arguments = arguments.get();
        let said = Client::connect(uri).map(|client| {
            let output = client.call_json_text(&service, &function, arguments);
            let said = output.unwrap_or_else(|error| format!("error: {error}"));
            client.ignored_arguments().iter().fold(said, |said, ignored| format!("{said}\n  warning: {ignored}"))
        });
        let said = said.unwrap_or_else(|error| format!("error: {error}"));
        format!("{function} {arguments}\n\n  {said}\n\n")
    }
}

/// Serves on a broker of its own until a signal comes.
pub(super) fn run(
    setup: Setup,
    broker: &Broker,
    services: &[String],
    call: Option<Call>,
    shutdown: &ShutdownHandle,
) -> Result<Exit, Failure> {
    let uri = broker.uri();
    // Whatever the program has set.
    serve(setup.uri(&uri), shutdown, || {
        show(&introduction(&uri, services));
        if let Some(call) = call {
            show(&printable(&call.make(&uri)));
        }
        show("Ctrl-C ends it.\n");
    })
}

/// Whoever does not read it is served all the same.
fn show(text: &str) {
    Output::new(io::stdout()).write(text.as_bytes());
}

/// On the usual port, or another one.
pub(super) fn broker(port: Option<u16>) -> Result<Broker, Failure> {
    match port {
        None => Ok(Broker::start_on(USUAL_PORT).or_else(|_| Broker::start())?),
        Some(port) => Broker::start_on(port).map_err(|error| {
            let Failure { exit, message } = Failure::from(error);
            Failure {
                exit,
                message: format!("{message}; choose another with `--port`, or leave it out for a free one"),
            }
        }),
    }
}

/// What there is, and a call to try it with.
fn introduction(uri: &str, services: &[String]) -> String {
    let is_served = |function: &&Registration| services.iter().any(|service| service == function.service);
    let call = Example::of(uri, linked().filter(is_served)).map_or_else(String::new, |Example { line, unknown }| {
        let with = unknown.map_or_else(String::new, |ty| format!(", with a `{ty}` in the place of null"));
        format!("Call it from a second terminal{with}:\n\n  {line}\n\n")
    });
    let services = services.join(", ");
    format!(
        "Serving {services} on a broker in memory, for development: messages are gone when this process ends.\n\
         \n  {uri}\n\n{call}"
    )
}
