//! The same cases against RabbitMQ and against the embedded broker: what does a client see?
//!
//! Most cases are scripts, which are also their transcripts as RabbitMQ wrote them: see `script`.
//! The others are played by clients that nobody here wrote, lapin and pika, who say what they saw.
//! Either way the embedded broker is compared with what RabbitMQ did where no RabbitMQ is installed, too.
//! With `GUIRPC_UPDATE=1` and `GUIRPC_TEST_RABBITMQ=1` in the environment, what comes is recorded and the table made anew.

mod brokers;
mod lapin;
mod names;
mod pika;
mod play;
mod script;
mod suite;
mod table;
mod transcripts;
mod wire;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::brokers::{Brokers, Kind};
use crate::play::Address;
use crate::transcripts::Recorded;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait more than they work: RabbitMQ lets a client whose handshake failed wait for 3 s.
    arguments.test_threads.get_or_insert(8);
    let brokers = Brokers::default();
    let recorded = Recorded::all().expect("the transcripts can be read");
    let mut trials = suite::trials();
    let (rabbitmq, missing) = Kind::of_rabbitmq();
    for (prefix, kind, missing) in [("rabbitmq", rabbitmq, missing), ("embedded", Kind::Embedded, None)] {
        for case in &recorded {
            let (brokers, case) = (brokers.clone(), case.clone());
            let name = format!("{prefix}::{}", case.name.replace('/', "::"));
            let client = if case.topic() == "pika" { pika::missing() } else { None };
            trials.push(trial(&name, missing.as_deref().or(client), move || {
                let transcript = brokers.with(kind, |address| play(&case, kind, address))?;
                case.settle(kind, &transcript)
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if transcripts::updating() {
        table::write().expect("the table can be written");
    }
    // Returned rather than exited with, so that the node is dropped.
    conclusion.exit_code()
}

/// Plays a case; gives its transcript.
fn play(case: &Recorded, kind: Kind, address: &Address) -> anyhow::Result<String> {
    let lines = match case.topic() {
        "lapin" => lapin::play(case.short_name(), address)?,
        "pika" => pika::play(case.short_name(), address)?,
        _ => return Ok(script::show(&play::play(&script::parse(case.expected(kind))?, address)?)),
    };
    let comments = case.expected(kind).lines().filter(|line| line.starts_with('#')).map(str::to_owned);
    Ok(comments.chain(lines).map(|line| line + "\n").collect())
}

/// A test; ignored, with the reason, where something that it needs is missing.
fn trial(name: &str, missing: Option<&str>, run: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    let reason = missing.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Trial::test(format!("{name}{reason}"), move || run().map_err(|error| Failed::from(format!("{error:#}"))))
        .with_ignored_flag(missing.is_some())
}
