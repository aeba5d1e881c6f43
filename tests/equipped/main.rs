//! A service that takes everything that `main!` has for a program: a client, settings and arguments of its own, its own
//! subscriber, an end. What it says goes to the standard error output.

use std::thread;
use std::time::Duration;

use guirpc::{Client, Fault};
use serde::Deserialize;

/// Its section of the file of settings.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Own {
    greeting: String,
    /// How long the set-up takes.
    set_up_ms: u64,
    /// Whether it brings a subscriber.
    logs_itself: bool,
}

impl Default for Own {
    fn default() -> Self {
        Own { greeting: "Hello".to_owned(), set_up_ms: 0, logs_itself: false }
    }
}

/// Says when it is dropped.
struct Greeting(String);

impl Drop for Greeting {
    fn drop(&mut self) {
        eprintln!("the state is dropped");
    }
}

/// Greets.
#[guirpc::function(service = "equipped")]
fn greet(#[state] greeting: &Greeting, name: &str) -> String {
    format!("{} {name}", greeting.0)
}

/// Has the other function greet, by way of the broker.
#[guirpc::function(service = "equipped", timeout = "30s")]
fn relay(#[state] client: &Client, name: &str) -> Result<String, Fault> {
    Ok(greet::call(client, name)?)
}

/// Greets, on workers of its own.
#[guirpc::function(service = "equipped", lane = "greetings")]
fn greet_apart(#[state] greeting: &Greeting, name: &str) -> String {
    greet(greeting, name)
}

/// Has the other lane greet.
#[guirpc::function(service = "equipped")]
fn relay_apart(#[state] client: &Client, name: &str) -> Result<String, Fault> {
    Ok(greet_apart::call(client, name)?)
}

guirpc::main!(services = ["equipped"], |setup| {
    let own: Own = setup.settings()?;
    if own.logs_itself {
        tracing_subscriber::fmt().with_writer(std::io::stderr).without_time().init();
    }
    eprintln!("setting up");
    thread::sleep(Duration::from_millis(own.set_up_ms));
    let arguments: Vec<_> = setup.arguments().iter().map(|argument| argument.display().to_string()).collect();
    let greeting = [vec![own.greeting], arguments].concat().join(" ");
    let client = setup.client()?;
    Ok(setup.state(client).state(Greeting(greeting)).on_stopped(|| eprintln!("the server has stopped")))
});
