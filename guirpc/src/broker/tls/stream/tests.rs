//! Against a socket that takes and gives as little as it likes, in the manner of amiquip.

use std::cell::RefCell;
use std::cmp::min;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use rustls::ServerConnection;

use super::*;
use crate::broker::Address;
use crate::broker::tls::server_name;
use crate::broker::tls::tests::{Authority, server, unchanged};

const LENGTH: usize = 1 << 20;

/// What is on its way; it takes no more than it has room for.
#[derive(Debug, Default)]
struct Road {
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    room: usize,
}

/// The client's end.
#[derive(Clone, Debug, Default)]
struct Socket(Rc<RefCell<Road>>);

fn would_block() -> io::Error {
    ErrorKind::WouldBlock.into()
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut road = self.0.borrow_mut();
        // A part of what is there, so that it ends anywhere in a record.
        let length = min(buffer.len(), road.to_client.len()).min(1 + fastrand::usize(..5000));
        if length == 0 { Err(would_block()) } else { road.to_client.read(&mut buffer[..length]) }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut road = self.0.borrow_mut();
        let length = min(bytes.len(), road.room);
        road.room -= length;
        if length == 0 { Err(would_block()) } else { road.to_server.write(&bytes[..length]) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream and its peer, after the handshake.
fn connected() -> (TlsStream<Socket>, ServerConnection, Socket) {
    let authority = Authority::new();
    let mut server = ServerConnection::new(server(authority.identity("localhost", unchanged), None)).unwrap();
    server.set_buffer_limit(None);
    let address = Address::parse(&format!("amqps://localhost?{}", authority.parameter())).unwrap();
    let config = address.tls.config().unwrap();
    let client = ClientConnection::new(Arc::new(config), server_name("localhost").unwrap()).unwrap();
    let road = Socket::default();
    let mut stream = TlsStream::new(client, road.clone());
    while stream.session.is_handshaking() || server.is_handshaking() {
        road.0.borrow_mut().room = usize::MAX;
        let _ = stream.send();
        serve(&mut server, &road, &mut Vec::new());
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    (stream, server, road)
}

/// Has the server take what has come and send what it has to; what it received is added to the bytes.
fn serve(server: &mut ServerConnection, road: &Socket, received: &mut Vec<u8>) {
    let mut road = road.0.borrow_mut();
    while !road.to_server.is_empty() {
        server.read_tls(&mut road.to_server).unwrap();
        server.process_new_packets().unwrap();
        // That there is no more is an error here.
        let _ = server.reader().read_to_end(received);
    }
    while server.wants_write() {
        server.write_tls(&mut road.to_client).unwrap();
    }
}

#[test]
fn what_is_written_is_gone_or_will_be_written_again() {
    let (mut stream, mut server, road) = connected();
    let bytes: Vec<u8> = (0..LENGTH).map(|_| fastrand::u8(..)).collect();
    let (mut written, mut end, mut received) = (0, 0, Vec::new());
    for round in 0.. {
        if written == bytes.len() {
            break;
        }
        assert!(round < 10_000, "it never ends");
        // There may be more to write by now, as in amiquip's buffer.
        end = min(bytes.len(), end + fastrand::usize(..200_000));
        road.0.borrow_mut().room = fastrand::usize(..40_000);
        while written < end {
            match stream.write(&bytes[written..end]) {
                Ok(length) => written += length,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        assert!(written < end || !stream.session.wants_write(), "nobody would wait for the socket");
        serve(&mut server, &road, &mut received);
    }
    assert!(received == bytes);
}

#[test]
fn there_is_nothing_to_read_only_where_the_socket_said_so() {
    let (mut stream, mut server, road) = connected();
    let bytes: Vec<u8> = (0..LENGTH).map(|_| fastrand::u8(..)).collect();
    let (mut given, mut received) = (0, Vec::new());
    while received.len() < bytes.len() {
        let end = min(bytes.len(), given + fastrand::usize(..100_000));
        server.writer().write_all(&bytes[given..end]).unwrap();
        given = end;
        serve(&mut server, &road, &mut Vec::new());
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(length) => received.extend_from_slice(&buffer[..length]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        assert!(road.0.borrow().to_client.is_empty(), "no edge would come for what the socket still has");
        assert_eq!(received.len(), given, "no edge would come for what is decrypted");
    }
    assert!(received == bytes);
}

#[test]
fn a_stream_says_goodbye() {
    let (stream, mut server, road) = connected();
    drop(stream);
    let mut road = road.0.borrow_mut();
    while !road.to_server.is_empty() {
        server.read_tls(&mut road.to_server).unwrap();
    }
    assert!(server.process_new_packets().unwrap().peer_has_closed());
}
