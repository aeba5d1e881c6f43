//! A stranger's texts in the log are short, and on the line that they belong to.

use std::process::Command;

use amiquip::{AmqpProperties, AmqpValue, Connection, FieldTable, Publish};
use anyhow::ensure;
use guirpc::DeadLetters;
use guirpc::dead_letters::Selection;
use harness::{Broker, Case, Program, binary, eventually};

use crate::service::{LONG, SERVICE};

const FORGED: &str = "\r\n2026-01-01T00:00:00.000000Z ERROR guirpc: all is lost\u{1b}[2J\u{202e}";
const HUGE: usize = 12 << 20;
/// The longest text, the longest fields, and what stands around them.
const LONGEST_LINE: usize = 10_000;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("logs::a_stranger_writes_no_line_of_its_own", a_stranger_writes_no_line)]
}

fn text_headers(headers: &[(&str, &str)]) -> FieldTable {
    headers.iter().map(|(name, value)| ((*name).to_owned(), AmqpValue::LongString((*value).to_owned()))).collect()
}

fn a_stranger_writes_no_line(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut command = Command::new(binary("workload")?);
    // What a backtrace takes many lines for is our own, and asked for.
    command.env("RUST_BACKTRACE", "0").args(["--uri", &broker.uri(), "--workers", "2", "--log", "guirpc=debug"]);
    let server = Program::start(&mut command)?;
    server.wait_for_log("serving", LONG)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let endless = format!("{FORGED}{}", "x".repeat(60_000));
    let plain = || AmqpProperties::default().with_content_type("text/plain".to_owned());
    let named = |function: &str| plain().with_type_(function.to_owned());
    let huge = format!("{FORGED}{}", "x".repeat(HUGE));
    let messages = [
        // No function: by its name, and by what else says who calls.
        (named(FORGED), ""),
        (named("add").with_content_type(FORGED.to_owned()), ""),
        (named("none").with_correlation_id(FORGED.to_owned()).with_app_id(FORGED.to_owned()), ""),
        (named("none").with_reply_to(format!("amq.rabbitmq.reply-to.{FORGED}")), ""),
        (AmqpProperties::default().with_headers(text_headers(&[("FaaS-Name", &endless)])), "e30="),
        // Arguments of which the failure speaks, and names of arguments that there are not.
        (named("find"), huge.as_str()),
        (named("panic"), huge.as_str()),
        (named("describe").with_content_type("application/json".to_owned()), r#"{"text":"","bytes":[],"\nERROR":1}"#),
    ];
    let count = messages.len();
    for (properties, body) in messages {
        channel.basic_publish("", Publish::with_properties(body.as_bytes(), SERVICE, properties))?;
    }
    let letters = DeadLetters::connect(&broker.uri(), SERVICE)?.timeout(LONG);
    // All but the last, which is run without the argument that there is not.
    eventually(LONG, || Ok(letters.list(&Selection::all())?.letters.len() == count - 1))?;
    server.wait_for_log("ignored an argument of a `send`", LONG)?;
    server.terminate()?;
    server.wait_for_log("stopped", LONG)?;
    let log = server.stderr();
    for line in &log {
        ensure!(line.len() < LONGEST_LINE && !line.chars().any(char::is_control), "{} bytes: {line:.300}", line.len());
        ensure!(line.starts_with("20") && !line.starts_with("2026-01-01T00:00:00.000000Z"), "forged: {line:.300}");
    }
    let told = log.iter().filter(|line| line.contains("now a dead letter")).count();
    ensure!(told == count - 1, "{told} of {} are told of", count - 1);
    let mut unknown = log.iter().filter(|line| line.contains("no function named"));
    let is_told = unknown.any(|line| line.contains(r"`\r\n2026") && line.contains(r"all is lost\u{1b}[2J\u{202e}"));
    ensure!(is_told, "the first is not told of: {log:#?}");
    Ok(())
}
