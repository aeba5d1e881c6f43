//! Developing without RabbitMQ: `dev` in a service, and `guirpc broker` for several of them.

mod run;

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Program, binary, eventually};
use run::{check, guirpc, run};
use serde_json::json;

const LONG: Duration = Duration::from_secs(30);
/// No broker has this port.
const NOWHERE: &str = "amqp://localhost:9";

/// A service with a broker of its own, which has said what there is to say.
fn dev(service: &str, arguments: &[&str]) -> anyhow::Result<Program> {
    let program = Program::start(Command::new(binary(service)?).env("AMQP_URI", NOWHERE).arg("dev").args(arguments))?;
    program.wait_for_line("Ctrl-C", LONG)?;
    Ok(program)
}

/// The URI that a program shows on a line of its own.
fn uri(program: &Program) -> anyhow::Result<String> {
    Ok(program.wait_for_line("  amqp://guest:guest@127.0.0.1:", LONG)?.trim().to_owned())
}

fn ends_well(mut program: Program) -> anyhow::Result<()> {
    let status = program.wait(LONG)?;
    ensure!(status.success(), "{status}\n{}", program.stderr().join("\n"));
    Ok(())
}

#[test]
fn what_dev_shows_can_be_pasted() -> anyhow::Result<()> {
    for (service, said) in [("hello", "3"), ("accounts", r#"{"owner":"owner","balance":2}"#), ("workload", "3")] {
        let program = dev(service, &[])?;
        let line = program.wait_for_line("guirpc call", LONG)?;
        ensure!(line.contains(&format!("--uri {} ", uri(&program)?)), "{line}");
        let words = shlex::split(&line).context("a shell understands it")?;
        let ended = run(guirpc()?.env("AMQP_URI", NOWHERE).args(&words[1..]))?;
        check(&ended, 0, &format!("{said}\n"))?;
        program.wait_for_line("messages are gone when this process ends", LONG)?;
        program.interrupt()?;
        ends_well(program)?;
    }
    Ok(())
}

#[test]
fn dev_makes_a_call_and_goes_on() -> anyhow::Result<()> {
    let program = dev("hello", &["--call", "greet", "[\"Ada\"]"])?;
    program.wait_for_line("  \"Hello Ada!\"", LONG)?;
    check(&run(guirpc()?.args(["ping", "hello", "--uri", &uri(&program)?]))?, 0, "functions")?;

    let arguments = format!("[{}]", u128::MAX);
    let exact = dev("workload", &["--call", "halved", &arguments])?;
    exact.wait_for_line(&format!("  {}", u128::MAX / 2), LONG)?;
    let ignoring = dev("workload", &["--call", "halved", r#"{"number": 4, "nummer": 5}"#])?;
    ignoring.wait_for_line("warning: `halved` has no argument `nummer`, did you mean `number`?", LONG)?;

    let mistaken = dev("hello", &["--call", "gret", "[\"Ada\"]"])?;
    mistaken.wait_for_line("did you mean `greet`?", LONG)?;
    let unreadable = run(assert_cmd::Command::new(binary("hello")?).args(["dev", "--call", "add", "{"]))?;
    check(&unreadable, 2, "are not JSON")
}

#[test]
fn several_services_are_developed_at_once() -> anyhow::Result<()> {
    let services = [dev("hello", &[])?, dev("accounts", &[])?, dev("hello", &["--port", "0"])?];
    let uris = [uri(&services[0])?, uri(&services[1])?, uri(&services[2])?];
    for (uri, service) in uris.iter().zip(["hello", "accounts", "hello"]) {
        check(&run(guirpc()?.args(["ping", service, "--uri", uri]))?, 0, "functions")?;
    }
    let elsewhere = run(guirpc()?.args(["ping", "hello", "--uri", &uris[1]]))?;
    check(&elsewhere, 7, "no queue takes calls for service `hello`")
}

#[test]
fn dev_finishes_what_has_begun() -> anyhow::Result<()> {
    let program = dev("workload", &[])?;
    let client = Client::connect(&uri(&program)?)?.with_timeout(LONG);
    let call = |function, arguments| client.call_json("guirpc-tests", function, arguments);
    thread::scope(|scope| {
        let long = scope.spawn(|| call("sleep_early", json!(["long", 500])));
        eventually(LONG, || Ok(call("counted", json!(["long"]))? == 1))?;
        program.terminate()?;
        ensure!(long.join().expect("it does not panic")? == 500);
        ends_well(program)
    })
}

#[test]
fn dev_takes_no_broker_of_somebody_else() -> anyhow::Result<()> {
    for arguments in [["dev", "--uri", NOWHERE], ["--uri", NOWHERE, "dev"]] {
        let said = run(assert_cmd::Command::new(binary("hello")?).args(arguments))?;
        check(&said, 2, "`dev` starts a broker of its own")?;
    }
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() -> anyhow::Result<()> {
    let program = Program::start(Command::new(binary("guirpc")?).args(["broker", "--port", "0"]))?;
    let uri = uri(&program)?;
    let port = uri.rsplit([':', '/']).nth(1).context("the port stands before the virtual host")?;
    let taken = format!("port {port} of 127.0.0.1");
    let broker = run(guirpc()?.args(["broker", "--port", port]))?;
    check(&broker, 1, &taken)?;
    check(&broker, 1, "choose another port with `--port`")?;
    let dev = run(assert_cmd::Command::new(binary("hello")?).args(["dev", "--port", port]))?;
    check(&dev, 1, &taken)?;
    check(&dev, 1, "choose another with `--port`")
}

#[test]
fn serve_takes_no_broker_in_memory_by_itself() -> anyhow::Result<()> {
    for arguments in [&[][..], &["serve"]] {
        let said = run(assert_cmd::Command::new(binary("hello")?).env("AMQP_URI", NOWHERE).args(arguments))?;
        check(&said, 4, "cannot connect to amqp://guest@localhost:9")?;
        check(&said, 4, "`dev` brings a broker of its own")?;
    }
    Ok(())
}

#[test]
fn one_broker_carries_several_services() -> anyhow::Result<()> {
    let broker = Program::start(Command::new(binary("guirpc")?).args(["broker", "--port", "0"]))?;
    let uri = &uri(&broker)?;
    broker.wait_for_line("for development, on this machine only", LONG)?;
    broker.wait_for_line(&format!("export AMQP_URI={uri}"), LONG)?;
    let serve = |service| Program::start(Command::new(binary(service)?).env("AMQP_URI", uri));
    let services = [serve("hello")?, serve("accounts")?];
    for service in &services {
        service.wait_for_log("serving", LONG)?;
    }
    check(&run(guirpc()?.env("AMQP_URI", uri).args(["call", "hello", "add", "[1, 2]"]))?, 0, "3\n")?;
    check(&run(guirpc()?.env("AMQP_URI", uri).args(["call", "accounts", "open", r#"["ada", 1]"#]))?, 0, "ada")?;
    for service in services {
        service.terminate()?;
        ends_well(service)?;
    }
    broker.terminate()?;
    ends_well(broker)?;
    let broker = Program::start(Command::new(binary("guirpc")?).args(["broker", "--port", "0"]))?;
    broker.wait_for_line("Ctrl-C", LONG)?;
    broker.interrupt()?;
    ends_well(broker)
}
