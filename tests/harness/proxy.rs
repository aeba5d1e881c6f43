//! A road to the broker that a test can lengthen, freeze or cut.
//!
//! It carries bytes and knows nothing of what they mean.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// A port on loopback that leads to others, for as long as this value lives.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    targets: Vec<SocketAddr>,
    road: Arc<Road>,
}

/// The way that bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From clients to the broker.
    ToBroker,
    /// From the broker to clients.
    FromBroker,
}

#[derive(Debug, Default)]
struct Road {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    delay: Duration,
    frozen: Vec<Direction>,
    /// A connection that has carried more bytes than this to the broker is held back, in this direction.
    heavy: Option<usize>,
    /// Whether one was.
    has_held_back: bool,
    closed: bool,
    /// When somebody wanted to pass.
    attempts: Vec<Instant>,
    /// Both ends of every connection that passes here, by the number of its attempt.
    ends: BTreeMap<usize, [TcpStream; 2]>,
}

impl Proxy {
    /// Opens a road to a port on loopback.
    pub fn to(target: u16) -> anyhow::Result<Self> {
        Self::among(&[target])
    }

    /// Opens a road that leads each connection to the first port that takes it, beginning with the next one each time.
    pub fn among(targets: &[u16]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let proxy = Self {
            address: listener.local_addr()?,
            targets: targets.iter().map(|port| (Ipv4Addr::LOCALHOST, *port).into()).collect(),
            road: Arc::default(),
        };
        let (mut targets, road) = (proxy.targets.clone(), Arc::clone(&proxy.road));
        thread::spawn(move || {
            for client in listener.incoming() {
                if road.state().closed {
                    break;
                }
                // A client whose way is barred here sees a closed connection, as it would without the proxy.
                let _ = client.and_then(|client| road.admit(client, &targets));
                targets.rotate_left(1);
            }
        });
        Ok(proxy)
    }

    /// The same URI by way of this road.
    pub fn detour(&self, uri: &str) -> String {
        self.targets
            .iter()
            .fold(uri.to_owned(), |uri, target| uri.replacen(&target.to_string(), &self.address.to_string(), 1))
    }

    /// Carries everything so much later, in both directions: a network that is far away.
    pub fn delay(&self, time: Duration) {
        self.road.change(|state| state.delay = time);
    }

    /// Holds back every byte in both directions, while the connections stay open: a network that swallows packets.
    pub fn freeze(&self) {
        self.road.change(|state| state.frozen = vec![Direction::ToBroker, Direction::FromBroker]);
    }

    /// Holds back every byte in this direction, and lets those in the other one pass.
    pub fn freeze_one_way(&self, direction: Direction) {
        self.road.change(|state| state.frozen = vec![direction]);
    }

    /// Holds back what a connection carries to the broker once that is more than so many bytes in all; others go on.
    pub fn freeze_heavy(&self, bytes: usize) {
        self.road.change(|state| state.heavy = Some(bytes));
    }

    /// Whether a connection was too heavy.
    pub fn has_held_back(&self) -> bool {
        self.road.state().has_held_back
    }

    /// Delivers what was held back, and what comes.
    pub fn thaw(&self) {
        self.road.change(|state| {
            state.frozen.clear();
            state.heavy = None;
        });
    }

    /// Ends every connection; new ones are taken.
    pub fn cut(&self) {
        self.road.change(State::cut);
    }

    /// When each connection was asked for until now, whether or not it came about.
    pub fn attempts(&self) -> Vec<Instant> {
        self.road.state().attempts.clone()
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
    fn admit(self: &Arc<Self>, client: TcpStream, targets: &[SocketAddr]) -> std::io::Result<()> {
        // Held meanwhile, so that no cut comes between a connection and its entry here.
        let mut state = self.state();
        let number = state.attempts.len();
        state.attempts.push(Instant::now());
        let server = TcpStream::connect(targets)?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
        }
        state.ends.insert(number, [client.try_clone()?, server.try_clone()?]);
        drop(state);
        let there = (Direction::ToBroker, client.try_clone()?, server.try_clone()?);
        for (direction, from, to) in [there, (Direction::FromBroker, server, client)] {
            let road = Arc::clone(self);
            thread::spawn(move || {
                road.carry(direction, from, to);
                road.state().ends.remove(&number);
            });
        }
        Ok(())
    }

    /// Carries bytes until either end is gone, then lets the other one know.
    fn carry(&self, direction: Direction, mut from: TcpStream, mut to: TcpStream) {
        let (mut bytes, mut carried) = (vec![0; 64 * 1024], 0);
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            carried += count;
            let delay = self.state().delay;
            thread::sleep(delay);
            self.wait_until_passable(direction, carried);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        self.wait_until_passable(direction, carried);
        // They fail only for an end that is gone.
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }

    fn wait_until_passable(&self, direction: Direction, carried: usize) {
        let state = self.state();
        let blocked = |state: &mut State| {
            let is_heavy = direction == Direction::ToBroker && state.heavy.is_some_and(|bytes| carried > bytes);
            state.has_held_back |= is_heavy;
            (is_heavy || state.frozen.contains(&direction)) && !state.closed
        };
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
        for end in std::mem::take(&mut self.ends).into_values().flatten() {
            // Fails only for an end that is gone.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds the state of the road";

#[cfg(test)]
mod tests {
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
    fn a_long_road_takes_its_time() {
        let (mut client, mut server, proxy) = connected();
        proxy.delay(Duration::from_millis(50));
        let since = Instant::now();
        client.write_all(b"ping").unwrap();
        assert_eq!(read(&mut server, LONG).unwrap(), b"ping");
        assert!(since.elapsed() >= Duration::from_millis(50));
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
    fn a_road_that_is_frozen_one_way_carries_the_other() {
        let (mut client, mut server, proxy) = connected();
        proxy.freeze_one_way(Direction::ToBroker);
        client.write_all(b"ping").unwrap();
        server.write_all(b"pong").unwrap();
        assert_eq!(read(&mut client, LONG).unwrap(), b"pong");
        assert!(read(&mut server, Duration::from_millis(100)).is_err());
        proxy.freeze_one_way(Direction::FromBroker);
        server.write_all(b"pong").unwrap();
        assert_eq!(read(&mut server, LONG).unwrap(), b"ping");
        assert!(read(&mut client, Duration::from_millis(100)).is_err());
    }

    #[test]
    fn a_road_leads_to_whoever_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let proxy = Proxy::among(&[gone, listener.local_addr().unwrap().port()]).unwrap();
        for attempts in 1..4 {
            let _client = TcpStream::connect(proxy.address).unwrap();
            listener.accept().unwrap();
            assert_eq!(proxy.attempts().len(), attempts);
        }
    }

    #[test]
    fn a_connection_that_has_ended_leaves_nothing() {
        let (client, mut server, proxy) = connected();
        drop(client);
        assert_eq!(read(&mut server, LONG).unwrap(), b"");
        crate::eventually(LONG, || Ok(proxy.road.state().ends.is_empty())).unwrap();
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
