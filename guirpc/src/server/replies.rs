//! The answers of idempotent functions, which are given again to whoever asks again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::delivery::Delivery;
use super::reply_cache::ReplyCache;
use super::session::Session;

/// One cache for each service of a lane.
pub(super) struct Replies(Vec<Mutex<Cache>>);

/// A delivery of the same request joins the one that is being answered.
type Cache = ReplyCache<(Arc<Session>, Delivery)>;

impl Replies {
    /// Caches of at most so many bytes each.
    pub(super) fn new(services: usize, bytes: usize) -> Self {
        Replies((0..services).map(|_| Mutex::new(ReplyCache::new(bytes))).collect())
    }

    pub(super) fn of(&self, service: usize) -> MutexGuard<'_, Cache> {
        self.0[service].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
