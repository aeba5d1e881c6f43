//! `amqps://`: everything as without TLS, and nothing where it would not be safe.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::{Client, ErrorKind, Server};
use harness::{Broker, Case, Program, Proxy, RabbitMq, eventually};

use crate::certificates::Certificates;
use crate::service::{LONG, client, program, serve, setup};
use crate::workload::{add, reversed};
use crate::{faults, stopping};

pub(crate) fn cases() -> Vec<Case> {
    let no_proc = (!Path::new("/proc/self/task").is_dir()).then_some("needs /proc, to count threads");
    vec![
        Case::rabbitmq_own("tls::calls_go_as_without_it", calls_go_as_without_it),
        Case::rabbitmq_own("tls::whoever_is_not_trusted_gets_no_password", whoever_is_not_trusted_gets_no_password),
        Case::rabbitmq_own("tls::clients_show_a_certificate", clients_show_a_certificate),
        Case::rabbitmq_own("tls::a_killed_broker_comes_back", a_killed_broker_comes_back),
        Case::rabbitmq_own("tls::a_lost_connection_leaves_no_thread", a_lost_connection_leaves_no_thread)
            .unless_missing(no_proc),
    ]
}

/// A node whose clients need no certificate, with what made it.
fn node(host: &str) -> anyhow::Result<(RabbitMq, Certificates)> {
    let certificates = Certificates::new(host)?;
    Ok((RabbitMq::start_with_tls(&certificates.options(false), &certificates.trust())?, certificates))
}

fn calls_go_as_without_it() -> anyhow::Result<()> {
    let (broker, _certificates) = node("localhost")?;
    ensure!(broker.uri().starts_with("amqps://"));
    many_calls_at_once(&broker.in_fresh_vhost()?).context("many calls at once")?;
    large_bodies(&broker.in_fresh_vhost()?).context("large bodies")?;
    stopping::sigterm_under_load_loses_no_call(&broker.in_fresh_vhost()?).context("SIGTERM")
}

fn many_calls_at_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..64)
            .map(|thread| {
                let client = client.clone();
                scope.spawn(move || -> anyhow::Result<()> {
                    for n in 0..157 {
                        let (a, b) = (thread * 1000, n);
                        ensure!(add::call(&client, a, b)? == a + b, "a reply was mixed up");
                    }
                    Ok(())
                })
            })
            .collect();
        callers.into_iter().try_for_each(|caller| caller.join().expect("no caller panics"))
    })
}

/// More than any buffer on the way holds, in both directions at once.
fn large_bodies(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    // To take them apart and put them together takes a debug build seconds.
    let client = client(broker)?.with_timeout(4 * LONG);
    let bytes: Vec<u8> = (0..8 << 20).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
    let calls = (0..2).map(|_| reversed::start(&client, bytes.clone())).collect::<Result<Vec<_>, _>>()?;
    let expected: Vec<u8> = bytes.into_iter().rev().collect();
    for call in calls {
        ensure!(call.wait()? == expected);
    }
    Ok(())
}

#[track_caller]
fn check_refused(uri: &str, kind: ErrorKind, why: &str) -> anyhow::Result<()> {
    let error = Client::connect(uri).err().with_context(|| format!("{uri} is not refused"))?;
    ensure!(error.kind() == kind && error.to_string().contains(why), "{error:?}");
    Ok(())
}

fn whoever_is_not_trusted_gets_no_password() -> anyhow::Result<()> {
    let (broker, certificates) = node("rabbit.example")?;
    let (trust, uri) = (certificates.trust(), broker.uri());
    let other = Certificates::new("localhost")?;
    check_refused(&uri.replace(&trust, &other.trust()), ErrorKind::Unreachable, "an authority that is not known")?;
    check_refused(&uri, ErrorKind::Unreachable, "is for rabbit.example, not for `localhost`")?;
    check_refused(&uri.replace(&trust, "verify=verify_none"), ErrorKind::Configuration, "cannot be turned off")?;
    let (without_parameters, _) = uri.split_once('?').context("parameters")?;
    check_refused(&without_parameters.replace("amqps", "amqp"), ErrorKind::Unreachable, "is this port TLS")?;
    let tls = format!("{}?{trust}", broker.plain_uri().replace("amqp:", "amqps:"));
    check_refused(&tls, ErrorKind::Unreachable, "is this port for `amqp://`")?;
    let named = format!("{uri}&server_name_indication=rabbit.example");
    let _server = Server::start(setup(&broker).uri(&named))?;
    ensure!(add::call(&Client::connect(&named)?, 1, 2)? == 3);
    check_refused(&named.replace(":guest@", ":wrong@"), ErrorKind::Denied, "the password is wrong")
}

fn clients_show_a_certificate() -> anyhow::Result<()> {
    let certificates = Certificates::new("localhost")?;
    let broker = RabbitMq::start_with_tls(&certificates.options(true), &certificates.trust())?;
    check_refused(&broker.uri(), ErrorKind::Denied, "wants a certificate of its clients")?;
    let stranger = Certificates::new("localhost")?;
    let strange = format!("{}&{}", broker.uri(), stranger.identity());
    check_refused(&strange, ErrorKind::Denied, "does not accept our certificate")?;
    let uri = format!("{}&{}", broker.uri(), certificates.identity());
    let _server = Server::start(setup(&broker).uri(&uri))?;
    ensure!(add::call(&Client::connect(&uri)?, 1, 2)? == 3);
    Ok(())
}

fn a_killed_broker_comes_back() -> anyhow::Result<()> {
    let (mut broker, _certificates) = node("localhost")?;
    faults::a_killed_broker_comes_back(&mut broker)
}

fn threads(program: &Program) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/task", program.id()))?.count())
}

/// Neither when its connections are cut, nor when the other side falls silent, also in the middle of a handshake.
fn a_lost_connection_leaves_no_thread() -> anyhow::Result<()> {
    let (broker, _certificates) = node("localhost")?;
    let (login, rest) = broker.uri().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).context("@")?;
    let rest = rest.replacen("localhost", "127.0.0.1", 1);
    let port = rest.split([':', '/']).nth(1).context("a port")?.parse()?;
    let proxy = Proxy::to(port)?;
    let uri = proxy.detour(&format!("{login}@{rest}&server_name_indication=localhost&heartbeat=1"));
    let server = program(&uri, &["--workers", "2"])?;
    let client = client(&broker)?;
    let answers = || Ok(add::call(&client, 1, 2).is_ok());
    eventually(LONG, answers)?;
    let before = threads(&server)?;
    let settled = || eventually(LONG, || Ok(threads(&server)? <= before)).context("threads are left behind");
    for _ in 0..5 {
        proxy.cut();
        eventually(LONG, answers)?;
        settled()?;
    }
    proxy.freeze();
    server.wait_for_log("took longer than", LONG)?;
    proxy.thaw();
    eventually(Duration::from_mins(1), answers)?;
    settled()
}
