//! Tests of the suite itself; a test without a harness has no `#[test]`.

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use crate::names::Names;
use crate::transcripts::{Recorded, difference, updating};
use crate::wire::methods::{decode_method, encode_method};
use crate::wire::{table as tables, text};
use crate::{lapin, pika, script, table, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("suite::what_is_quoted_comes_back", None, what_is_quoted_comes_back),
        trial("suite::every_type_of_a_table_comes_back", None, every_type_of_a_table_comes_back),
        trial("suite::who_a_broker_is_does_not_show", None, who_a_broker_is_does_not_show),
        trial("suite::a_script_comes_back", None, a_script_comes_back),
        trial("suite::a_made_up_name_keeps_its_number", None, a_made_up_name_keeps_its_number),
        trial("suite::a_difference_shows_both_sides", None, a_difference_shows_both_sides),
        trial("suite::a_difference_by_intent_sends_the_same", None, a_difference_by_intent_sends_the_same),
        trial("suite::lapin_has_a_transcript_of_each_case", None, lapin_has_a_transcript_of_each_case),
        trial("suite::pika_has_a_transcript_of_each_case", pika::missing(), pika_has_a_transcript_of_each_case),
        trial("suite::the_table_is_what_the_transcripts_say", None, the_table_is_what_the_transcripts_say),
    ]
}

fn same(left: impl AsRef<[u8]>, right: impl AsRef<[u8]>) -> Result<()> {
    let [left, right] = [left.as_ref(), right.as_ref()].map(text::quote);
    ensure!(left == right, "{left} is not {right}");
    Ok(())
}

fn what_is_quoted_comes_back() -> Result<()> {
    for bytes in [&b"a \"b\" \\x"[..], b"\0\xff", "\u{e4}".as_bytes(), &[b'x'; 300], b""] {
        same(text::unquote(&text::quote(bytes))?, bytes)?;
    }
    Ok(())
}

fn every_type_of_a_table_comes_back() -> Result<()> {
    let text = r#"{a: "t", b: true, c: -5, d: 5l, e: [1, {f: void}], g: 1.5d, h: T5, i: 5b, j: 5B, k: 5s, l: {}}"#;
    same(tables::decode(&tables::encode(text)?)?, text)
}

/// RabbitMQ takes its mechanisms from a hash table, whose order no two machines need to have in common.
fn who_a_broker_is_does_not_show() -> Result<()> {
    let start = |server: &str, mechanisms: &str| {
        let (server, mechanisms) = (format!("server={server}"), format!("mechanisms=\"{mechanisms}\""));
        decode_method(&encode_method("connection.start", &mut vec!["locales=en_US", &server, &mechanisms])?)
    };
    let shown = start(r#"{capabilities: {a: true}, cluster_name: "x@here", version: "3.10.8"}"#, "PLAIN AMQPLAIN")?;
    let expected = r#"server={capabilities: {a: true}, …} mechanisms="AMQPLAIN PLAIN" locales="en_US""#;
    same(&shown, format!("connection.start major=0 minor=0 {expected}"))?;
    same(&shown, start(r#"{a_name: "x", capabilities: {a: true}, platform: "y"}"#, "AMQPLAIN PLAIN")?)?;
    let other = start(r#"{capabilities: {a: false}, version: "3.10.8"}"#, "PLAIN AMQPLAIN")?;
    ensure!(other != shown, "what it can do does not show");
    Ok(())
}

fn a_script_comes_back() -> Result<()> {
    let text = "# a\n\nopen b heartbeat=1\ndial c\ngreet d\ndrop b\n> 1 basic.qos\n>?b 1 x\n<~b 1 y\n<\n";
    same(script::show(&script::parse(text)?), text)
}

fn a_made_up_name_keeps_its_number() -> Result<()> {
    let mut names = Names::of("test-1");
    same(names.hide("q=\"amq.gen-a_B\" r=\"amq.gen-c\""), "q=\"amq.gen-1\" r=\"amq.gen-2\"")?;
    same(names.hide("queue 'amq.gen-c' in vhost 'test-1'"), "queue 'amq.gen-2' in vhost '/'")?;
    same(names.fill_in("queue=amq.gen-2 vhost=/"), "queue=amq.gen-c vhost=test-1")?;
    names.hide("amq.gen-2x");
    same(names.fill_in("amq.gen-3 amq.gen-2y"), "amq.gen-2x amq.gen-cy")
}

fn a_difference_shows_both_sides() -> Result<()> {
    let shown = difference("> a\n< 1\n> b\n< 2\n", "> a\n< 9\n> b\n< 2\n");
    same(shown, "  > a\n- < 1\n+ < 9\n  > b\n  < 2\n")
}

/// Otherwise two different scripts would be compared.
fn a_difference_by_intent_sends_the_same() -> Result<()> {
    let sent = |text: &str| text.lines().filter(|line| line.starts_with('>')).map(str::to_owned).collect::<Vec<_>>();
    for case in Recorded::all()? {
        let embedded = case.embedded.as_deref().map(sent).unwrap_or_default();
        ensure!(sent(&case.rabbitmq).starts_with(&embedded), "{} sends something else", case.name);
    }
    Ok(())
}

fn lapin_has_a_transcript_of_each_case() -> Result<()> {
    for name in lapin::cases() {
        Recorded::read(&format!("lapin/{name}"))?;
    }
    Ok(())
}

fn pika_has_a_transcript_of_each_case() -> Result<()> {
    for name in pika::cases()? {
        Recorded::read(&format!("pika/{name}"))?;
    }
    Ok(())
}

fn the_table_is_what_the_transcripts_say() -> Result<()> {
    let (kept, table) = (table::kept()?, table::generate(&Recorded::all()?));
    let command = "GUIRPC_UPDATE=1 cargo test -p guirpc-tests --test conformance the_table";
    ensure!(kept == table || updating(), "it is old; {command} makes it anew\n{}", difference(&kept, &table));
    Ok(())
}
