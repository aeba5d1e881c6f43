//! Things that wait for the broker, done one step after another, each within a bound.

use std::time::Duration;

use super::super::{DropOnThread, bounded};
use crate::error::{Error, ErrorKind, shown};

/// Something that belongs to one thread at a time, and whose every use may wait for ever.
///
/// It is given up at the first step that fails or takes too long.
#[derive(Debug)]
pub(super) struct Steps<T: Send + 'static> {
    bound: Duration,
    used: Option<DropOnThread<T>>,
}

impl<T: Send + 'static> Steps<T> {
    /// Opens it, which is the first step, with a bound of its own.
    pub(super) fn begin(
        bound: Duration,
        first: Duration,
        open: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let opened = bounded(first, |_| open()).unwrap_or_else(|| Err(late(first)))?;
        Ok(Steps { bound, used: Some(DropOnThread::new(opened)) })
    }

    /// Uses it.
    pub(super) fn take<R: Send + 'static>(
        &mut self,
        step: impl FnOnce(&mut T) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let Some(mut used) = self.used.take() else {
            return Err(Error::new(ErrorKind::Unreachable, "the connection was given up"));
        };
        let taken = bounded(self.bound, move |_| {
            let result = step(&mut used);
            (used, result)
        });
        let (used, result) = taken.ok_or_else(|| late(self.bound))?;
        if result.is_ok() {
            self.used = Some(used);
        }
        result
    }
}

fn late(bound: Duration) -> Error {
    let message = format!("the broker did not answer within {}: is it overloaded, or short of memory?", shown(bound));
    Error::new(ErrorKind::Unreachable, message)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn one_step_follows_another() {
        let mut steps = Steps::begin(LONG, LONG, || Ok(1)).unwrap();
        assert_eq!(steps.take(|number| Ok(std::mem::replace(number, 2))).unwrap(), 1);
        assert_eq!(steps.take(|number| Ok(*number)).unwrap(), 2);
    }

    #[test]
    fn nothing_follows_a_step_that_fails() {
        let mut steps = Steps::begin(LONG, LONG, || Ok(1)).unwrap();
        let error = steps.take(|_| Err::<(), _>(Error::new(ErrorKind::Denied, "no"))).unwrap_err();
        assert_eq!(error.to_string(), "no");
        assert_eq!(steps.take(|_| Ok(())).unwrap_err().kind(), ErrorKind::Unreachable);
    }

    #[test]
    fn a_step_that_does_not_end_is_given_up() {
        let (end, ended) = mpsc::channel::<()>();
        let mut steps = Steps::begin(Duration::from_millis(50), LONG, || Ok(())).unwrap();
        let error = steps.take(move |()| Ok(ended.recv().is_ok())).unwrap_err();
        assert!(error.to_string().contains("did not answer within 50ms"), "{error}");
        drop(end);
    }
}
