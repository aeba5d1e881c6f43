//! Without the feature `tokio` no function is `async`: there are no tasks and no runtime.

use std::convert::Infallible;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::delivery::Delivery;
use super::plan::Plan;
use super::reply_cache::Key;
use super::session::Session;
use super::shutdown_handle::ShutdownHandle;
use super::worker::Worker;
use crate::error::Error;
use crate::registry::Registration;

/// There is no runtime to give.
pub(super) type Handle = Infallible;

#[derive(Debug)]
pub(super) enum Runtime {}

#[derive(Debug)]
pub(super) enum Tasks {}

#[derive(Debug)]
pub(super) enum Note {}

#[allow(clippy::unnecessary_wraps, reason = "its twin has something to start")]
impl Runtime {
    pub(super) fn start(
        _given: Option<Handle>,
        _plans: &[Plan],
        _shutdown: &ShutdownHandle,
    ) -> Result<Option<Arc<Self>>, Error> {
        Ok(None)
    }
}

impl Tasks {
    pub(super) fn new(_plan: &Plan, _runtime: Option<&Arc<Runtime>>) -> Option<(Arc<Self>, Receiver<Note>)> {
        None
    }

    pub(super) fn take_waiting(&self, _session: &Arc<Session>, _is_acknowledged: bool) -> Vec<Delivery> {
        match *self {}
    }

    pub(super) fn dismiss(&self) {
        match *self {}
    }
}

#[allow(clippy::unused_self, reason = "their twins need it")]
impl Worker {
    pub(super) fn run_async(
        &self,
        tasks: &Tasks,
        _session: &Arc<Session>,
        _function: &'static Registration,
        _key: Option<Key>,
        _delivery: Delivery,
    ) {
        match *tasks {}
    }

    pub(super) fn settle(&self, tasks: &Tasks, _notes: &Receiver<Note>) {
        match *tasks {}
    }
}
