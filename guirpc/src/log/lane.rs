//! Which lane of a server a line is of: that of the thread that logs it.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use super::Field;

thread_local! {
    static CURRENT: RefCell<Lane> = const { RefCell::new(Lane(None)) };
}

/// The name of a lane; functions that name none are in none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lane(Option<Arc<str>>);

impl Lane {
    pub(crate) fn new(name: Option<&str>) -> Self {
        Lane(name.map(Arc::from))
    }

    /// That of this thread.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Does this in the lane.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = Entered(CURRENT.replace(self.clone()));
        work()
    }
}

/// What a thread is to do that this one starts: in the same lane.
pub(crate) fn in_same_lane<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let lane = Lane::current();
    move || lane.within(work)
}

struct Entered(Lane);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(mem::take(&mut self.0));
    }
}

impl Field for Lane {
    type Logged = Option<String>;

    fn logged(&self) -> Self::Logged {
        self.0.as_deref().map(Field::logged)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_is_in_the_lane_of_the_one_that_starts_it() {
        let reports = Lane::new(Some("reports"));
        reports.within(|| {
            assert_eq!(thread::spawn(in_same_lane(Lane::current)).join().unwrap(), reports);
            assert_eq!(thread::spawn(Lane::current).join().unwrap(), Lane::default());
            Lane::new(None).within(|| assert_eq!(Lane::current().logged(), None));
            assert_eq!(Lane::current().logged().as_deref(), Some("reports"));
        });
        assert_eq!(Lane::current(), Lane::default());
    }
}
