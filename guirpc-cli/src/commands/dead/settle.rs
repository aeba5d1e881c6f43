//! `guirpc dead requeue` and `guirpc dead drop`.

use guirpc::DeadLetters;
use guirpc::dead_letters::{Outcome, Selection};

use super::{check_known, connect, select};
use crate::args::{DeadRequeue, DeadSelected};
use crate::failure::Failure;
use crate::output;
use crate::terminal::line;

/// How many letters that stay are named.
const NAMED: usize = 5;
const TEXT: usize = 1024;

pub(super) fn requeue(arguments: &DeadRequeue) -> Result<(), Failure> {
    settle(&arguments.selected, "requeued", |letters, selection| match &arguments.queue {
        Some(queue) => letters.requeue_into(queue, selection),
        None => letters.requeue(selection),
    })
}

pub(super) fn drop(arguments: &DeadSelected) -> Result<(), Failure> {
    settle(arguments, "dropped", DeadLetters::drop)
}

fn settle(
    arguments: &DeadSelected,
    done: &str,
    settle: impl FnOnce(&DeadLetters, &Selection) -> Result<Outcome, guirpc::Error>,
) -> Result<(), Failure> {
    let letters = connect(&arguments.broker, &arguments.service)?;
    let outcome = settle(&letters, &select(&arguments.ids, &arguments.filter))?;
    if outcome.done == 0 && outcome.kept_count == 0 {
        check_known(&letters, &arguments.service)?;
    }
    let count = format!("{done} {}", outcome.done);
    match complaint(&outcome) {
        None => output::print(&format!("{count}\n")),
        Some(complaint) if outcome.kept_count > 0 => Err(Failure::unroutable(format!("{complaint}\n{count}"))),
        Some(complaint) => Err(Failure::other(format!("{complaint}\n{count}"))),
    }
}

/// What was not done, line by line.
fn complaint(outcome: &Outcome) -> Option<String> {
    let kept = outcome.kept.iter().take(NAMED).map(|kept| {
        let id = kept.correlation_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
        format!("letter {}{id} stays: {}", kept.number, kept.reason)
    });
    let mut lines: Vec<String> = kept.chain(outcome.missing.iter().map(ToString::to_string)).collect();
    for text in &mut lines {
        *text = line(text, TEXT);
    }
    if outcome.kept_count > NAMED {
        lines.push(format!("{} stay in all", outcome.kept_count));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
