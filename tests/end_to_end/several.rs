//! Several brokers in one URI: any of them will do, and what is wrong with one keeps nobody from the next.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::ensure;
use guirpc::embedded::Broker as Embedded;
use guirpc::{Client, ErrorKind, Server};
use harness::{Broker, Case, eventually};

use crate::service::{LONG, program, setup};
use crate::workload::add;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::exclusive("several::the_next_takes_over_from_one_that_is_killed", the_next_takes_over),
        Case::shared("several::a_silent_one_is_passed_over", a_silent_one_is_passed_over),
        Case::shared("several::a_wrong_one_is_passed_over", a_wrong_one_is_passed_over),
        Case::shared("several::each_is_told_where_none_will_do", each_is_told_where_none_will_do),
        Case::embedded("several::a_frozen_one_is_left", a_frozen_one_is_left),
    ]
}

/// The first is the one under test, the second a stranger to it, to which client and server go both.
fn the_next_takes_over(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let second = Embedded::start()?;
    let uri = format!("{},{}", broker.uri(), second.uri());
    let server = program(&uri, &["--workers", "2"])?;
    server.wait_for_log(&format!("127.0.0.1:{}", broker.port()), LONG)?;
    let client = Client::connect(&uri)?.with_timeout(LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.kill()?;
    let begun = Instant::now();
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))?;
    ensure!(begun.elapsed() < Duration::from_secs(10), "the next one is there all the while");
    server.wait_for_log(&format!("connected to amqp://guest@127.0.0.1:{}", second.port()), LONG)?;
    // And back, when that one is gone and the first is there again.
    broker.restart()?;
    drop(second);
    eventually(Duration::from_secs(90), || Ok(add::call(&client, 1, 2).is_ok()))
}

fn a_silent_one_is_passed_over(broker: &dyn Broker) -> anyhow::Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let uri = format!("amqp://{},{}", silent.local_addr()?, broker.uri());
    let begun = Instant::now();
    let _server = Server::start(setup(broker).uri(&uri))?;
    // It has half of the 20 s.
    ensure!((10..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn a_wrong_one_is_passed_over(broker: &dyn Broker) -> anyhow::Result<()> {
    let uri = format!("{},{}", broker.uri_for("guest", "wrong", "/"), broker.uri());
    let server = program(&uri, &["--workers", "2"])?;
    server.wait_for_log("the password is wrong", LONG)?;
    let client = Client::connect(format!("{},amqp://127.0.0.1:9", broker.uri()))?.with_timeout(LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    broker.close_all_connections("a test")?;
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))
}

fn each_is_told_where_none_will_do(broker: &dyn Broker) -> anyhow::Result<()> {
    let wrong = broker.uri_for("guest", "secret", "/");
    let error = Client::connect(format!("{wrong},amqp://guest:secret@127.0.0.1:9")).unwrap_err();
    let text = error.to_string();
    ensure!(error.kind() == ErrorKind::Unreachable, "{error:?}");
    ensure!(text.contains("the password is wrong") && text.contains("is RabbitMQ running there"), "{text}");
    ensure!(!text.contains("secret"), "{text}");
    let error = Client::connect(format!("{wrong},{wrong}")).unwrap_err();
    ensure!(error.kind() == ErrorKind::Denied, "{error:?}");
    Ok(())
}

/// Whoever loses it does not ask it first, but goes to the next at once.
fn a_frozen_one_is_left(first: &Embedded) -> anyhow::Result<()> {
    let second = Embedded::start()?;
    let uri = format!("{}?heartbeat=1,{}", first.uri(), second.uri());
    let _server = Server::start(setup(first).uri(&uri))?;
    let client = Client::connect(&uri)?.with_timeout(LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    first.freeze();
    let begun = Instant::now();
    eventually(LONG, || Ok(add::call(&client, 1, 2).is_ok()))?;
    // Twice the heartbeat, and a moment; not the 10 s in which a silent one is given up.
    ensure!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    Ok(())
}
