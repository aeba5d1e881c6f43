//! What clients of the embedded broker make it keep.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use amiquip::{Connection, ConnectionBlockedNotification as Blocked, Publish, QueueDeclareOptions};
use anyhow::{Context, ensure};
use guirpc::embedded::Broker;
use harness::Case;

const LONG: Duration = Duration::from_mins(1);
const MIB: usize = 1 << 20;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::embedded("embedded::messages_that_do_not_end_take_memory", messages_that_do_not_end_take_memory)]
}

/// A body of 128 MiB on each connection, of which the last bytes never come.
fn messages_that_do_not_end_take_memory(broker: &Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let blocked = connection.listen_for_connection_blocked()?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare("letters", QueueDeclareOptions::default())?;
    channel.basic_publish("", Publish::new(b"", "letters"))?;
    let unfinished: Vec<TcpStream> =
        (0..4).map(|_| begin(broker.port(), 128 * MIB as u64, 127 * MIB)).collect::<Result<_, _>>()?;
    ensure!(blocked.is_empty(), "{blocked:?}");
    let more = begin(broker.port(), 128 * MIB as u64, 20 * MIB)?;
    ensure!(matches!(blocked.recv_timeout(LONG)?, Blocked::Blocked(_)));
    drop((unfinished, more));
    ensure!(matches!(blocked.recv_timeout(LONG)?, Blocked::Unblocked));
    channel.basic_publish("", Publish::new(b"", "letters"))?;
    channel.close()?;
    Ok(connection.close()?)
}

/// Begins a message of `size` bytes, and sends so many of them.
fn begin(port: u16, size: u64, bytes: usize) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"AMQP\0\0\x09\x01")?;
    expect(&mut stream, [10, 10])?;
    method(&mut stream, 0, b"\0\x0a\0\x0b\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US")?;
    expect(&mut stream, [10, 30])?;
    method(&mut stream, 0, b"\0\x0a\0\x1f\x07\xff\0\x02\0\0\0\0")?;
    method(&mut stream, 0, b"\0\x0a\0\x28\x01/\0\0")?;
    expect(&mut stream, [10, 41])?;
    method(&mut stream, 1, b"\0\x14\0\x0a\0")?;
    expect(&mut stream, [20, 11])?;
    method(&mut stream, 1, b"\0\x3c\0\x28\0\0\0\x07letters\0")?;
    frame(&mut stream, 2, 1, &[&[0, 60, 0, 0][..], &size.to_be_bytes(), &[0, 0]].concat())?;
    let chunk = vec![0; 100_000];
    for _ in 0..bytes / chunk.len() {
        frame(&mut stream, 3, 1, &chunk)?;
    }
    Ok(stream)
}

fn method(stream: &mut TcpStream, channel: u16, payload: &[u8]) -> anyhow::Result<()> {
    frame(stream, 1, channel, payload)
}

fn frame(stream: &mut TcpStream, kind: u8, channel: u16, payload: &[u8]) -> anyhow::Result<()> {
    let size = u32::try_from(payload.len())?.to_be_bytes();
    Ok(stream.write_all(&[&[kind], &channel.to_be_bytes()[..], &size, payload, &[0xCE]].concat())?)
}

/// Reads a frame, which is to be this method.
fn expect(stream: &mut TcpStream, [class, method]: [u8; 2]) -> anyhow::Result<()> {
    let mut head = [0; 7];
    stream.read_exact(&mut head)?;
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    let mut payload = vec![0; size + 1];
    stream.read_exact(&mut payload)?;
    let found = payload.get(..4).context("it is no method")?;
    ensure!(found == [0, class, 0, method], "{found:?}, not {class}.{method}");
    Ok(())
}
