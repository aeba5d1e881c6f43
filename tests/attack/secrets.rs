//! The password leaves the process in the handshake, and nowhere else.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use guirpc::embedded::Broker as Embedded;
use harness::{Broker, Case, Program, RabbitMq, binary};
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(30);
const PASSWORD: &str = "xq7secret";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("secrets::no_password_in_any_output", no_password_where_it_is_wrong),
        Case::rabbitmq_shared("secrets::no_password_in_any_output", no_password_where_it_is_right),
        Case::embedded("secrets::no_password_in_what_is_said_of_mistakes", no_password_in_what_is_said_of_mistakes),
    ]
}

fn no_password_where_it_is_wrong(broker: &Embedded) -> anyhow::Result<()> {
    check_all(&format!("amqp://ada:{PASSWORD}@127.0.0.1:{}/%2f", broker.port()), false)
}

fn no_password_where_it_is_right(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    rabbitmq.ctl(&["add_user", "ada", PASSWORD])?;
    rabbitmq.ctl(&["set_permissions", "-p", rabbitmq.vhost(), "ada", ".*", ".*", ".*"])?;
    check_all(&rabbitmq.uri_for("ada", PASSWORD, rabbitmq.vhost()), true)
}

/// Runs all that there is against this broker, with all logs on.
fn check_all(uri: &str, is_right: bool) -> anyhow::Result<()> {
    for role in ["server", "client"] {
        let mut command = Command::new(binary("attacked")?);
        let program = Program::start(command.env("ATTACKED_LOG", "1").args([role, uri]))?;
        // What it is about: amiquip logs the login.
        program.wait_for_log("sending handshake StartOk", LONG)?;
        let line = match (role, is_right) {
            ("server", true) => "serving",
            ("client", true) => "answered",
            ("server", false) => "not serving",
            _ => "not answered",
        };
        program.wait_for_line(line, LONG)?;
        check(role, &[program.stdout(), program.stderr()].concat().join("\n"))?;
    }
    let mut service = Command::new(binary("workload")?);
    let service = service.env("AMQP_URI", uri).args(["serve", "--log", "trace,amiquip=trace"]);
    if is_right {
        let mut program = Program::start(service)?;
        program.wait_for_log("serving", LONG)?;
        program.terminate()?;
        program.wait(LONG)?;
        check("a service", &[program.stdout(), program.stderr()].concat().join("\n"))?;
    } else {
        check_output("a service", service)?;
    }
    for arguments in COMMANDS {
        for by_flag in [true, false] {
            let mut command = Command::new(binary("guirpc")?);
            command.args(*arguments).env("RUST_LOG", "trace");
            if by_flag {
                command.args(["--uri", uri])
            } else {
                command.env("AMQP_URI", uri)
            };
            check_output(&arguments.join(" "), &mut command)?;
        }
        check_output("help", Command::new(binary("guirpc")?).args(*arguments).arg("--help").env("AMQP_URI", uri))?;
    }
    Ok(())
}

/// Each command of `guirpc` that talks to a broker.
const COMMANDS: &[&[&str]] = &[
    &["call", "guirpc-tests", "add", "[1, 2]", "--timeout", "1s"],
    &["send", "guirpc-tests", "add", "[1, 2]", "--timeout", "1s"],
    &["ping", "guirpc-tests", "--timeout", "1s"],
    &["ls"],
    &["info", "guirpc-tests"],
    &["stats", "guirpc-tests"],
    &["top", "--once", "--interval", "10ms"],
    &["bench", "guirpc-tests", "add", "[1, 2]", "--duration", "200ms", "--timeout", "1s"],
    &["doctor", "guirpc-tests"],
    &["contract", "export", "guirpc-tests", "--wait", "100ms"],
    &["contract", "check", "service:guirpc-tests", "--against", "service:guirpc-tests", "--wait", "100ms"],
    &["dead", "list", "guirpc-tests"],
    &["dead", "show", "guirpc-tests", "1"],
    &["dead", "requeue", "guirpc-tests", "--all"],
    &["dead", "drop", "guirpc-tests", "--all"],
];

/// Those that talk to no broker, or to their own.
const OTHERS: &[&str] = &[
    "new",
    "broker",
    "completions",
    "dashboard",
    "initconsumer",
    "initproducer",
    "createconfig",
    "runconsumer",
    "publishone",
];

fn no_password_in_what_is_said_of_mistakes(_: &Embedded) -> anyhow::Result<()> {
    let help = Command::new(binary("guirpc")?).arg("--help").output()?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed: BTreeSet<&str> = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let known = COMMANDS.iter().map(|command| command[0]).chain(OTHERS.iter().copied()).chain(["", "help"]);
    let known: BTreeSet<&str> = known.collect();
    ensure!(listed.is_subset(&known), "a command is not looked at: {listed:?}");

    let folder = TempDir::new()?;
    let mistakes = [
        format!("amqp://ada:{PASSWORD}@127.0.0.1:99999"),
        format!("amqp://ada:/{PASSWORD}@127.0.0.1"),
        format!("amqp://ada:#{PASSWORD}@127.0.0.1"),
        format!("amqp://ada:{PASSWORD}"),
        format!("amqp//ada:{PASSWORD}@127.0.0.1"),
        format!("http://ada:{PASSWORD}@127.0.0.1"),
        format!("amqp://ada:{PASSWORD}@127.0.0.1?nonsense=1"),
        format!("amqp://ada:{PASSWORD}@127.0.0.1,,"),
    ];
    for uri in &mistakes {
        let file = folder.path().join("settings.toml");
        fs::write(&file, format!("[server]\nuri = \"{uri}\"\nworkers = \"{uri}\"\n[client]\nuri = \"{uri}\"\n"))?;
        let service = || anyhow::Ok(Command::new(binary("workload")?));
        check_output(uri, service()?.arg("serve").env("AMQP_URI", uri))?;
        check_output(uri, service()?.args(["serve", "--uri", uri]))?;
        check_output(uri, service()?.args(["serve", "--config"]).arg(&file))?;
        check_output(uri, service()?.arg("serve").env("GUIRPC_WORKERS", uri))?;
        check_output(uri, service()?.args(["serve", "--workers", uri]))?;
        check_output(uri, service()?.args(["serve", "--log", uri]))?;
        for stray in [&["serve"][..], &["--nonsense"], &["dev", "--port"], &[]] {
            check_output(uri, service()?.args(stray).arg(uri))?;
        }
        let command = || anyhow::Ok(Command::new(binary("guirpc")?));
        check_output(uri, command()?.args(["ping", "math", "--uri", uri]))?;
        check_output(uri, command()?.args(["ping", "math"]).env("AMQP_URI", uri))?;
        check_output(uri, command()?.args(["ping", "math", "--config"]).arg(&file))?;
        for stray in [&["ping", "math"][..], &["ping", "math", "--timeout"], &["dead"], &["--nonsense"], &[]] {
            check_output(uri, command()?.args(stray).arg(uri))?;
        }
    }
    Ok(())
}

fn check_output(what: &str, command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = [output.stdout, output.stderr].concat();
    check(what, &String::from_utf8_lossy(&text))
}

/// Neither as it is, nor as bytes that are shown one by one.
fn check(what: &str, output: &str) -> anyhow::Result<()> {
    let bytes: Vec<String> = PASSWORD.bytes().map(|byte| byte.to_string()).collect();
    let at = output.lines().find(|line| line.contains(PASSWORD) || line.contains(&bytes.join(", ")));
    let shown = at.map(|line| line.replace(PASSWORD, "<the password>"));
    ensure!(shown.is_none(), "{what}: {}", shown.unwrap_or_default());
    Ok(())
}
