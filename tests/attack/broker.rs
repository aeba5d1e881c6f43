//! Brokers that lie, stall, or lose what they were told to keep.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use amiquip::{Channel, Connection, ExchangeDeclareOptions, ExchangeType, FieldTable};
use anyhow::{Context, ensure};
use guirpc::embedded::Broker as Embedded;
use guirpc::{Client, Server};
use harness::{Broker, Case, Program, RabbitMq, binary, eventually};

use crate::liar::Liar;
use crate::service::{LONG, SERVICE, setup};
use crate::workload::add;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("broker::one_that_answers_nothing_takes_no_threads", one_that_answers_nothing_takes_no_threads),
        Case::embedded("broker::no_frame_ends_the_process", no_frame_ends_the_process),
        Case::embedded("broker::connections_leave_nothing_behind", connections_leave_nothing_behind),
        Case::shared("broker::a_deleted_exchange_is_declared_again", a_deleted_exchange_is_declared_again),
        Case::rabbitmq_shared("broker::who_may_not_declare_says_so_once", who_may_not_declare_says_so_once),
    ]
}

/// The answers that are kept back: class and method, who waits for it, and what it is.
const KEPT_BACK: &[((u8, u8), &str, &str)] = &[
    ((10, 10), "client", "connection.start"),
    ((10, 41), "client", "connection.open-ok"),
    ((20, 11), "client", "channel.open-ok"),
    ((60, 21), "client", "basic.consume-ok"),
    ((60, 31), "client", "basic.cancel-ok"),
    ((20, 40), "client", "the answer to a trial of an exchange"),
    ((20, 11), "server", "channel.open-ok"),
    ((20, 40), "server", "the answer to a trial of a reply"),
    ((40, 11), "server", "exchange.declare-ok"),
    ((50, 11), "server", "queue.declare-ok"),
    ((60, 21), "server", "basic.consume-ok"),
    ((60, 31), "server", "basic.cancel-ok"),
];

/// Each attempt is given up after half a minute.
fn one_that_answers_nothing_takes_no_threads(_: &Embedded) -> anyhow::Result<()> {
    let all: Vec<_> = KEPT_BACK.iter().map(Stalled::start).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let during = |from: u64, to: u64| {
        thread::sleep(Duration::from_secs(from).saturating_sub(begun.elapsed()));
        let mut fewest = vec![Usage::MOST; all.len()];
        while begun.elapsed() < Duration::from_secs(to) {
            for (fewest, stalled) in fewest.iter_mut().zip(&all) {
                *fewest = fewest.least(stalled.usage()?);
            }
            thread::sleep(Duration::from_millis(500));
        }
        anyhow::Ok(fewest)
    };
    // Within the first attempt of each, also of those that were started some seconds before.
    let first = during(10, 20)?;
    for stalled in &all {
        stalled.disturb();
    }
    let second = during(45, 58)?;
    let grown = all
        .iter()
        .zip(first.iter().zip(&second))
        .filter(|(_, (first, second))| second.threads > first.threads + 1 || second.sockets > first.sockets);
    let grown: Vec<String> =
        grown.map(|(stalled, (first, second))| format!("{}: {first:?}, then {second:?}", stalled.what)).collect();
    ensure!(grown.is_empty(), "{}", grown.join("\n"));
    Ok(())
}

/// A program whose broker answers up to a certain point.
struct Stalled {
    what: String,
    broker: Embedded,
    program: Program,
    _liar: Liar,
}

#[derive(Clone, Copy, Debug)]
struct Usage {
    threads: usize,
    sockets: usize,
}

impl Usage {
    const MOST: Usage = Usage { threads: usize::MAX, sockets: usize::MAX };

    fn least(self, other: Usage) -> Usage {
        Usage { threads: self.threads.min(other.threads), sockets: self.sockets.min(other.sockets) }
    }
}

impl Stalled {
    fn start((answer, who, what): &((u8, u8), &str, &str)) -> anyhow::Result<Self> {
        let broker = Embedded::start()?;
        let liar = Liar::before(broker.port(), *answer)?;
        let program = Program::start(Command::new(binary("attacked")?).args([*who, &*liar.uri()]))?;
        let stalled = Stalled { what: format!("a {who} without {what}"), broker, program, _liar: liar };
        if (*who, *answer) == ("server", (60, 31)) {
            stalled.program.wait_for_line("serving", LONG)?;
            stalled.disturb();
        }
        Ok(stalled)
    }

    /// Has a server that serves lose its consumers.
    fn disturb(&self) {
        self.broker.delete_queue(SERVICE);
    }

    fn usage(&self) -> anyhow::Result<Usage> {
        let process = format!("/proc/{}", self.program.id());
        let threads = fs::read_dir(format!("{process}/task"))?.count();
        let files = fs::read_dir(format!("{process}/fd"))?.flatten();
        let sockets = files.filter_map(|file| fs::read_link(file.path()).ok());
        let sockets = sockets.filter(|target| target.to_string_lossy().starts_with("socket:")).count();
        Ok(Usage { threads, sockets })
    }
}

/// What a peer answers to the greeting of a client, and what the client says of it.
fn no_frame_ends_the_process(_: &Embedded) -> anyhow::Result<()> {
    let nested = (0..15_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        [&b"\x01aF"[..], &u32::try_from(inner.len()).expect("it is short").to_be_bytes(), &inner].concat()
    });
    let table = |table: &[u8]| [&u32::try_from(table.len()).expect("it is short").to_be_bytes()[..], table].concat();
    // A method that only clients send, with a table that amiquip would follow.
    let bind = [&[0, 50, 0, 20, 0, 0, 1, b'q', 1, b'e', 1, b'k', 0][..], &table(&nested)].concat();
    let start = [&[0, 10, 0, 10, 0, 9][..], &table(&nested), &table(b"PLAIN"), &table(b"en_US")].concat();
    let lies: [(Vec<u8>, &str); 6] = [
        (frame(1, 1, &bind), "method 50.20"),
        (frame(2, 1, &[&[0, 60, 0, 0][..], &100_000_000_000_u64.to_be_bytes(), &[0, 0]].concat()), "100000000000"),
        (frame(2, 1, &[&[0, 60, 0, 0][..], &u64::MAX.to_be_bytes(), &[0, 0]].concat()), "is it a broker"),
        (vec![1, 0, 0, 0xff, 0xff, 0xff, 0xff], "a frame of 4294967295 bytes"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "no frame"),
        (b"AMQP\x00\x01\x00\x00".to_vec(), "no frame"),
    ];
    for (lie, said) in lies {
        let begun = Instant::now();
        let error = Client::connect(peer(lie)?).map(drop).unwrap_err().to_string();
        ensure!(error.contains(said), "{error}");
        ensure!(begun.elapsed() < Duration::from_secs(5), "{said}: it takes {:?}", begun.elapsed());
    }
    // What it says of itself is sanitized, and the handshake goes on.
    let error = Client::connect(peer(frame(1, 0, &start))?).map(drop).unwrap_err().to_string();
    ensure!(!error.contains("is no AMQP"), "{error}");
    Ok(())
}

/// A peer that takes one greeting, says this, and hangs up when it has heard the answer.
fn peer(says: Vec<u8>) -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let uri = format!("amqp://{}", listener.local_addr()?);
    thread::spawn(move || answer(&listener.accept()?.0, &says));
    Ok(uri)
}

fn answer(mut stream: &TcpStream, says: &[u8]) -> io::Result<()> {
    stream.read_exact(&mut [0; 8])?;
    stream.write_all(says)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.read(&mut [0; 4096]).map(drop)
}

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    [&[kind], &channel.to_be_bytes()[..], &size, payload, &[0xCE]].concat()
}

fn connections_leave_nothing_behind(broker: &Embedded) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let mut program = Program::start(Command::new(binary("attacked")?).args(["connections", &broker.uri(), "100"]))?;
    let line = program.wait_for_line("bytes for each connection", 4 * LONG)?;
    let bytes: usize = line.split(' ').next().context("a number")?.parse()?;
    ensure!(bytes < 500, "{line}");
    ensure!(program.wait(LONG)?.success());
    Ok(())
}

fn a_deleted_exchange_is_declared_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    ensure!(add::call(&client, 1, 2)? == 3);
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    delete_exchange(&channel)?;
    ensure!(add::call(&client.with_timeout(Duration::from_secs(1)), 1, 2).is_err(), "it was deleted");
    eventually(LONG, || Ok(add::call(&client, 1, 2) == Ok(3)))?;
    channel.queue_unbind(SERVICE, "guirpc", SERVICE, FieldTable::new())?;
    eventually(LONG, || Ok(add::call(&client, 1, 2) == Ok(3)))?;
    channel.close()?;
    Ok(connection.close()?)
}

fn who_may_not_declare_says_so_once(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    drop(Server::start(setup(rabbitmq))?);
    let uri = rabbitmq.add_user("bare", ["", ".*", ".*"])?;
    let mut command = Command::new(binary("attacked")?);
    let program = Program::start(command.env("ATTACKED_LOG", "1").args(["server", &*uri]))?;
    program.wait_for_line("serving", LONG)?;
    let client = Client::connect(rabbitmq.uri())?.with_timeout(LONG);
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    delete_exchange(&channel)?;
    program.wait_for_log("cannot be declared again", LONG)?;
    // Two looks later.
    thread::sleep(Duration::from_secs(13));
    let said = program.stderr().iter().filter(|line| line.contains("cannot be declared again")).count();
    ensure!(said == 1, "it is said {said} times");
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ExchangeType::Direct, "guirpc", durable)?;
    program.wait_for_log("there again", LONG)?;
    eventually(LONG, || Ok(add::call(&client, 1, 2) == Ok(3)))?;
    channel.close()?;
    Ok(connection.close()?)
}

fn delete_exchange(channel: &Channel) -> anyhow::Result<()> {
    Ok(channel.exchange_delete("guirpc", false)?)
}
