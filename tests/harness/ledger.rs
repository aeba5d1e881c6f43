//! The books of a load: what was asked, what became of it, what ran, and whether anything is missing.
//!
//! Pure: entries, runs and dead letters in, counts and complaints out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::execution_log::{Run, Runs};

#[cfg(test)]
mod tests;

/// How late after a call's deadline its outcome may come.
const GRACE: Duration = Duration::from_secs(1);

/// A request, from its beginning to its outcome.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, which no other request has; it travels as an argument.
    pub id: u64,
    /// The number of the client that asked; `None` if it is none of the load's.
    pub client: Option<usize>,
    /// What kind of a request it is.
    pub request: Request,
    /// When it was asked.
    pub begun: Instant,
    /// When its caller stops waiting.
    pub deadline: Instant,
    /// When its outcome was there.
    pub ended: Instant,
    /// What became of it.
    pub outcome: Outcome,
}

/// A kind of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether a caller waits for the reply, as after a `call`; a `send` is fire-and-forget.
    pub awaited: bool,
    /// Whether its function may run twice without harm, so that guirpc may ask again by itself.
    pub idempotent: bool,
    /// Whether its function always fails: a call gets the error, and a `send` becomes a dead letter.
    pub fails: bool,
}

/// What became of a request, as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function's answer, the right one; for a `send`, that the broker has taken it.
    Answered,
    /// It failed, and the function certainly did not run.
    FailedNotRun(String),
    /// It failed, and the function may have run.
    FailedMayHaveRun(String),
    /// Unknown: its caller is gone.
    Abandoned,
    /// Something that must never come.
    Wrong(String),
}

/// What a fault may bring about; everything else is a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Requests fail whose functions certainly did not run.
    FailedNotRun,
    /// Requests fail whose functions may have run; of calls, those only that are not idempotent.
    FailedMayHaveRun,
    /// Calls time out, idempotent ones too, since an operator or the broker has discarded them.
    Discarded,
    /// The broker delivers requests again, so that they run twice.
    RunAgain,
    /// Requests end in the dead-letter queue whose function does not fail by itself.
    DeadLetters,
}

/// How many of each there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All requests.
    pub sent: usize,
    /// Those that were answered; of sends, those that the broker has taken.
    pub answered: usize,
    /// Those that failed and certainly did not run.
    pub failed_not_run: usize,
    /// Those that failed and may have run, and those whose callers are gone.
    pub failed_may_have_run: usize,
    /// Runs after the first, of requests that are not idempotent.
    pub run_again: usize,
    /// Runs after the first, of requests that are.
    pub repeated: usize,
    /// Those that ended in the dead-letter queue.
    pub dead: usize,
    /// What was promised to run and did not.
    pub lost: usize,
}

/// The result of the comparison.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The sums.
    pub counts: Counts,
    /// What must not be, each with the request that it is about.
    pub complaints: Vec<String>,
}

/// All requests of a load.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Extend<Entry> for Ledger {
    fn extend<T: IntoIterator<Item = Entry>>(&mut self, entries: T) {
        self.entries.extend(entries);
    }
}

impl Ledger {
    /// How many requests there are.
    pub fn requests(&self) -> usize {
        self.entries.len()
    }

    /// Adds the requests of another load on the same service.
    pub fn append(&mut self, mut other: Ledger) {
        self.entries.append(&mut other.entries);
    }

    /// How long after this moment it took until every client had an answer to what it asked since then;
    /// `None` if one never had.
    pub fn recovery(&self, since: Instant) -> Option<Duration> {
        let mut first: BTreeMap<usize, Option<Instant>> = BTreeMap::new();
        for entry in &self.entries {
            let Some(client) = entry.client else { continue };
            let best = first.entry(client).or_default();
            let counts = entry.outcome == Outcome::Answered && entry.begun >= since && entry.request.awaited;
            if counts && best.is_none_or(|best| entry.ended < best) {
                *best = Some(entry.ended);
            }
        }
        let last = first.into_values().collect::<Option<Vec<Instant>>>()?.into_iter().max()?;
        Some(last.saturating_duration_since(since))
    }

    /// Compares the outcomes that callers got with what ran and with what is in the dead-letter queue.
    ///
    /// `late` is how late the machine itself was at its timers.
    pub fn judge(&self, runs: &Runs, letters: &BTreeSet<u64>, may: &[Effect], late: Duration) -> Verdict {
        let mut verdict = Verdict::default();
        let mut ids = BTreeSet::new();
        for entry in &self.entries {
            let runs = runs.get(&entry.id).map(Vec::as_slice).unwrap_or_default();
            let complaints = Books { entry, runs, is_dead: letters.contains(&entry.id), may }.audit(late, &mut verdict);
            verdict.complaints.extend(complaints.iter().map(|what| format!("request {}: {what}", describe(entry))));
            if !ids.insert(entry.id) {
                verdict.complaints.push(format!("two requests have the number {}", entry.id));
            }
        }
        let strangers = runs.keys().chain(letters).filter(|id| !ids.contains(id));
        verdict.complaints.extend(strangers.map(|id| format!("nobody has asked for {id}")));
        verdict
    }
}

/// Everything about one request.
struct Books<'a> {
    entry: &'a Entry,
    runs: &'a [Run],
    is_dead: bool,
    may: &'a [Effect],
}

impl Books<'_> {
    /// Adds the request to the sums; gives what is wrong with it.
    fn audit(&self, late: Duration, verdict: &mut Verdict) -> Vec<String> {
        let Entry { request, outcome, .. } = self.entry;
        let mut complaints = self.about_time(late);
        let counts = &mut verdict.counts;
        counts.sent += 1;
        counts.dead += usize::from(self.is_dead);
        let again = self.runs.len().saturating_sub(1);
        *if request.idempotent { &mut counts.repeated } else { &mut counts.run_again } += again;
        match outcome {
            Outcome::Answered => {
                counts.answered += 1;
                if self.is_lost() {
                    counts.lost += 1;
                    complaints.push("it was answered, and is lost".to_owned());
                }
            }
            Outcome::FailedNotRun(reason) => {
                counts.failed_not_run += 1;
                complaints.extend(self.unless_may(&[Effect::FailedNotRun], reason));
                if !self.runs.is_empty() {
                    complaints.push(format!("it ran, and its caller was told that it did not: {reason}"));
                }
            }
            Outcome::FailedMayHaveRun(reason) => {
                counts.failed_may_have_run += 1;
                let asks_again = request.awaited && request.idempotent;
                let effects: &[Effect] =
                    if asks_again { &[Effect::Discarded] } else { &[Effect::FailedMayHaveRun, Effect::Discarded] };
                complaints.extend(self.unless_may(effects, &format!("{reason}; runs: {:?}", self.runs)));
            }
            Outcome::Abandoned => counts.failed_may_have_run += 1,
            Outcome::Wrong(what) => complaints.push(format!("it got what it must not: {what}")),
        }
        complaints.extend(self.about_runs());
        complaints.extend(self.about_dead_letters());
        complaints
    }

    fn about_time(&self, late: Duration) -> Vec<String> {
        let Entry { deadline, ended, .. } = *self.entry;
        let over = ended.saturating_duration_since(deadline);
        if over <= GRACE + late { vec![] } else { vec![format!("it had no outcome for {over:?} after its deadline")] }
    }

    /// Whether the caller's outcome is untrue: an answer without a run, a `send` that neither ran nor became a dead letter.
    fn is_lost(&self) -> bool {
        let Request { awaited, fails, .. } = self.entry.request;
        if awaited { self.runs.is_empty() } else { !self.is_dead && (fails || self.runs.is_empty()) }
    }

    fn about_runs(&self) -> Option<String> {
        let first_deliveries = self.runs.iter().filter(|run| !run.redelivered).count();
        if first_deliveries > 1 && !self.entry.request.idempotent {
            return Some(format!("it was delivered {first_deliveries} times for the first time: {:?}", self.runs));
        }
        // What is idempotent may be asked again by guirpc itself.
        let again = self.runs.len() > 1 && !self.entry.request.idempotent;
        again.then(|| self.unless_may(&[Effect::RunAgain], &format!("{:?}", self.runs))).flatten()
    }

    fn about_dead_letters(&self) -> Option<String> {
        let Request { awaited, fails, .. } = self.entry.request;
        if !self.is_dead || (fails && !awaited) {
            return None;
        }
        self.unless_may(&[Effect::DeadLetters], "it is in the dead-letter queue")
    }

    /// A complaint, unless the fault may bring one of these about.
    fn unless_may(&self, effects: &[Effect], what: &str) -> Option<String> {
        let may = effects.iter().any(|effect| self.may.contains(effect));
        (!may).then(|| format!("{:?} is not for this fault to bring about: {what}", effects[0]))
    }
}

fn describe(entry: &Entry) -> String {
    let Request { awaited, idempotent, fails } = entry.request;
    let what = if awaited { "call" } else { "send" };
    let how = if idempotent { "an idempotent" } else { "a" };
    let bound = if fails { " to what fails" } else { "" };
    let who = entry.client.map_or("another client".to_owned(), |client| format!("client {client}"));
    format!("{} ({how} {what}{bound}, by {who})", entry.id)
}
