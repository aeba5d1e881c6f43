//! A road to the broker that a test can freeze or cut.
//!
//! It carries bytes and knows nothing of what they mean.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// A port on loopback that leads to another one, for as long as this value lives.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: SocketAddr,
    road: Arc<Road>,
}

#[derive(Debug, Default)]
struct Road {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    frozen: bool,
    closed: bool,
    /// Both ends of every connection that passes here.
    ends: Vec<TcpStream>,
}

impl Proxy {
    /// Opens a road to a port on loopback.
    pub fn to(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let proxy = Self {
            address: listener.local_addr()?,
            target: (Ipv4Addr::LOCALHOST, target).into(),
            road: Arc::default(),
        };
        let (target, road) = (proxy.target, Arc::clone(&proxy.road));
        thread::spawn(move || {
            for client in listener.incoming() {
                if road.state().closed {
                    break;
                }
                // A client whose way is barred here sees a closed connection, as it would without the proxy.
                let _ = client.and_then(|client| road.admit(client, target));
            }
        });
        Ok(proxy)
    }

    /// The same URI by way of this road.
    pub fn detour(&self, uri: &str) -> String {
        uri.replacen(&self.target.to_string(), &self.address.to_string(), 1)
    }

    /// Holds back every byte in both directions, while the connections stay open: a network that swallows packets.
    pub fn freeze(&self) {
        self.road.change(|state| state.frozen = true);
    }

    /// Delivers what was held back, and what comes.
    pub fn thaw(&self) {
        self.road.change(|state| state.frozen = false);
    }

    /// Ends every connection; new ones are taken.
    pub fn cut(&self) {
        self.road.change(State::cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.road.change(|state| {
            state.closed = true;
            state.cut();
        });
        // Wakes the thread that listens; it fails only when that thread is gone.
        let _ = TcpStream::connect(self.address);
    }
}

impl Road {
    fn admit(self: &Arc<Self>, client: TcpStream, target: SocketAddr) -> std::io::Result<()> {
        // Held meanwhile, so that no cut comes between a connection and its entry here.
        let mut state = self.state();
        let server = TcpStream::connect(target)?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
            state.ends.push(end.try_clone()?);
        }
        drop(state);
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let road = Arc::clone(self);
            thread::spawn(move || road.carry(from, to));
        }
        Ok(())
    }

    /// Carries bytes until either end is gone, then lets the other one know.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            self.wait_until_passable();
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        self.wait_until_passable();
        // They fail only for an end that is gone.
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }

    fn wait_until_passable(&self) {
        let state = self.state();
        let blocked = |state: &mut State| state.frozen && !state.closed;
        drop(self.changed.wait_while(state, blocked).expect(UNPOISONED));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }
}

impl State {
    fn cut(&mut self) {
        for end in self.ends.drain(..) {
            // Fails only for an end that is gone.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds the state of the road";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A client, the server's end of its connection, and the proxy in between.
    fn connected() -> (TcpStream, TcpStream, Proxy) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap().port()).unwrap();
        let client = TcpStream::connect(proxy.address).unwrap();
        let (server, _) = listener.accept().unwrap();
        (client, server, proxy)
    }

    fn read(stream: &mut TcpStream, timeout: Duration) -> std::io::Result<Vec<u8>> {
        stream.set_read_timeout(Some(timeout))?;
        let mut bytes = [0; 16];
        let count = stream.read(&mut bytes)?;
        Ok(bytes[..count].to_vec())
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn bytes_pass_both_ways() {
        let (mut client, mut server, _proxy) = connected();
        client.write_all(b"ping").unwrap();
        assert_eq!(read(&mut server, LONG).unwrap(), b"ping");
        server.write_all(b"pong").unwrap();
        assert_eq!(read(&mut client, LONG).unwrap(), b"pong");
    }

    #[test]
    fn a_frozen_road_holds_bytes_back_until_it_thaws() {
        let (mut client, mut server, proxy) = connected();
        proxy.freeze();
        client.write_all(b"ping").unwrap();
        assert!(read(&mut server, Duration::from_millis(100)).is_err());
        proxy.thaw();
        assert_eq!(read(&mut server, LONG).unwrap(), b"ping");
    }

    #[test]
    fn a_cut_reaches_both_ends_of_a_frozen_road_too() {
        let (mut client, mut server, proxy) = connected();
        proxy.freeze();
        proxy.cut();
        assert_eq!(read(&mut client, LONG).unwrap(), b"");
        assert_eq!(read(&mut server, LONG).unwrap(), b"");
    }

    #[test]
    fn the_detour_keeps_everything_but_the_port() {
        let proxy = Proxy::to(21_000).unwrap();
        let detour = proxy.detour("amqp://guest:guest@127.0.0.1:21000/%2F");
        assert_eq!(detour, format!("amqp://guest:guest@{}/%2F", proxy.address));
    }
}
