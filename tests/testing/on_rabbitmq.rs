//! The tests of `guirpc::testing` once more, on RabbitMQ: in two processes at once, and nothing stays behind.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Program, RabbitMq, eventually, outside_of_cargo};
use serde_json::Value;

const LONG: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    harness::main([
        Case::rabbitmq_shared("testing::the_same_tests_pass_in_two_processes", the_same_tests_pass_in_two_processes),
        Case::rabbitmq_shared(
            "testing::a_broker_that_refuses_is_named_by_its_variable",
            a_broker_that_refuses_is_named,
        ),
    ])
}

fn the_same_tests_pass_in_two_processes(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let tests = tests()?;
    let run = || Program::start(Command::new(&tests).env("GUIRPC_TEST_AMQP_URI", rabbitmq.uri()));
    for mut tests in [run()?, run()?] {
        let status = tests.wait(LONG)?;
        ensure!(status.success(), "{status}\n{}", tests.stdout().join("\n"));
        tests.wait_for_line("0 filtered out", LONG)?;
    }
    eventually(LONG, || Ok(queues_of_tests(rabbitmq)? == "[]"))
}

fn a_broker_that_refuses_is_named(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let uri = rabbitmq.uri_for("guest", "secret", "/");
    let mut test = Command::new(tests()?);
    let mut test = Program::start(test.env("GUIRPC_TEST_AMQP_URI", uri).arg("functions_and_state_are_served"))?;
    ensure!(!test.wait(LONG)?.success(), "it passes without a broker");
    let said = test.wait_for_line("GUIRPC_TEST_AMQP_URI names a broker that cannot be used", LONG)?;
    ensure!(said.contains("refused user `guest`") && !said.contains("secret"), "{said}");
    Ok(())
}

/// The queues on the node that belong to tests, as an Erlang list of their names.
fn queues_of_tests(rabbitmq: &RabbitMq) -> anyhow::Result<String> {
    rabbitmq.eval(
        "[N || Q <- rabbit_amqqueue:list(), N <- [element(4, amqqueue:get_name(Q))], \
          binary:match(N, <<\".test-\">>) =/= nomatch]",
    )
}

/// The binary of those tests, built as all are.
fn tests() -> anyhow::Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = outside_of_cargo(&mut command)
        .args(["test", "--workspace", "--locked", "--test", "testing", "--no-run", "--message-format", "json"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()?;
    ensure!(output.status.success(), "the tests do not build\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let built = artifacts.filter(|artifact| artifact["target"]["name"] == "testing");
    let mut binaries = built.filter_map(|artifact| artifact["executable"].as_str().map(PathBuf::from));
    binaries.next().context("cargo names no binary of the tests")
}
