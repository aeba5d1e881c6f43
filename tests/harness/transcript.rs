//! What a child process writes, line by line, for whoever waits for one of the lines.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// The lines of all followed streams, in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    open_streams: usize,
}

/// Why a line did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Every stream has ended without it.
    Ended,
    /// It may still come, but nobody waits any more.
    TimedOut,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the process ended first",
            Self::TimedOut => "it did not come in time",
        })
    }
}

impl Transcript {
    /// Reads the stream to its end in a thread of its own, so that the child never blocks on a full pipe.
    pub(crate) fn follow(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        self.state().open_streams += 1;
        let transcript = Arc::clone(self);
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                transcript.change(|state| state.lines.push(text));
                line.clear();
            }
            transcript.change(|state| state.open_streams -= 1);
        });
    }

    /// Waits for a line that `wanted` accepts; it may have come before.
    pub(crate) fn wait_for(&self, timeout: Duration, wanted: impl Fn(&str) -> bool) -> Result<String, Missing> {
        let find = |state: &State| state.lines.iter().find(|line| wanted(line)).cloned();
        let unfinished = |state: &mut State| state.open_streams > 0 && find(state).is_none();
        let outcome = self.changed.wait_timeout_while(self.state(), timeout, unfinished);
        let (state, _) = outcome.expect(UNPOISONED);
        let missing = if state.open_streams == 0 { Missing::Ended } else { Missing::TimedOut };
        find(&state).ok_or(missing)
    }

    /// Waits until every stream has ended, so that no line is missing; not for longer than this.
    pub(crate) fn wait_for_end(&self, timeout: Duration) {
        let is_open = |state: &mut State| state.open_streams > 0;
        drop(self.changed.wait_timeout_while(self.state(), timeout, is_open).expect(UNPOISONED));
    }

    /// All lines until now.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "nothing panics while it holds the transcript";

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn finds_a_line_that_is_already_there() {
        let transcript = Arc::new(Transcript::default());
        transcript.follow(&b"one\ntwo\n"[..]);
        let found = transcript.wait_for(LONG, |line| line == "two");
        assert_eq!(found, Ok("two".to_owned()));
    }

    #[test]
    fn says_at_once_that_the_process_ended() {
        let transcript = Arc::new(Transcript::default());
        transcript.follow(&b"one\n"[..]);
        let found = transcript.wait_for(LONG, |line| line == "two");
        assert_eq!(found, Err(Missing::Ended));
    }

    #[test]
    fn gives_up_on_a_silent_process() {
        let (silent, _writer) = std::io::pipe().unwrap();
        let transcript = Arc::new(Transcript::default());
        transcript.follow(silent);
        let found = transcript.wait_for(Duration::ZERO, |_| true);
        assert_eq!(found, Err(Missing::TimedOut));
    }
}
