//! Awaiting a condition that something else brings about.

use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until the condition holds.
///
/// # Errors
///
/// When it does not hold within `timeout`, naming the place that awaited it; or at once, when asking fails.
#[track_caller]
pub fn eventually(timeout: Duration, mut condition: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let place = Location::caller();
    let deadline = Instant::now() + timeout;
    while !condition()? {
        if Instant::now() >= deadline {
            bail!("the condition at {place} did not come true within {timeout:?}");
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_until_it_holds() {
        let mut asked = 0;
        let outcome = eventually(Duration::from_mins(1), || {
            asked += 1;
            Ok(asked == 3)
        });
        assert!(outcome.is_ok());
        assert_eq!(asked, 3);
    }

    #[test]
    fn gives_up_and_names_the_place() {
        let error = eventually(Duration::ZERO, || Ok(false)).unwrap_err();
        assert!(error.to_string().contains(file!()), "{error}");
    }

    #[test]
    fn does_not_ask_again_after_an_error() {
        let error = eventually(Duration::from_mins(1), || bail!("no broker")).unwrap_err();
        assert_eq!(error.to_string(), "no broker");
    }
}
