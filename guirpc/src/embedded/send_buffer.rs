//! The send buffer of one client: any thread puts frames in, one thread writes them to the socket.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::memory::{Counted, MEMORY_LIMIT, Memory};
use super::wire::{HEARTBEAT, OVERHEAD, write_frame};

/// Beyond this, in bytes, no consumer of the client is given more, and no request of it is read.
const FULL: usize = 1 << 20;
/// Beyond this a client that does not read is disconnected: others may send it replies without a bound.
/// What may be given to one that is not full yet, a message of the largest size, is less.
const OVERFULL: usize = 192 << 20;

/// The send buffer of one client; clones share it.
#[derive(Clone, Debug)]
pub(super) struct SendBuffer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    socket: TcpStream,
    memory: Memory,
}

#[derive(Debug)]
struct State {
    /// Whole frames that wait to be written.
    waiting: Vec<u8>,
    /// The bytes that are being written.
    writing: usize,
    phase: Phase,
    frozen: bool,
    cut_in_next_frame: bool,
    /// A consumer found no room, so deliveries resume when there is some.
    wanted: bool,
    heartbeat: Option<Duration>,
    counted: Counted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is put in; what waits is written still.
    Ending,
    /// The socket is cut; what waits is lost.
    Cut,
}

impl State {
    fn unsent(&self) -> usize {
        self.waiting.len() + self.writing
    }

    fn count(&mut self) {
        let unsent = self.unsent();
        self.counted.set(unsent);
    }
}

impl SendBuffer {
    pub(super) fn new(socket: TcpStream, memory: Memory) -> Self {
        let state = State {
            waiting: Vec::new(),
            writing: 0,
            phase: Phase::Open,
            frozen: false,
            cut_in_next_frame: false,
            wanted: false,
            heartbeat: None,
            counted: memory.count(0),
        };
        SendBuffer(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), socket, memory }))
    }

    /// Puts frames in.
    pub(super) fn put(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return;
        }
        let was_empty = state.waiting.is_empty();
        write(&mut state.waiting);
        state.count();
        if state.unsent() > OVERFULL {
            drop(state);
            self.cut();
        } else if was_empty {
            self.0.changed.notify_all();
        }
    }

    /// Whether a consumer may be given more; if not, the writer calls back when it may.
    pub(super) fn has_room(&self) -> bool {
        let mut state = self.state();
        let has_room = state.unsent() < FULL;
        state.wanted |= !has_room;
        has_room
    }

    /// Waits until the client has read enough, and while it is frozen; false if the connection is over.
    pub(super) fn wait_for_room(&self) -> bool {
        let blocked = |state: &mut State| state.phase != Phase::Cut && (state.frozen || state.unsent() >= FULL);
        let state = self.0.changed.wait_while(self.state(), blocked).expect(UNPOISONED);
        state.phase != Phase::Cut
    }

    /// Sends a heartbeat whenever nothing else was sent for so long.
    pub(super) fn set_heartbeat(&self, interval: Duration) {
        self.change(|state| state.heartbeat = Some(interval));
    }

    pub(super) fn set_frozen(&self, frozen: bool) {
        self.change(|state| state.frozen = frozen);
    }

    /// Has what waits be written, then ends.
    pub(super) fn end(&self) {
        self.change(|state| {
            if state.phase == Phase::Open {
                state.phase = Phase::Ending;
            }
        });
    }

    /// Cuts the connection at once.
    pub(super) fn cut(&self) {
        self.change(|state| {
            state.phase = Phase::Cut;
            state.waiting = Vec::new();
            state.count();
        });
        // It fails for a client that is gone already.
        let _ = self.0.socket.shutdown(Shutdown::Both);
    }

    /// Cuts the connection in the middle of the next frame.
    pub(super) fn cut_in_next_frame(&self) {
        self.change(|state| state.cut_in_next_frame = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect(UNPOISONED)
    }

    /// Writes what is put in until the connection is over; calls `on_room` when there is room that a consumer waited for,
    /// or that others may wait for.
    pub(super) fn write_all(&self, on_room: impl Fn()) {
        let mut batch = Vec::new();
        while self.take(&mut batch) {
            let written = (&self.0.socket).write_all(&batch);
            let mut state = self.state();
            state.writing = 0;
            let might_end_alarm = self.0.memory.used() > MEMORY_LIMIT / 2;
            state.count();
            let wanted = state.wanted && state.unsent() < FULL;
            state.wanted &= !wanted;
            drop(state);
            self.0.changed.notify_all();
            if written.is_err() {
                break;
            }
            if wanted || might_end_alarm {
                on_room();
            }
        }
        self.cut();
        on_room();
    }

    /// Waits for something to write, and takes it; false if there will be nothing more.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        batch.clear();
        let mut state = self.state();
        let idle_since = Instant::now();
        loop {
            if state.phase == Phase::Cut {
                return false;
            }
            if !state.frozen {
                if !state.waiting.is_empty() {
                    std::mem::swap(&mut state.waiting, batch);
                    break;
                }
                if state.phase == Phase::Ending {
                    return false;
                }
            }
            match state.heartbeat {
                Some(interval) if !state.frozen => {
                    let left = interval.saturating_sub(idle_since.elapsed());
                    if left.is_zero() {
                        write_frame(batch, HEARTBEAT, 0, &[]);
                        break;
                    }
                    state = self.0.changed.wait_timeout(state, left).expect(UNPOISONED).0;
                }
                _ => state = self.0.changed.wait(state).expect(UNPOISONED),
            }
        }
        if state.cut_in_next_frame {
            batch.truncate(half_a_frame(batch));
            state.phase = Phase::Ending;
            state.waiting.clear();
        }
        state.writing = batch.len();
        true
    }
}

/// Where the first of these frames is half over.
fn half_a_frame(frames: &[u8]) -> usize {
    let size = frames.get(3..7).and_then(|size| size.try_into().ok()).map_or(0, u32::from_be_bytes);
    (size as usize + OVERHEAD).min(frames.len()) / 2
}

const UNPOISONED: &str = "nothing panics while it holds what goes out";
