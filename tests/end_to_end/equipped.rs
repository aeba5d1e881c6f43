//! What `main!` gives a program: signals from the first moment, a client, settings and arguments of its own, an end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::embedded::Broker as Embedded;
use guirpc::{CallError, Client};
use harness::{Broker, Case, Port, Program, binary};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use crate::service::LONG;

pub(crate) fn cases() -> Vec<Case> {
    let is_root = rustix::process::getuid().is_root();
    let needs_root = (!is_root).then_some("needs root, for a process namespace");
    vec![
        Case::shared("equipped::a_function_calls_by_the_programs_client", calls_by_the_programs_client),
        Case::shared("equipped::a_function_that_calls_its_own_service_needs_a_worker", calls_its_own_service),
        Case::embedded("equipped::dev_has_a_client_too", dev_has_a_client),
        Case::embedded("equipped::what_is_no_setting_of_the_program_is_refused", a_wrong_setting),
        Case::shared("equipped::state_is_dropped_at_the_end", state_is_dropped),
        Case::embedded("equipped::the_programs_own_subscriber_logs", own_subscriber),
        Case::embedded("equipped::a_signal_in_the_set_up_ends_it", |_| a_signal_in_the_set_up()),
        Case::embedded("equipped::a_signal_ends_process_1", |_| a_signal_ends_process_1()).unless_missing(needs_root),
        Case::embedded("equipped::a_start_waits_for_the_broker", |_| a_start_waits()),
    ]
}

/// A file of settings, for as long as this value lives.
struct Settings(TempDir);

impl Settings {
    fn new(text: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        fs::write(folder.path().join("equipped.toml"), text)?;
        Ok(Settings(folder))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("equipped.toml")
    }
}

/// The program with these settings, by way of another one if need be.
fn command(program: &[&str], uri: &str, settings: &Settings) -> anyhow::Result<Command> {
    let equipped = binary("equipped")?;
    let mut command = match program {
        [] => Command::new(equipped),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(equipped);
            command
        }
    };
    command.env("AMQP_URI", uri).arg("--config").arg(settings.path());
    Ok(command)
}

fn calls_by_the_programs_client(broker: &dyn Broker) -> anyhow::Result<()> {
    let settings = Settings::new("[server]\nworkers = 2\n[program]\ngreeting = \"Good day\"\n")?;
    let mut command = command(&[], &broker.uri(), &settings)?;
    let program = Program::start(command.args(["serve", "--", "dear", "--friend"]))?;
    program.wait_for_log("serving", LONG)?;
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    let said = client.call_json("equipped", "relay", json!({"name": "Ada"}))?;
    ensure!(said == json!("Good day dear --friend Ada"), "{said}");
    Ok(())
}

/// The only worker waits for a function that has no worker; in a lane it has one.
fn calls_its_own_service(broker: &dyn Broker) -> anyhow::Result<()> {
    let settings = Settings::new("[server]\nworkers = 1\n")?;
    let program = Program::start(&mut command(&[], &broker.uri(), &settings)?)?;
    program.wait_for_log("serving", LONG)?;
    let client = Client::connect(broker.uri())?;
    let said = client.with_timeout(LONG).call_json("equipped", "relay_apart", json!({"name": "Ada"}))?;
    ensure!(said == json!("Hello Ada"), "{said}");
    let short = client.with_timeout(Duration::from_secs(1));
    let error = short.call_json("equipped", "relay", json!({"name": "Ada"})).err().context("there was a worker")?;
    ensure!(matches!(error, CallError::TimedOut { .. } | CallError::Fault(_)), "{error}");
    Ok(())
}

fn dev_has_a_client(_: &Embedded) -> anyhow::Result<()> {
    // There is nothing behind the URI of the environment, and `dev` does not use it.
    let settings = Settings::new("[server]\nworkers = 2\n")?;
    let mut command = command(&[], "amqp://localhost:9", &settings)?;
    let program = Program::start(command.args(["dev", "--call", "relay", r#"["Ada"]"#, "--", "you"]))?;
    program.wait_for_line("\"Hello you Ada\"", LONG).map(drop)
}

fn a_wrong_setting(_: &Embedded) -> anyhow::Result<()> {
    let settings = Settings::new("[program]\ngreting = \"Hi\"\n")?;
    let mut program = Program::start(&mut command(&[], "amqp://localhost:9", &settings)?)?;
    let line = program.wait_for_log("error: ", LONG)?;
    ensure!(program.wait(LONG)?.code() == Some(8), "{line}");
    for said in ["[program] of ", "equipped.toml", "`greting`", "`greeting`"] {
        ensure!(line.contains(said), "no {said} in {line}");
    }
    Ok(())
}

fn state_is_dropped(broker: &dyn Broker) -> anyhow::Result<()> {
    let settings = Settings::new("")?;
    let mut program = Program::start(&mut command(&[], &broker.uri(), &settings)?)?;
    program.wait_for_log("serving", LONG)?;
    let client = Client::connect(broker.uri())?.with_timeout(LONG);
    client.call_json("equipped", "greet", json!({"name": "Ada"}))?;
    program.terminate()?;
    ensure!(program.wait(LONG)?.success(), "{:?}", program.stderr());
    let lines = program.stderr();
    let place = |text: &str| lines.iter().position(|line| line == text).with_context(|| format!("{text}: {lines:#?}"));
    ensure!(place("the server has stopped")? < place("the state is dropped")?, "{lines:#?}");
    Ok(())
}

fn own_subscriber(broker: &Embedded) -> anyhow::Result<()> {
    let settings = Settings::new("[program]\nlogs_itself = true\n")?;
    let program = Program::start(&mut command(&[], &broker.uri(), &settings)?)?;
    let line = program.wait_for_log("serving", LONG)?;
    // Without the time, as it wants it.
    ensure!(line.trim_start().trim_start_matches("\u{1b}[32m").trim_start().starts_with("INFO"), "{line}");
    // Its lane has a line of its own.
    let of_service = |line: &&String| line.contains("serving") && line.contains("relay_apart");
    let lines = program.stderr();
    ensure!(lines.iter().filter(of_service).count() == 1, "it is logged twice: {lines:?}");
    Ok(())
}

fn a_signal_in_the_set_up() -> anyhow::Result<()> {
    let settings = Settings::new("[program]\nset_up_ms = 4000\n")?;
    // Were it to go on, it would fail.
    let mut program = Program::start(&mut command(&[], "amqp://localhost:9", &settings)?)?;
    program.wait_for_log("setting up", LONG)?;
    program.terminate()?;
    let status = program.wait(LONG)?;
    ensure!(status.code() == Some(0), "{status}: {:?}", program.stderr());
    Ok(())
}

/// Process 1 of a container gets no signal that it does not handle.
fn a_signal_ends_process_1() -> anyhow::Result<()> {
    let settings = Settings::new("[program]\nset_up_ms = 4000\n")?;
    let unshare = ["unshare", "--pid", "--fork", "--kill-child=KILL"];
    let mut program = Program::start(&mut command(&unshare, "amqp://localhost:9", &settings)?)?;
    program.wait_for_log("setting up", LONG)?;
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", program.id()))?;
    let process_1 = Pid::from_raw(children.trim().parse()?).context("it is a process")?;
    kill_process(process_1, Signal::TERM)?;
    let status = program.wait(LONG)?;
    ensure!(status.code() == Some(0), "{status}: {:?}", program.stderr());
    Ok(())
}

fn a_start_waits() -> anyhow::Result<()> {
    let settings = Settings::new("")?;
    let port = Port::claim()?;
    let uri = format!("amqp://127.0.0.1:{}", port.number());
    let mut command = command(&[], &uri, &settings)?;
    let program = Program::start(command.args(["--wait", "60s"]))?;
    program.wait_for_log("trying again", LONG)?;
    let broker = Embedded::start_on(port.number())?;
    program.wait_for_log("serving", LONG)?;
    let client = Client::connect(broker.uri())?.with_timeout(Duration::from_secs(30));
    let said = client.call_json("equipped", "greet", json!({"name": "Ada"}))?;
    ensure!(said == json!("Hello Ada"), "{said}");
    Ok(())
}
