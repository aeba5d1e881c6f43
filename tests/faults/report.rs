//! The table of all faults, which the documentation shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::Counts;

use crate::stage::Plan;

/// Between these lines of the page stand the rows, all of them generated.
const BEGIN: &str = "<!-- rows -->";
const END: &str = "<!-- end of rows -->";

/// A case on one broker, as a line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    case: &'static str,
    broker: &'static str,
    cells: String,
}

static ROWS: Mutex<Vec<Row>> = Mutex::new(vec![]);

impl Row {
    pub(crate) fn new(
        plan: &Plan,
        broker: &'static str,
        counts: Counts,
        lasted: Duration,
        recovery: Option<Duration>,
    ) -> Self {
        let Counts { sent, answered, failed_not_run, failed_may_have_run, run_again, repeated, dead, lost } = counts;
        let (fault, servers, volume) = (plan.fault, plan.servers, plan.volume);
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let rate = sent as f64 / lasted.as_secs_f64();
        let load = format!("{} in {}, {rate:.0}/s to {servers}", volume.threads, volume.clients);
        let recovery = recovery.map_or("never".to_owned(), |recovery| format!("{:.2} s", recovery.as_secs_f64()));
        let cells = format!(
            "{load} | {sent} | {answered} | {failed_not_run} | {failed_may_have_run} | {run_again} | {repeated} \
             | {dead} | {lost} | {recovery}"
        );
        Self { case: plan.name, broker, cells: format!("{fault} | {broker} | {cells}") }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| `{}` | {} |", self.case, self.cells)
    }
}

/// Adds a line to the table.
pub(crate) fn add(row: Row) {
    println!("{row}");
    ROWS.lock().unwrap_or_else(PoisonError::into_inner).push(row);
}

/// Replaces in the page the lines of those cases that have run.
pub(crate) fn write(cases: &[&'static str]) -> anyhow::Result<()> {
    let page = fs::read_to_string(path()).context("there is no page")?;
    let (before, kept, after) = parts(&page)?;
    let mut rows: BTreeMap<(usize, String), String> = BTreeMap::new();
    let place = |case: &str| cases.iter().position(|name| *name == case);
    for line in kept.lines().filter(|line| line.starts_with("| `")) {
        let (case, broker) = key(line).context("a row names its case and its broker")?;
        // That of a case which is gone goes as well.
        rows.extend(place(case).map(|place| ((place, broker.to_owned()), line.to_owned())));
    }
    for row in ROWS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let place = place(row.case).with_context(|| format!("there is no case {}", row.case))?;
        rows.insert((place, row.broker.to_owned()), row.to_string());
    }
    let rows: Vec<String> = rows.into_values().map(|row| row + "\n").collect();
    let head = kept.lines().filter(|line| line.starts_with('|') && !line.starts_with("| `"));
    let head: Vec<String> = head.map(|line| format!("{line}\n")).collect();
    Ok(fs::write(path(), format!("{before}{BEGIN}\n\n{}{}\n{END}{after}", head.concat(), rows.concat()))?)
}

/// Whether the page shows these cases and no others.
pub(crate) fn check(cases: &[&'static str]) -> anyhow::Result<()> {
    let page = fs::read_to_string(path()).context("there is no page")?;
    let (_, rows, _) = parts(&page)?;
    let shown: BTreeSet<&str> = rows.lines().filter_map(|line| Some(key(line)?.0)).collect();
    let cases: BTreeSet<&str> = cases.iter().copied().collect();
    let update = "run GUIRPC_UPDATE=1 cargo test -p guirpc-tests --test faults";
    ensure!(shown == cases, "the table in {} is out of date, {update}: {shown:?}", path().display());
    Ok(())
}

/// What stands before, between and after the marks.
fn parts(page: &str) -> anyhow::Result<(&str, &str, &str)> {
    let (before, rest) = page.split_once(BEGIN).context("the page has no mark where the table begins")?;
    let (rows, after) = rest.split_once(END).context("the page has no mark where the table ends")?;
    Ok((before, rows, after))
}

/// The case and the broker of a row.
fn key(row: &str) -> Option<(&str, &str)> {
    let mut cells = row.strip_prefix("| `")?.split(" | ");
    let (case, broker) = (cells.next()?.strip_suffix('`')?, cells.nth(1)?);
    Some((case, broker))
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guirpc/src/faults.md")
}
