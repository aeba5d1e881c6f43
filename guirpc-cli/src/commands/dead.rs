//! `guirpc dead`: requests that failed while nobody waited for the reply.

use guirpc::DeadLetters;
use guirpc::dead_letters::Selection;

use crate::args::{Broker, Dead, Narrow};
use crate::failure::Failure;

mod json;
mod list;
mod show;
mod some;
mod text;

pub(super) fn run(dead: &Dead) -> Result<(), Failure> {
    match dead {
        Dead::List(arguments) => list::run(arguments),
        Dead::Show(arguments) => show::run(arguments),
        Dead::Requeue(arguments) => some::requeue(arguments),
        Dead::Drop(arguments) => some::drop(arguments),
    }
}

fn connect(broker: &Broker, service: &str) -> Result<DeadLetters, Failure> {
    let letters = DeadLetters::configured(&broker.settings()?, service)?;
    Ok(broker.timeout.iter().fold(letters, |letters, timeout| letters.timeout((*timeout).into())))
}

fn select(ids: &[String], narrow: &Narrow) -> Selection {
    let mut selection = ids.iter().fold(Selection::all(), Selection::id);
    if let Some(function) = &narrow.function {
        selection = selection.function(function);
    }
    if let Some(reason) = &narrow.reason {
        selection = selection.reason(reason);
    }
    narrow.limit.into_iter().fold(selection, Selection::limit)
}
