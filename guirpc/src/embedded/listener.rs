//! Takes connections, and gives each of them two threads: one that reads, one that writes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::send_buffer::SendBuffer;
use super::{Shared, connection};

/// A port on which connections are taken, for as long as this value lives.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// A file descriptor in reserve: the thread is woken with a connection, which needs one.
    reserve: Option<TcpListener>,
}

impl Listener {
    /// Listens on a port of 127.0.0.1; on a free one if it is 0.
    pub(super) fn open(shared: &Arc<Shared>, port: u16) -> io::Result<Self> {
        let listener = bind(port)?;
        let address = listener.local_addr()?;
        let reserve = Some(listener.try_clone()?);
        let closed = Arc::new(AtomicBool::new(false));
        let (shared, is_closed) = (Arc::clone(shared), Arc::clone(&closed));
        let thread = thread::Builder::new().name("guirpc-broker".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if is_closed.load(Ordering::SeqCst) {
                    break;
                }
                match stream {
                    // A connection without threads is closed: its client sees that, and the others go on.
                    Ok(stream) => drop(admit(&shared, stream)),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    // Out of file descriptors, for example: the connection waits, and until one is free accepting
                    // fails at once.
                    Err(_) => thread::sleep(ACCEPT_PAUSE),
                }
            }
        })?;
        Ok(Listener { address, closed, thread: Some(thread), reserve })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        self.reserve = None;
        if let Some(thread) = self.thread.take() {
            // A connection wakes the thread; it fails where another thread took the descriptor first.
            while TcpStream::connect(self.address).is_err() && !thread.is_finished() {
                thread::sleep(PAUSE);
            }
            // The port is free when the thread is gone, whether it panicked or not.
            let _ = thread.join();
        }
    }
}

/// After a failure to accept, as RabbitMQ pauses then.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For a port that is as good as free to become so.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);

/// Binds a port, also one that was given up a moment ago.
///
/// A program that this process starts meanwhile has a copy of every socket until it has become itself,
/// also of the one that listened there before.
fn bind(port: u16) -> io::Result<TcpListener> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(PAUSE);
            }
            bound => return bound,
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let send_buffer = SendBuffer::new(stream.try_clone()?, shared.state().memory());
    let id = shared.state().connect(send_buffer.clone());
    let spawned = spawn(shared, id, stream, &send_buffer);
    if spawned.is_err() {
        send_buffer.cut();
        shared.state().disconnect(id);
    }
    spawned
}

fn spawn(shared: &Arc<Shared>, id: u64, stream: TcpStream, send_buffer: &SendBuffer) -> io::Result<()> {
    let (writer, writes_for) = (send_buffer.clone(), Arc::clone(shared));
    thread::Builder::new()
        .name(format!("guirpc-broker-{id}-out"))
        .spawn(move || writer.write_all(|| writes_for.state().resume(id)))?;
    let (reader, reads_for) = (send_buffer.clone(), Arc::clone(shared));
    thread::Builder::new()
        .name(format!("guirpc-broker-{id}-in"))
        .spawn(move || connection::serve(&reads_for, id, stream, &reader))?;
    Ok(())
}
