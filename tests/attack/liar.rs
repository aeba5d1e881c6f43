//! A road to a broker on which its answers end at some point, while its heartbeats go on.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const METHOD: u8 = 1;
const HEARTBEAT: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 0xCE];

/// A port that leads to a broker whose connections answer nothing any more from a certain answer on.
pub(crate) struct Liar {
    port: u16,
}

impl Liar {
    /// `last` is class and method of the first answer that is kept back.
    pub(crate) fn before(target: u16, last: (u8, u8)) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for client in listener.incoming() {
                let _ = client.and_then(|client| lead(client, target, last));
            }
        });
        Ok(Self { port })
    }

    pub(crate) fn uri(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f?heartbeat=2", self.port)
    }
}

fn lead(client: TcpStream, target: u16, last: (u8, u8)) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    let (mut up, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut up, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let client = Arc::new(Mutex::new(client));
    let beating = Arc::clone(&client);
    let mut from_server = server;
    thread::spawn(move || {
        while let Ok(frame) = read_frame(&mut from_server) {
            if frame[0] == METHOD && frame[7..11] == [0, last.0, 0, last.1] {
                break;
            }
            if client.lock().expect("nothing panics here").write_all(&frame).is_err() {
                return;
            }
        }
        while beating.lock().expect("nothing panics here").write_all(&HEARTBEAT).is_ok() {
            thread::sleep(Duration::from_millis(500));
        }
        let _ = from_server.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 7];
    stream.read_exact(&mut frame)?;
    let size = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]) as usize;
    frame.resize(7 + size + 1, 0);
    stream.read_exact(&mut frame[7..])?;
    Ok(frame)
}
