//! Markdown, for people: a section for each function, and one for each type.

use std::fmt::Write;

use crate::contract::references::Direction;
use crate::contract::{Contract, Function, Type};

mod phrase;
mod types;

use self::phrase::{Links, cell};

/// The contract as a page of Markdown.
pub(super) fn written(contract: &Contract) -> String {
    let links = Links::of(contract);
    let mut page = format!("# Service `{}`\n\nContract `{}`.\n", contract.service, contract.hash);
    page.push_str("\n| function | |\n|---|---|\n");
    for (name, function) in &contract.functions {
        let deprecated = if function.deprecated.is_some() { "*Deprecated.* " } else { "" };
        let summary = cell(&super::first_paragraph(&function.docs));
        let _ = writeln!(page, "| [`{name}`](#{}) | {deprecated}{summary} |", links.function(name));
    }
    page.push_str("\n# Functions\n");
    for (name, function) in &contract.functions {
        page.push_str(&section(name, function, contract, &links));
    }
    page.push_str(&types::sections(contract, &links));
    page
}

fn section(name: &str, function: &Function, contract: &Contract, links: &Links<'_>) -> String {
    let mut section = format!("\n<a id=\"{}\"></a>\n\n## `{name}`\n", links.function(name));
    let _ = write!(section, "\n```rust\n{}\n```\n", function.signature);
    match function.deprecated.as_deref() {
        None => {}
        Some("") => section.push_str("\n**Deprecated.**\n"),
        Some(why) => {
            let _ = write!(section, "\n**Deprecated:** {why}\n");
        }
    }
    if !function.docs.is_empty() {
        let _ = write!(section, "\n{}\n", demoted(&function.docs));
    }
    section.push_str(&arguments(function, links));
    let _ = write!(section, "\n**Output:** {}\n", phrase(&function.output.ty, links));
    if let Some(error) = &function.error {
        let _ = write!(section, "\n**Error** (status {}): {}\n", error.status, phrase(&error.ty, links));
    }
    let options = options(function, &contract.service);
    if !options.is_empty() {
        let _ = write!(section, "\n{options}");
    }
    section
}

fn arguments(function: &Function, links: &Links<'_>) -> String {
    if function.arguments.is_empty() {
        return "\nIt takes no arguments.\n".to_owned();
    }
    let mut table = "\n| argument | type | |\n|---|---|---|\n".to_owned();
    for argument in &function.arguments {
        let required = if argument.required { "required" } else { "may be left out" };
        let _ = writeln!(table, "| `{}` | {} | {required} |", argument.name, cell(&phrase(&argument.ty, links)));
    }
    table
}

fn phrase(ty: &Type, links: &Links<'_>) -> String {
    if ty.bytes { "bytes".to_owned() } else { links.phrase(&ty.schema) }
}

/// What holds for its calls beside the defaults, as a list.
fn options(function: &Function, service: &str) -> String {
    let mut options = Vec::new();
    if let Some(milliseconds) = function.timeout_ms {
        let timeout = humantime::format_duration(std::time::Duration::from_millis(milliseconds));
        options.push(format!("Its callers wait {timeout} unless they say otherwise."));
    }
    if let Some(lane) = &function.lane {
        options.push(format!("It has the lane `{lane}`: its requests go to the queue `{service}.{lane}`."));
    }
    if function.idempotent {
        options.push("It is idempotent: safe to run twice for one call.".to_owned());
    }
    if function.ack == "early" {
        options.push("It runs at most once: its requests are acknowledged before it runs.".to_owned());
    }
    if function.coalesce {
        options.push("Its calls travel together unless a client says otherwise.".to_owned());
    }
    if let Some(python) = &function.python {
        options.push(format!(
            "In Python's dialect its requests are `{}` (`{}`), and its replies `{}` (`{}`).",
            python.request, python.request_codec, python.response, python.response_codec
        ));
    }
    options.iter().fold(String::new(), |list, option| format!("{list}- {option}\n"))
}

/// The docs with headings below that of their section; what stands in blocks of code stays.
fn demoted(docs: &str) -> String {
    let mut fence: Option<&str> = None;
    let lines = docs.trim_end().lines().map(|line| {
        let start = line.trim_start();
        let marks = ["```", "~~~"].into_iter().find(|marks| start.starts_with(marks));
        match (fence, marks) {
            (None, Some(marks)) => fence = Some(marks),
            (Some(open), Some(marks)) if open == marks => fence = None,
            (None, None) if start.starts_with('#') => return format!("##{start}"),
            _ => {}
        }
        line.to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_demoted_outside_of_code() {
        let docs = "Text.\n# Errors\n```\n# hidden\n~~~\n```\n## More\n";
        assert_eq!(demoted(docs), "Text.\n### Errors\n```\n# hidden\n~~~\n```\n#### More");
    }
}
