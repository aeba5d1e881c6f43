//! What ran: a line for each run that has begun, in a file that several processes append to.
//!
//! A line is one write to the end of the file: lines of several processes are never mixed,
//! and what a process wrote is there even if it is killed with the next instruction.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process;
use std::str::FromStr;

use anyhow::{Context, Error};

/// The end of the file that runs are written to.
#[derive(Debug)]
pub struct ExecutionLog(File);

/// One run of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whether the broker had delivered the request before.
    pub redelivered: bool,
    /// The id of the process.
    pub process: u32,
}

/// The runs of each request, in the order in which they began.
pub type Runs = BTreeMap<u64, Vec<Run>>;

impl ExecutionLog {
    /// Opens the file, which is made if there is none.
    pub fn open(path: impl AsRef<Path>) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).context("no file to log runs to")?;
        Ok(Self(file))
    }

    /// Says that this process begins on the request with this number.
    pub fn begin(&self, id: u64, redelivered: bool) -> anyhow::Result<()> {
        let line = format!("{id} {redelivered} {}\n", process::id());
        Ok((&self.0).write_all(line.as_bytes())?)
    }

    /// What all processes have written until now.
    pub fn read(path: impl AsRef<Path>) -> anyhow::Result<Runs> {
        let mut runs = Runs::new();
        let log = fs::read_to_string(path).context("no log of runs")?;
        // A line that is being written has no end yet.
        for line in log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let (id, run) = parse(line).with_context(|| format!("no run: `{line}`"))?;
            runs.entry(id).or_default().push(run);
        }
        Ok(runs)
    }
}

fn parse(line: &str) -> anyhow::Result<(u64, Run)> {
    let mut words = line.split(' ');
    let (id, redelivered, process) = (word(&mut words)?, word(&mut words)?, word(&mut words)?);
    Ok((id, Run { redelivered, process }))
}

fn word<'a, T: FromStr<Err: Into<Error>>>(words: &mut impl Iterator<Item = &'a str>) -> anyhow::Result<T> {
    words.next().context("a word is missing")?.parse::<T>().map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs");
        let (one, other) = (ExecutionLog::open(&path).unwrap(), ExecutionLog::open(&path).unwrap());
        one.begin(1, false).unwrap();
        other.begin(2, false).unwrap();
        one.begin(1, true).unwrap();
        let run = |redelivered| Run { redelivered, process: process::id() };
        let expected = Runs::from([(1, vec![run(false), run(true)]), (2, vec![run(false)])]);
        assert_eq!(ExecutionLog::read(&path).unwrap(), expected);
    }

    #[test]
    fn what_is_no_run_is_an_error() {
        for line in ["", "1", "1 true", "one true 2", "1 perhaps 2", "1 true two"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
