//! The standard outputs of a service, which may be gone, full, or read by nobody: then what is written is lost, and
//! nothing else.
//!
//! A write to a pipe that nobody reads would wait for ever, and with it whoever writes a line.
//! So nothing is written before there is room for it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing_subscriber::fmt::MakeWriter;

use crate::log::steers;

/// A pipe has room for at least so many bytes if it has room at all.
const PIECE: usize = 4096;
/// For a reader who is slow.
const PATIENCE: Duration = Duration::from_millis(200);

/// An output that nobody ever waits for longer than a moment.
///
/// The lock is held while a text is written, so that none is written into another.
pub(super) struct Output<S>(Mutex<Stream<S>>);

struct Stream<S> {
    to: S,
    lost: u64,
    /// The last text has not been written to its end.
    is_torn: bool,
}

impl<S: Write + AsFd> Output<S> {
    pub(super) fn new(stream: S) -> Self {
        Output(Mutex::new(Stream { to: stream, lost: 0, is_torn: false }))
    }

    /// Writes a text, or loses it.
    pub(super) fn write(&self, text: &[u8]) {
        self.stream().write(text);
    }

    fn stream(&self) -> MutexGuard<'_, Stream<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Write + AsFd> Stream<S> {
    fn write(&mut self, text: &[u8]) {
        // Who has waited for a reader in vain does not wait again.
        let patience = if self.lost == 0 { PATIENCE } else { Duration::ZERO };
        if self.put(self.note().as_bytes(), patience).is_err() {
            self.lost += 1;
            return;
        }
        self.is_torn = self.put(text, patience).is_err();
        self.lost = self.is_torn.into();
    }

    /// What is written before the next text.
    fn note(&self) -> String {
        let end = if self.is_torn { "\n" } else { "" };
        match self.lost {
            0 => String::new(),
            lost => format!("{end}{lost} lines were lost, since they could not be written\n"),
        }
    }

    fn put(&mut self, text: &[u8], patience: Duration) -> io::Result<()> {
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        for piece in text.chunks(PIECE) {
            if poll(&mut [PollFd::new(&self.to, PollFlags::OUT)], Some(&patience))? == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.to.write_all(piece)?;
        }
        self.to.flush()
    }
}

/// A text that may hold words of a remote, without what would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        if matches!(character, '\n' | '\t') || !steers(character) {
            printable.push(character);
        } else {
            printable.extend(character.escape_default());
        }
    }
    printable
}

/// One text after another: what the log writes at once is one line.
impl<S: Write + AsFd> Write for &Output<S> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        Output::write(self, text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a, S: Write + AsFd + 'a> MakeWriter<'a> for Output<S> {
    type Writer = &'a Output<S>;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, pipe};
    use std::time::Instant;

    use super::*;

    const LINE: &[u8] = &[b'x'; 999];

    #[test]
    fn a_reader_who_is_gone_costs_the_text_only() {
        let (reader, writer) = pipe().unwrap();
        let output = Output::new(writer);
        drop(reader);
        output.write(b"gone\n");
        assert_eq!(output.stream().lost, 1);
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J\nü\u{202e}"), "a\\u{1b}[2J\nü\\u{202e}");
    }

    #[test]
    fn a_full_disk_costs_the_text_only() {
        let output = Output::new(File::options().write(true).open("/dev/full").unwrap());
        output.write(b"gone\n");
        assert_eq!(output.stream().lost, 1);
    }

    #[test]
    fn a_reader_who_does_not_read_is_waited_for_once_and_told_later() {
        let (mut reader, writer) = pipe().unwrap();
        let output = Output::new(writer);
        let begun = Instant::now();
        for _ in 0..1000 {
            output.write(LINE);
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let lost = output.stream().lost;
        assert!(lost > 0);
        let mut read = vec![0; 1 << 20];
        let count = reader.read(&mut read).unwrap();
        assert!(count > 0);
        output.write(b"again\n");
        drop(output);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let told = format!("{lost} lines were lost, since they could not be written\nagain\n");
        assert!(rest.ends_with(&told), "{rest}");
    }
}
