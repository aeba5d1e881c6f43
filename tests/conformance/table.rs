//! The table of all cases, which the documentation of the embedded broker shows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::brokers::RECORDED;
use crate::transcripts::Recorded;

/// Answers that are the same everywhere; a case is summed up by the others.
const USUAL: [&str; 10] = [
    "basic.consume-ok",
    "basic.qos-ok",
    "channel.close-ok",
    "channel.open-ok",
    "closed",
    "confirm.select-ok",
    "connection.tune",
    "exchange.declare-ok",
    "queue.bind-ok",
    "queue.declare-ok",
];

/// How many characters a cell has of what a client wrote.
const LONG: usize = 80;

/// The table as the documentation has it.
pub(crate) fn kept() -> anyhow::Result<String> {
    fs::read_to_string(path()).context("there is no table")
}

/// Writes the table.
pub(crate) fn write() -> anyhow::Result<()> {
    Ok(fs::write(path(), generate(&Recorded::all()?))?)
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guirpc/src/embedded/conformance.md")
}

pub(crate) fn generate(recorded: &[Recorded]) -> String {
    let (different, same): (Vec<_>, Vec<_>) = recorded.iter().partition(|case| case.embedded.is_some());
    let (all, same) = (recorded.len(), same.len());
    let other = recorded.iter().filter(|case| case.rabbitmq_4.is_some()).count();
    let [(_, version), (_, version_4)] = RECORDED;
    let mut text = format!(
        "# Compared with RabbitMQ\n\n\
         This broker, compared frame by frame with RabbitMQ {version} as a client sees both; \
         RabbitMQ {version_4} differs from that in {other} cases.\n\
         The conformance suite generates this table from its transcripts, one for each case, \
         in `tests/conformance/transcripts`.\n\
         Of {all} cases {same} are the same, and {} differ on purpose.\n",
        different.len()
    );
    text += &section("What differs", different);
    for topic in recorded.chunk_by(|one, other| one.topic() == other.topic()) {
        text += &section(&heading(topic[0].topic()), topic);
    }
    text
}

fn section<'a>(heading: &str, cases: impl IntoIterator<Item = &'a Recorded>) -> String {
    let rows: Vec<String> = cases.into_iter().map(row).collect();
    format!(
        "\n## {heading}\n\n| case | | RabbitMQ 3 | RabbitMQ 4 | embedded |\n|---|---|---|---|---|\n{}",
        rows.concat()
    )
}

fn row(case: &Recorded) -> String {
    let embedded = case.embedded.as_deref().map_or("same", title);
    let version_4 = case.rabbitmq_4.as_deref().map_or("same".to_owned(), summary);
    let cells = [&format!("`{}`", case.name), title(&case.rabbitmq), &summary(&case.rabbitmq), &version_4, embedded];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn heading(topic: &str) -> String {
    let words = topic.replace('-', " ");
    words[..1].to_uppercase() + &words[1..]
}

/// The title of a transcript: its first line.
fn title(transcript: &str) -> &str {
    transcript.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']).trim_end_matches('.')
}

/// The answers in a script that say something, or the last that another client saw.
fn summary(transcript: &str) -> String {
    let is_script = transcript.lines().any(|line| line.starts_with('>'));
    if !is_script {
        let last = transcript.lines().last().unwrap_or_default();
        let mut text: String = last.chars().take(LONG).collect();
        if text.len() < last.len() {
            text.push('…');
        }
        return format!("`{text}`");
    }
    let mut answers: Vec<String> = transcript.lines().filter(|line| line.starts_with('<')).map(answer).collect();
    if answers.iter().any(|answer| !is_usual(answer)) {
        answers.retain(|answer| !is_usual(answer));
    } else {
        answers = answers.pop().into_iter().collect();
    }
    answers.dedup();
    if answers.is_empty() {
        return "nothing".to_owned();
    }
    answers.iter().map(|answer| format!("`{answer}`")).collect::<Vec<_>>().join(", ")
}

fn is_usual(answer: &str) -> bool {
    USUAL.contains(&answer)
}

/// A method's name, and its reply code.
fn answer(line: &str) -> String {
    let mut words = line.split(' ').skip(1).skip_while(|word| word.parse::<u16>().is_ok());
    let name = words.next().unwrap_or_default();
    match words.find_map(|word| word.strip_prefix("code=")) {
        Some(code) => format!("{name} {code}"),
        None => name.to_owned(),
    }
}
