//! Functions that are `async`: each is a task on a runtime, so many of them side by side, and no worker waits for one.
//!
//! A task is polled once by the worker that takes its request, so one that has nothing to wait for is as quick as any
//! other function. What comes of the others is settled by a thread of the lane's own (`worker/asynchronous.rs`), since it
//! may have to wait for the broker, for which no thread of a runtime is to be held up.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::runtime;
pub(super) use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::delivery::Delivery;
use super::plan::Plan;
use super::reply_cache::Key;
use super::session::Session;
use super::shutdown_handle::ShutdownHandle;
use crate::error::Error;
use crate::log::error;
use crate::message::EncodedReply;
use crate::registry::Registration;

mod slots;

use slots::Slots;

/// The runtime of a server: one of its own, which ends with it, or the program's.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    own: Option<runtime::Runtime>,
    /// Whether nothing runs on it any more.
    is_gone: Arc<AtomicBool>,
    /// The task that is dropped with the program's runtime.
    watch: Option<AbortHandle>,
}

impl Runtime {
    /// The runtime that functions of these lanes need, if any of them does; when the program's ends, so does the server.
    pub(super) fn start(
        given: Option<Handle>,
        plans: &[Plan],
        shutdown: &ShutdownHandle,
    ) -> Result<Option<Arc<Self>>, Error> {
        if plans.iter().all(|plan| plan.concurrency == 0) {
            return Ok(None);
        }
        let is_gone = Arc::new(AtomicBool::new(false));
        if let Some(handle) = given {
            let watch = RuntimeWatch { is_gone: Arc::clone(&is_gone), shutdown: shutdown.clone() };
            let watch = handle.spawn(async move {
                let _watch = watch;
                std::future::pending::<()>().await;
            });
            return Ok(Some(Arc::new(Runtime { handle, own: None, is_gone, watch: Some(watch.abort_handle()) })));
        }
        let own = runtime::Builder::new_multi_thread().enable_all().thread_name("guirpc-async").build();
        let own = own.map_err(|error| Error::no_thread("for `async` functions", error))?;
        Ok(Some(Arc::new(Runtime { handle: own.handle().clone(), own: Some(own), is_gone, watch: None })))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::SeqCst);
        if let Some(watch) = &self.watch {
            watch.abort();
        }
        // It may be dropped on a thread of another runtime, which must not wait.
        if let Some(own) = self.own.take() {
            own.shutdown_background();
        }
    }
}

/// Notices when the program shuts its runtime down before the server, which could serve no `async` function any more.
struct RuntimeWatch {
    is_gone: Arc<AtomicBool>,
    shutdown: ShutdownHandle,
}

impl Drop for RuntimeWatch {
    fn drop(&mut self) {
        if !self.is_gone.swap(true, Ordering::SeqCst) {
            error!("the runtime that was given to the server is shut down, so the server is shut down as well");
            self.shutdown.shutdown();
        }
    }
}

/// A function that is under way.
pub(super) struct Run {
    pub(super) slot: usize,
    pub(super) session: Arc<Session>,
    pub(super) service: usize,
    pub(super) function: &'static Registration,
    pub(super) key: Option<Key>,
    pub(super) begun: Instant,
}

/// A request and its answer in the making.
pub(super) type Task = Pin<Box<dyn Future<Output = (Delivery, EncodedReply)> + Send>>;

/// A request that waits for a slot.
pub(super) type Waiting = (Arc<Session>, Delivery);

/// What is to be done by the thread that settles tasks.
#[allow(clippy::large_enum_variant, reason = "nearly all are about a delivery")]
pub(super) enum Note {
    /// A slot is free for this one.
    Start(usize, Waiting),
    /// A task is over; without an answer if its runtime has dropped it.
    Ended(Run, Option<(Delivery, EncodedReply)>),
    /// Nothing is to be settled any more.
    Dismissed,
}

/// The tasks of a lane, across its sessions.
pub(super) struct Tasks {
    runtime: Arc<Runtime>,
    slots: Mutex<Slots<Waiting>>,
    notes: Sender<Note>,
}

impl Tasks {
    /// The tasks of a lane, if there can be any, and what the thread that settles them is told.
    pub(super) fn new(plan: &Plan, runtime: Option<&Arc<Runtime>>) -> Option<(Arc<Self>, Receiver<Note>)> {
        let runtime = Arc::clone(runtime.filter(|_| plan.concurrency > 0)?);
        let (notes, told) = unbounded();
        // Their places among what runs are behind those of the workers.
        let slots = Mutex::new(Slots::new(plan.workers..plan.workers + plan.concurrency));
        Some((Arc::new(Tasks { runtime, slots, notes }), told))
    }

    fn slots(&self) -> MutexGuard<'_, Slots<Waiting>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing can run any more.
    pub(super) fn is_gone(&self) -> bool {
        self.runtime.is_gone.load(Ordering::SeqCst)
    }

    /// Gives a request a slot, or has it wait for one.
    pub(super) fn enter(&self, request: Waiting) -> Option<(usize, Waiting)> {
        self.slots().enter(request)
    }

    /// Gives a slot back; whoever has waited for it is started.
    pub(super) fn leave(&self, slot: usize) {
        let next = self.slots().leave(slot);
        if let Some((slot, next)) = next {
            self.note(Note::Start(slot, next));
        }
    }

    /// Takes away what waits in this session, all that is not acknowledged or all that is.
    pub(super) fn take_waiting(&self, session: &Arc<Session>, is_acknowledged: bool) -> Vec<Delivery> {
        let is_such =
            |(own, delivery): &Waiting| Arc::ptr_eq(own, session) && delivery.is_acknowledged() == is_acknowledged;
        self.slots().take_waiting(is_such).into_iter().map(|(_, delivery)| delivery).collect()
    }

    /// Polls a task on this thread; it has nobody to wake yet.
    pub(super) fn poll_once(&self, task: &mut Task) -> Poll<(Delivery, EncodedReply)> {
        let _entered = self.runtime.handle.enter();
        task.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Leaves a task to the runtime.
    pub(super) fn spawn(&self, run: Run, task: Task) {
        let mut end = TaskEnd { run: Some(run), notes: self.notes.clone() };
        self.runtime.handle.spawn(async move {
            let outcome = task.await;
            end.tell(Some(outcome));
        });
    }

    /// Nothing is to be settled any more.
    pub(super) fn dismiss(&self) {
        self.note(Note::Dismissed);
    }

    fn note(&self, note: Note) {
        // Whoever settles them is gone when the server is.
        let _ = self.notes.send(note);
    }
}

/// Tells about the end of a task, also of one that is dropped.
struct TaskEnd {
    run: Option<Run>,
    notes: Sender<Note>,
}

impl TaskEnd {
    fn tell(&mut self, outcome: Option<(Delivery, EncodedReply)>) {
        if let Some(run) = self.run.take() {
            let _ = self.notes.send(Note::Ended(run, outcome));
        }
    }
}

impl Drop for TaskEnd {
    fn drop(&mut self) {
        self.tell(None);
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}
