//! `guirpc dead`: dead letters, which are failed sends and poison messages.

use guirpc::DeadLetters;
use guirpc::dead_letters::Selection;

use crate::args::{Broker, Dead, Filter};
use crate::failure::Failure;
use crate::terminal::line;

mod json;
mod list;
mod settle;
mod show;
mod text;

pub(super) fn run(dead: &Dead) -> Result<(), Failure> {
    match dead {
        Dead::List(arguments) => list::run(arguments),
        Dead::Show(arguments) => show::run(arguments),
        Dead::Requeue(arguments) => settle::requeue(arguments),
        Dead::Drop(arguments) => settle::drop(arguments),
    }
}

fn connect(broker: &Broker, service: &str) -> Result<DeadLetters, Failure> {
    let letters = DeadLetters::configured(&broker.settings()?, service)?;
    Ok(broker.timeout.iter().fold(letters, |letters, timeout| letters.timeout((*timeout).into())))
}

/// No letters: of a service that the broker does not know that is a mistake.
fn check_known(letters: &DeadLetters, service: &str) -> Result<(), Failure> {
    if letters.is_known()? {
        return Ok(());
    }
    let service = line(service, usize::MAX);
    Err(Failure::unroutable(format!(
        "there is no service `{service}` on this broker: neither a queue `{service}` nor a queue `{service}.dead`; is \
         the name right, and the virtual host?"
    )))
}

fn select(ids: &[String], filter: &Filter) -> Selection {
    let mut selection = ids.iter().fold(Selection::all(), Selection::id);
    if let Some(function) = &filter.function {
        selection = selection.function(function);
    }
    if let Some(reason) = &filter.reason {
        selection = selection.reason(reason);
    }
    filter.limit.into_iter().fold(selection, Selection::limit)
}
