//! What the commands have in common that ask servers over the control exchange.

use std::time::{Duration, SystemTime};

use guirpc::control::{Control, Target};
use serde::Serialize;

use crate::args::Gather;
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

/// A cell of a table is no wider: what servers say of themselves may be anything.
const WIDEST: usize = 60;

impl Gather {
    /// Asks those who serve this service, or all.
    pub(super) fn ask<T: Serialize>(
        &self,
        service: Option<&str>,
        question: impl FnOnce(&Control, &Target) -> Result<Vec<T>, guirpc::Error>,
    ) -> Result<Vec<T>, Failure> {
        let answers = question(&self.connect()?, &target(service))?;
        let whom = service.map_or_else(String::new, |service| format!(" of `{}`", line(service, WIDEST)));
        let (came, wait) = (answers.len(), self.wait);
        match self.expect {
            Some(expected) if came < expected => Err(Failure::time_up(format!(
                "{came} of {expected} servers{whom} have answered within {wait}; `guirpc ls` shows all that are there"
            ))),
            None if came == 0 => Err(Failure::unroutable(format!(
                "no server{whom} has answered within {wait}: none runs there, its `control` is off, or its user may not \
                 declare the exchange `guirpc.control`; `guirpc ping SERVICE` asks by its queue"
            ))),
            _ => Ok(answers),
        }
    }

    /// Connects, to wait so long for so many.
    pub(super) fn connect(&self) -> Result<Control, Failure> {
        let control = Control::configured(&self.broker.settings()?)?.wait(self.wait.into());
        Ok(self.expect.iter().fold(control, |control, expected| control.expect(*expected)))
    }

    /// Prints answers, for programs or for people.
    pub(super) fn print<T: Serialize>(&self, answers: &[T], text: impl FnOnce(&[T]) -> String) -> Result<(), Failure> {
        if !self.json {
            return output::print(&text(answers));
        }
        let json = serde_json::to_value(answers).map_err(Failure::other)?;
        output::print_json(&json)
    }
}

/// Those who serve this service, or all.
pub(super) fn target(service: Option<&str>) -> Target {
    service.map_or_else(Target::all, Target::service)
}

/// Rows in columns that are as wide as they need to be; the first row is their head.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell, WIDEST)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut table = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        table.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        table.push('\n');
    }
    table
}

/// A time in microseconds, as short as it can be read.
pub(super) fn time(microseconds: u64) -> String {
    // Three digits tell enough.
    match microseconds {
        0..1_000 => format!("{microseconds}µs"),
        1_000..1_000_000 => format!("{:.1}ms", Duration::from_micros(microseconds).as_secs_f64() * 1e3),
        _ => format!("{:.1}s", Duration::from_micros(microseconds).as_secs_f64()),
    }
}

/// How long ago that was, in whole seconds; it is given in seconds since the Unix epoch.
pub(super) fn ago(time: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    humantime::format_duration(Duration::from_secs(now.saturating_sub(time))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = [["a", "long"], ["long\u{1b}[2J", "b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a              long\nlong\\u{1b}[2J  b\n");
    }

    #[test]
    fn times_are_short() {
        assert_eq!([999, 1_500, 2_000_000].map(time), ["999µs", "1.5ms", "2.0s"]);
    }
}
