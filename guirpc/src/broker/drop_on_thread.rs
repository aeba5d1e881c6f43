//! Values whose `drop` may wait for the broker, dropped where nobody waits for them.

use std::ops::{Deref, DerefMut};
use std::thread;

/// Drops its value on a thread of its own.
///
/// Dropping a channel or a consumer of amiquip is a synchronous request to the broker;
/// if the broker has stopped answering, or blocks the connection, it takes as long as that lasts.
#[derive(Debug)]
pub(crate) struct DropOnThread<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> DropOnThread<T> {
    pub(crate) fn new(value: T) -> Self {
        DropOnThread(Some(value))
    }
}

impl<T: Send + 'static> Drop for DropOnThread<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            // If no thread can be had, the value is dropped here after all: `spawn` drops its closure.
            let _ = thread::Builder::new().name("guirpc-close".to_owned()).spawn(move || drop(value));
        }
    }
}

impl<T: Send + 'static> Deref for DropOnThread<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("only taken in drop")
    }
}

impl<T: Send + 'static> DerefMut for DropOnThread<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("only taken in drop")
    }
}
