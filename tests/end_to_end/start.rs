//! What a service says when it cannot start: one line, with what to do, and an exit code of its own.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use amiquip::{Connection, QueueDeclareOptions};
use anyhow::{Context, ensure};
use harness::{Broker, Case, Program, binary};
use serde_json::Value;

use crate::service::{LONG, SERVICE, client};
use crate::workload::{add, panic};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("start::a_malformed_uri", a_malformed_uri),
        Case::shared("start::a_refused_connection", a_refused_connection),
        Case::shared("start::a_wrong_password", a_wrong_password),
        Case::shared("start::a_missing_virtual_host", a_missing_virtual_host),
        Case::shared("start::a_queue_declared_differently", a_queue_declared_differently),
        Case::shared("start::a_signal_while_connecting", a_signal_while_connecting),
        Case::shared("start::a_service_that_is_not_linked", a_service_that_is_not_linked),
        Case::shared("start::a_queue_without_a_name", a_queue_without_a_name),
        Case::shared("start::two_services_cannot_share_a_queue", two_services_cannot_share_a_queue),
        Case::shared("start::a_start_costs_no_connection", a_start_costs_no_connection),
        Case::shared("start::the_log_has_a_line_for_each_call", the_log_has_a_line_for_each_call),
        Case::shared("start::what_is_linked_and_not_served_is_logged", what_is_linked_and_not_served_is_logged),
        Case::shared("start::the_functions_are_listed", the_functions_are_listed),
        Case::shared("start::the_log_names_everything_but_the_password", the_log_names_everything_but_the_password),
    ]
}

/// Whatever a server tries out first, it needs to connect once.
fn a_start_costs_no_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    for _ in 0..5 {
        let mut program = crate::service::program(&broker.uri(), &[])?;
        ensure!(add::call(&client(broker)?, 1, 2)? == 3);
        program.terminate()?;
        ensure!(program.wait(LONG)?.success());
        let lines = program.stderr();
        ensure!(!lines.iter().any(|line| line.contains("lost")), "{lines:#?}");
    }
    Ok(())
}

/// Starts the service, which must fail so and say this.
#[track_caller]
fn check(arguments: &[&str], code: i32, said: &[&str]) -> anyhow::Result<()> {
    let mut program = Program::start(Command::new(binary("workload")?).env_remove("AMQP_URI").args(arguments))?;
    program.wait_for_log("error: ", LONG)?;
    let status = program.wait(LONG)?;
    let lines: Vec<String> = program.stderr().into_iter().filter(|line| line.starts_with("error: ")).collect();
    ensure!(status.code() == Some(code), "{status}: {:?}", program.stderr());
    let [line] = lines.as_slice() else { anyhow::bail!("not one line: {lines:?}") };
    for said in said {
        ensure!(line.contains(said), "no `{said}` in: {line}");
    }
    Ok(())
}

fn a_malformed_uri(_: &dyn Broker) -> anyhow::Result<()> {
    check(&["--uri", "http://localhost"], 2, &["amqp://user:password@host:5672/vhost"])
}

fn a_refused_connection(_: &dyn Broker) -> anyhow::Result<()> {
    // Port 9 is discard, which nobody runs.
    check(&["--uri", "amqp://localhost:9"], 4, &["cannot connect", "is RabbitMQ running there"])
}

fn a_signal_while_connecting(_: &dyn Broker) -> anyhow::Result<()> {
    // It lets clients in and then says nothing, so that they wait for as long as they wait for any broker.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let uri = format!("amqp://{}", silent.local_addr()?);
    let mut program = Program::start(Command::new(binary("workload")?).args(["--uri", &uri]))?;
    let _connected = silent.accept()?;
    program.terminate()?;
    let status = program.wait(Duration::from_secs(5))?;
    ensure!(status.code() == Some(0), "{status}: {:?}", program.stderr());
    Ok(())
}

fn a_wrong_password(broker: &dyn Broker) -> anyhow::Result<()> {
    let uri = broker.uri_for("guest", "wrong-secret", "/");
    check(&["--uri", &uri], 4, &["refused user `guest`", "password is wrong"])
}

fn a_missing_virtual_host(broker: &dyn Broker) -> anyhow::Result<()> {
    let uri = broker.uri_for("guest", "guest", "missing");
    check(&["--uri", &uri], 4, &["virtual host `missing`", "rabbitmqctl add_vhost missing"])
}

fn a_queue_declared_differently(broker: &dyn Broker) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    channel.queue_declare(SERVICE, QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::default() })?;
    check(&["--uri", &broker.uri()], 9, &["queue `guirpc-tests`", "declared differently", "another virtual host"])
}

fn a_service_that_is_not_linked(broker: &dyn Broker) -> anyhow::Result<()> {
    check(&["--uri", &broker.uri(), "--service", "math"], 8, &["service `math`", "linked are: guirpc-tests"])
}

fn a_queue_without_a_name(broker: &dyn Broker) -> anyhow::Result<()> {
    check(&["--uri", &broker.uri(), "--queue", ""], 2, &["the name of a queue has from 1 to 255 bytes"])
}

fn two_services_cannot_share_a_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    let arguments = ["--uri", &broker.uri(), "--service", "guirpc-tests,guirpc-tests", "--queue", "q"];
    check(&arguments, 2, &["cannot share the one queue `q`"])
}

fn the_log_names_everything_but_the_password(broker: &dyn Broker) -> anyhow::Result<()> {
    let program = crate::service::program(&broker.uri(), &["--queue", "other"])?;
    let line = program.wait_for_log("serving", LONG)?;
    for said in [SERVICE, "other", "127.0.0.1", "add, begin, birthday"] {
        ensure!(line.contains(said), "no `{said}` in: {line}");
    }
    ensure!(!line.contains("guest:guest"), "{line}");
    ensure!(!line.contains('\u{1b}'), "coloured, although nobody looks: {line:?}");
    let queue = broker.queue("other")?.context("the queue was not declared")?;
    ensure!(queue.consumers == 1);
    Ok(())
}

fn the_log_has_a_line_for_each_call(broker: &dyn Broker) -> anyhow::Result<()> {
    let program = crate::service::program(&broker.uri(), &["--log", "guirpc=debug", "--log-format", "json"])?;
    let client = client(broker)?;
    add::call(&client, 1, 2)?;
    let line: Value = serde_json::from_str(&program.wait_for_log("\"function\":\"add\"", LONG)?)?;
    ensure!(line["level"] == "DEBUG" && line["rpc.response.status_code"] == "200", "{line}");
    ensure!(line["messaging.message.conversation_id"].is_string() && line["took"].is_string(), "{line}");
    let _ = panic::call(&client, "ouch".to_owned());
    let line: Value = serde_json::from_str(&program.wait_for_log("panicked: ouch", LONG)?)?;
    ensure!(line["level"] == "ERROR" && line["function"] == "panic", "{line}");
    ensure!(line["messaging.message.conversation_id"].is_string(), "{line}");
    ensure!(line["message"].as_str().is_some_and(|message| message.contains("ouch")), "{line}");
    Ok(())
}

fn what_is_linked_and_not_served_is_logged(broker: &dyn Broker) -> anyhow::Result<()> {
    let program = crate::service::program(&broker.uri(), &[])?;
    let line = program.wait_for_log("linked, and not served", LONG)?;
    for said in ["--service guirpc-tests,others", "services = [\"guirpc-tests\", \"others\"]", "linked_only"] {
        ensure!(line.contains(said), "no `{said}` in: {line}");
    }
    let logged = program.stderr().into_iter().filter(|line| line.contains("not served")).count();
    ensure!(logged == 1, "{:?}", program.stderr());
    Ok(())
}

fn the_functions_are_listed(_: &dyn Broker) -> anyhow::Result<()> {
    let list = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = Command::new(binary("workload")?).arg("list").args(arguments).output()?;
        ensure!(output.status.success(), "{}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    };
    let text = list(&[])?;
    for line in ["guirpc-tests.add", "    fn add(a: i64, b: i64) -> i64", "    Adds."] {
        ensure!(text.lines().any(|listed| listed.ends_with(line)), "no `{line}` in: {text}");
    }
    let unserved = "others.linked_only (not served: name its service with `--service`)";
    ensure!(text.lines().any(|listed| listed == unserved), "{text}");
    let both = list(&["--service", "guirpc-tests,others"])?;
    ensure!(both.lines().any(|listed| listed == "others.linked_only"), "{both}");
    let functions: Value = serde_json::from_str(&list(&["--json"])?)?;
    let named = |name: &str| functions.as_array().and_then(|all| all.iter().find(|function| function["name"] == name));
    let birthday = named("birthday").context("it is not listed")?;
    ensure!(birthday["idempotent"] == true && birthday["arguments"][1]["type"] == "Option<u8>", "{birthday}");
    ensure!(birthday["served"] == true && named("linked_only").is_some_and(|function| function["served"] == false));
    ensure!(named("count_early").is_some_and(|function| function["ack"] == "early"));
    ensure!(named("impatient").is_some_and(|function| function["timeout_ms"] == 1000));
    ensure!(named("match").is_some_and(|function| function["arguments"][0]["name"] == "type"));
    Ok(())
}
