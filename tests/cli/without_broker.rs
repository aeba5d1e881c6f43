//! What the `guirpc` command does on its own: usage, scaffolding up to the first build, an absent broker.

mod run;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use anyhow::Context;
use harness::binary;
use run::{check, guirpc, run};
use tempfile::TempDir;

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Runs the command in a folder and checks how it ended.
fn check_in(folder: &Path, arguments: &[&str], code: i32, text: &str) -> anyhow::Result<()> {
    let ended = run(guirpc()?.current_dir(folder).args(arguments))?;
    check(&ended, code, text).with_context(|| format!("guirpc {}", arguments.join(" ")))
}

fn check_usage(arguments: &[&str], text: &str) -> anyhow::Result<()> {
    check_in(Path::new("."), arguments, 2, text)
}

#[test]
fn arguments_that_are_no_json_are_refused_before_anything_is_connected() -> anyhow::Result<()> {
    // No broker has this port, so a connection would end with another code.
    let uri = "--uri=amqp://127.0.0.1:1";
    check_usage(&["call", uri, "math", "add", "{a: 1}"], "the arguments are not JSON: key must be a string")?;
    check_usage(&["call", uri, "math", "add", "1"], "the arguments cannot be `1`; write an object")?;
    check_usage(&["send", uri, "math", "add", "\"a\""], "the arguments cannot be `\"a\"`; write an object")?;
    let empty = run(guirpc()?.args(["call", uri, "math", "add", "-"]).write_stdin(""))?;
    check(&empty, 2, "the arguments are not JSON: EOF")
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_2() -> anyhow::Result<()> {
    check_usage(&["cal"], "unrecognized subcommand")?;
    check_usage(&["call", "math"], "<FUNCTION>")?;
    check_usage(&["call", "math", "add", "--header", "tenant"], "NAME=VALUE")?;
    check_usage(&["call", "math", "add", "--timeout", "soon"], "--timeout")?;
    check_usage(&["call", "math", "add", "--serializer", "text"], "`--serializer` belongs to `--dialect python`")?;
    check_usage(
        &["call", "math", "add", "--lane", "a", "--dialect", "python"],
        "`--lane` belongs to `--dialect native`",
    )?;
    check_usage(&["send", "math", "add", "--priority", "256"], "--priority")?;
    check_usage(&["call", "math", "add", "foo bar", "--dialect", "python"], "a text as '\"text\"'")?;
    check_usage(&["ping", "math", "--uri", "http://localhost"], "amqp://")
}

#[test]
fn a_broker_that_is_not_there_ends_with_4() -> anyhow::Result<()> {
    // Bound and given back: nobody listens there now.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let uri = format!("amqp://guest:secret@127.0.0.1:{port}");
    let ended = run(guirpc()?.env("AMQP_URI", &uri).args(["call", "math", "add"]))?;
    check(&ended, 4, &port.to_string())?;
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
    Ok(())
}

#[test]
fn attempts_to_reach_a_broker_that_is_away_are_told_once_a_while() -> anyhow::Result<()> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let uri = format!("amqp://127.0.0.1:{port}");
    let mut service = assert_cmd::Command::new(binary("workload")?);
    let ended = run(service.args(["--uri", &uri, "--wait", "4s"]))?;
    check(&ended, 4, &port.to_string())?;
    let told = ended.stderr.lines().filter(|line| line.contains("trying again")).count();
    // Once by each of its two lanes.
    assert_eq!(told, 2, "{ended:?}");
    Ok(())
}

#[test]
fn a_filter_of_the_log_that_is_none_is_refused() -> anyhow::Result<()> {
    for filter in ["nonsense", "info,my_crate=loud", "my crate=info", ""] {
        let mut service = assert_cmd::Command::new(binary("workload")?);
        check(&run(service.args(["--log", filter]))?, 2, "a level (`off`, `error`, `warn`, `info`, `debug`, `trace`)")?;
        let mut service = assert_cmd::Command::new(binary("workload")?);
        if !filter.is_empty() {
            check(&run(service.env("GUIRPC_LOG", filter))?, 2, "my_crate=debug")?;
        }
    }
    Ok(())
}

#[test]
fn help_tells_the_exit_codes_and_no_password() -> anyhow::Result<()> {
    for command in ["call", "send", "ping", "bench"] {
        let ended = run(guirpc()?.env("AMQP_URI", "amqp://guest:secret@localhost").args([command, "--help"]))?;
        check(&ended, 0, "  7  no queue takes calls for the service")?;
        assert!(!ended.stdout.contains("secret"), "{ended:?}");
    }
    let mut service = assert_cmd::Command::new(binary("workload")?);
    let ended = run(service.env("AMQP_URI", "amqp://guest:secret@localhost").arg("--help"))?;
    check(&ended, 0, "amqp://user:password@host")?;
    assert!(!ended.stdout.contains("secret"), "{ended:?}");
    Ok(())
}

#[test]
fn completions_are_there_for_the_usual_shells() -> anyhow::Result<()> {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        check_in(Path::new("."), &["completions", shell], 0, "guirpc-path")?;
    }
    check_usage(&["completions", "tcsh"], "possible values")
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() -> anyhow::Result<()> {
    let (reader, writer) = io::pipe()?;
    drop(reader);
    let output = Command::new(binary("guirpc")?).args(["completions", "bash"]).stdout(writer).output()?;
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Ok(())
}

#[test]
fn a_new_package_depends_on_the_checkout_that_made_it() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let library = Path::new(CHECKOUT).join("guirpc").canonicalize()?;
    for (command, name) in [("new", "my-service"), ("initconsumer", "consumer"), ("initproducer", "producer")] {
        check_in(folder.path(), &[command, name], 0, name)?;
        let manifest = fs::read_to_string(folder.path().join(name).join("Cargo.toml"))?;
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{manifest}");
        assert!(manifest.contains(&format!("guirpc = {{ path = \"{}\"", library.display())), "{manifest}");
    }
    Ok(())
}

#[test]
fn a_new_package_joins_the_workspace_around_it() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let manifest = folder.path().join("Cargo.toml");
    fs::write(&manifest, "[workspace]\nresolver = \"3\"\nmembers = [] # ours\n")?;
    check_in(folder.path(), &["new", "shop"], 0, "shop")?;
    check_in(folder.path(), &["new", "math"], 0, "math")?;
    let text = fs::read_to_string(&manifest)?;
    assert_eq!(text, "[workspace]\nresolver = \"3\"\nmembers = [\"shop\", \"math\"] # ours\n");
    let mut cargo = Command::new(env!("CARGO"));
    let metadata = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let output = cargo.args(metadata).current_dir(folder.path().join("shop")).output()?;
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout)?.contains("math/src/main.rs"));
    Ok(())
}

#[test]
fn a_checkout_is_given_by_its_root_or_by_the_folder_of_the_library() -> anyhow::Result<()> {
    let library = Path::new(CHECKOUT).join("guirpc").canonicalize()?;
    for (name, path) in [("one", CHECKOUT.to_owned()), ("two", format!("{CHECKOUT}/guirpc"))] {
        let folder = TempDir::new()?;
        check_in(folder.path(), &["new", name, "--guirpc-path", &path], 0, name)?;
        let manifest = fs::read_to_string(folder.path().join(name).join("Cargo.toml"))?;
        assert!(manifest.contains(&format!("guirpc = {{ path = \"{}\" }}", library.display())), "{manifest}");
    }
    Ok(())
}

#[test]
fn nothing_is_written_when_something_is_wrong() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let check = |arguments: &[&str], code, text| check_in(folder.path(), arguments, code, text);
    check(&["new", "2fast"], 2, "does not begin with a letter; a name begins with a letter and has")?;
    check(&["new", "match"], 2, "a keyword of Rust")?;
    check(&["new", "a b"], 2, "a character that does not belong there")?;
    check(&["new", "math", "--guirpc-path", "/no/such"], 2, "`/no/such` is no checkout of guirpc")?;
    check(&["new", "missing/math"], 1, "cannot create `missing/math`")?;
    assert_eq!(fs::read_dir(&folder)?.count(), 0);
    Ok(())
}

#[test]
fn an_existing_folder_is_left_as_it_is() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let existing = folder.path().join("math");
    fs::create_dir(&existing)?;
    check_in(folder.path(), &["new", "math"], 2, "`math` exists already, and is left as it is")?;
    assert_eq!(fs::read_dir(&existing)?.count(), 0);
    Ok(())
}

#[test]
fn what_the_commands_of_the_original_write_is_what_it_wrote() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let at = |name: &str| folder.path().join(name);
    check_in(folder.path(), &["createconfig", "foobar"], 0, "settings of a server, foobar.ini")?;
    let original = fs::read_to_string(Path::new(CHECKOUT).join("tests/interop/files/consumer.ini"))?;
    // A package has no file to name, and the second version of the original has one more option.
    let expected = original.replace("foobar/server.py", "foobar");
    let expected = expected.replace("prefetch_count = 1\n", "prefetch_count = 1\nmax_workers = 4\n");
    assert_eq!(fs::read_to_string(at("foobar.ini"))?.trim_end(), expected.trim_end());

    fs::create_dir(at("out"))?;
    let line = ["createconfig", "foobar", "--client", "-o", "out", "-U", "ada:a%40b@broker/math"];
    check_in(folder.path(), &line, 0, "settings of a client, out/foobar.ini")?;
    let original = fs::read_to_string(Path::new(CHECKOUT).join("tests/interop/files/producer.ini"))?;
    let expected = original.replace("foobar/client.py", "foobar").replace("localhost", "broker");
    let expected = expected.replace("user = guest", "user = ada");
    let expected = expected.replace("password = guest\n", "password = a%%40b\nvhost = math\n");
    assert_eq!(fs::read_to_string(at("out/foobar.ini"))?.trim_end(), expected.trim_end());

    check_in(folder.path(), &["createconfig", "any", "--connect", ""], 0, "any.ini")?;
    assert!(!fs::read_to_string(at("any.ini"))?.contains("connection"));
    Ok(())
}

#[test]
fn the_commands_of_the_original_leave_what_is_there_as_it_is() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let check = |arguments: &[&str], code, text| check_in(folder.path(), arguments, code, text);
    fs::create_dir(folder.path().join("math"))?;
    fs::write(folder.path().join("math/server.py"), "precious")?;
    fs::write(folder.path().join("shop.ini"), "precious")?;
    for command in ["initconsumer", "initproducer"] {
        check(&[command, "math"], 2, "`math` exists already, and is left as it is")?;
        check(&[command, "shop"], 2, "`shop.ini` exists already, and is left as it is")?;
        check(&[command, "2fast"], 2, "does not begin with a letter")?;
    }
    check(&["createconfig", "shop"], 2, "`shop.ini` exists already, and is left as it is")?;
    check(&["createconfig", "a/b"], 2, "cannot be the name of a file")?;
    check(&["createconfig", "x", "-o", "missing"], 1, "cannot create `missing/x.ini`")?;
    check(&["createconfig", "x", "-U", "guest:secret"], 2, "`user:password@host:port`")?;
    check(&["initconsumer", "x", "-t", "headers"], 2, "possible values: direct, fanout, topic")?;
    check(&["initconsumer", "x", "-q", "a\nb"], 2, "line breaks")?;
    assert_eq!(fs::read_to_string(folder.path().join("math/server.py"))?, "precious");
    assert_eq!(fs::read_to_string(folder.path().join("shop.ini"))?, "precious");
    assert_eq!(fs::read_dir(folder.path())?.count(), 2);
    Ok(())
}

#[test]
fn a_file_without_a_package_is_not_run() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let check = |file: &str, text: &str, says: &str| {
        fs::write(folder.path().join(file), text)?;
        check_in(folder.path(), &["runconsumer", "--with-config", file], 2, says)
    };
    check("a.ini", "[server]\nroot = foobar/server.py\n", "`guirpc initconsumer` writes one in Rust")?;
    check("a.ini", "[server]\nroot = foobar\n", "there is no package to run at `foobar`")?;
    check("a.ini", "[server]\n", "`root` in [server] is missing")?;
    check("a.toml", "", "only an INI file has a `root`")?;
    check_in(folder.path(), &["runconsumer", "-c", "b.ini"], 2, "cannot read the settings in `b.ini`")?;
    let ended = run(guirpc()?.current_dir(folder.path()).env("CONSUMER_CONFIG", "c.ini").arg("runconsumer"))?;
    run::check(&ended, 2, "`c.ini`")?;
    check_in(folder.path(), &["runconsumer"], 2, "CONSUMER_CONFIG_FILEPATH")
}
