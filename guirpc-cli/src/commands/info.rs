//! `guirpc info`: what a service is made of, as its servers say.

use std::fmt::Write as _;

use guirpc::control::{Control, FunctionDescription, Info, LaneDescription};

use super::servers::ago;
use crate::args;
use crate::failure::Failure;
use crate::terminal::{line, lines};

pub(super) fn run(args::Info { service, gather }: &args::Info) -> Result<(), Failure> {
    let infos = gather.ask(Some(service), Control::info)?;
    gather.print(&infos, |infos| text(service, infos))
}

/// Its functions, once for all servers that have the same; then the servers.
fn text(service: &str, infos: &[Info]) -> String {
    let mut text = String::new();
    let mut told: Vec<&[FunctionDescription]> = Vec::new();
    for info in infos {
        let described = info.services.iter().find(|described| described.name == service);
        let Some(functions) = described.map(|described| &*described.functions) else { continue };
        if told.contains(&functions) {
            continue;
        }
        if !told.is_empty() {
            // Writing to a text does not fail, here and below.
            let _ = writeln!(text, "\nother servers serve other functions, such as {}:", shown(&info.instance.id));
        }
        text.extend(functions.iter().map(function_text));
        told.push(functions);
    }
    for Info { instance, broker, lanes, .. } in infos {
        let _ = writeln!(
            text,
            "\n{}\n    {} (pid {}) on {}, guirpc {}, up {}, at {}",
            shown(&instance.id),
            shown(&instance.program),
            instance.pid,
            shown(&instance.host),
            shown(&instance.guirpc),
            ago(instance.since),
            shown(broker),
        );
        text.extend(lanes.iter().map(lane_text));
    }
    text
}

fn function_text(function: &FunctionDescription) -> String {
    let mut options = Vec::new();
    options.extend(function.lane.as_ref().map(|lane| format!("lane {lane}")));
    options.extend(function.timeout_ms.map(|timeout| format!("timeout {timeout} ms")));
    options.extend(function.idempotent.then(|| "idempotent".to_owned()));
    options.extend((function.ack == "early").then(|| "at most once".to_owned()));
    let options = if options.is_empty() { String::new() } else { format!("  ({})", options.join(", ")) };
    let mut text = format!("{}{}\n", shown(&function.signature), shown(&options));
    for docs in lines(&function.docs).lines() {
        let _ = writeln!(text, "    {docs}");
    }
    text
}

fn lane_text(lane: &LaneDescription) -> String {
    let name = lane.lane.as_ref().map_or_else(String::new, |name| format!("lane {}: ", shown(name)));
    let concurrency = match lane.concurrency {
        0 => String::new(),
        concurrency => format!(", {concurrency} async at once"),
    };
    format!(
        "    {name}{} workers{concurrency}, prefetch {}, queues {}\n",
        lane.workers,
        lane.prefetch,
        shown(&lane.queues.join(", "))
    )
}

fn shown(text: &str) -> String {
    line(text, usize::MAX)
}
