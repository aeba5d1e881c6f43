//! The commands of the Python original: what they write is built, run and called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Program, binary, outside_of_cargo};
use tempfile::TempDir;

use crate::new::{CHECKOUT, cargo, target};
use crate::run::{check, guirpc, run};
use crate::{LONG, ask};

/// A package that one of the commands has written, with its file of settings beside it.
struct Written {
    folder: TempDir,
    name: String,
}

impl Written {
    fn by(command: &str, broker: &dyn Broker, options: &[&str]) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        // The target folder is shared with other runs of this test; no two brokers have one port.
        let name = format!("{}-{}", command.trim_start_matches("init"), broker.port());
        let line = [command, &name, "--guirpc-path", CHECKOUT, "--connect", &broker.uri()];
        check(&run(guirpc()?.current_dir(&folder).args(line).args(options))?, 0, &format!("{name}.ini"))?;
        // The versions that are there already, since a test downloads nothing.
        fs::copy(Path::new(CHECKOUT).join("Cargo.lock"), folder.path().join(&name).join("Cargo.lock"))?;
        Ok(Written { folder, name })
    }

    fn package(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    fn ini(&self) -> PathBuf {
        self.folder.path().join(format!("{}.ini", self.name))
    }

    /// Takes it away from the shared target folder: else every run would leave its own behind.
    fn clean(self) -> anyhow::Result<()> {
        cargo(&self.package(), &["clean", "--package", &self.name], "").map(drop)
    }
}

/// The command that runs what a file of settings belongs to.
fn runconsumer(ini: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(binary("guirpc")?);
    outside_of_cargo(&mut command).args(["runconsumer", "-c"]).arg(ini).env_remove("AMQP_URI");
    command.env("CARGO_TARGET_DIR", target()?).env("CARGO_NET_OFFLINE", "true");
    Ok(command)
}

pub(crate) fn consumer_and_producer_understand_each_other(broker: &dyn Broker) -> anyhow::Result<()> {
    let consumer = Written::by("initconsumer", broker, &["-q", "foobars", "-r", "foobars"])?;
    let tested = cargo(&consumer.package(), &["test"], "")?;
    ensure!(tested.contains("2 passed"), "{tested}");

    // From another folder: what the file's `root` names is seen from the file.
    let mut service = Program::start(runconsumer(&consumer.ini())?.current_dir("/").args(["--", "--workers", "2"]))?;
    // It is built first.
    service.wait_for_log("serving", Duration::from_mins(5))?;
    let road = ["--dialect", "python", "--routing-key", "foobars"];
    let call = |arguments: &[&str]| ask(broker, &[&["call", "foobar"], arguments, &road].concat());
    check(&call(&["foobar_sum", r#"{"foo": 1, "bar": 2}"#])?, 0, r#"{"result":3}"#)?;
    check(&call(&["foobar_count", "My name is foo and I love bars", "--serializer", "text"])?, 0, "2\n")?;
    check(&call(&["foobar_count", "foo", "--serializer", "text"])?, 3, "[ValidationError] Invalid sentence")?;
    check(&call(&["foobar_sum", r#"{"foo": 1}"#])?, 3, "'bar' field is required.")?;

    let publish = |arguments: &[&str]| ask(broker, &[&["publishone", "rpc_gateway"], arguments].concat());
    check(&publish(&["foobars", r#"{"foo": 3, "bar": 2}"#, "--function", "foobar_sum"])?, 0, r#"{"result":5}"#)?;
    let text = ["foobars", "My name is foo and I love bars", "--function", "foobar_count", "--serializer", "text"];
    check(&publish(&text)?, 0, "2\n")?;
    // Nobody is asked for, so nobody runs.
    check(&publish(&["foobars", "hello"])?, 0, "Published to exchange `rpc_gateway` with routing key `foobars`")?;
    check(&publish(&["elsewhere", "hello"])?, 7, "elsewhere")?;
    check(&ask(broker, &["publishone", "nowhere", "foobars", "hello"])?, 7, "error: ")?;

    let producer = Written::by("initproducer", broker, &["-r", "foobars", "-p", "tests"])?;
    cargo(&producer.package(), &["build"], "")?;
    let mut client = Command::new(target()?.join("debug").join(&producer.name));
    let said = client.env("PRODUCER_CONFIG", producer.ini()).env_remove("AMQP_URI").output()?;
    ensure!(String::from_utf8_lossy(&said.stdout) == "foobar_sum: 3\nfoobar_count: 2\n", "{said:?}");
    let line = ["call", "foobar", "foobar_sum", r#"{"foo": 2, "bar": 2}"#, "-c"];
    check(&run(guirpc()?.args(line).arg(producer.ini()))?, 0, r#"{"result":4}"#)?;

    // Signals and the exit code are the service's own.
    service.terminate()?;
    let status = service.wait(LONG)?;
    ensure!(status.code() == Some(0), "{status}\n{}", service.stderr().join("\n"));
    producer.clean()?;
    consumer.clean()
}

pub(crate) fn runconsumer_ends_as_the_service_does(broker: &dyn Broker) -> anyhow::Result<()> {
    // A package that is there already: the file says which.
    let folder = TempDir::new()?;
    let ini = folder.path().join("hello.ini");
    let hello = Path::new(CHECKOUT).join("examples/hello").canonicalize()?;
    fs::write(&ini, format!("[server]\nroot = {}\n", hello.to_str().context("it is UTF-8")?))?;
    let ended = runconsumer(&ini)?.env("AMQP_URI", broker.uri_for("guest", "wrong", "/")).output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.code() == Some(4) && said.contains("refused user `guest`"), "{ended:?}");
    let list = runconsumer(&ini)?.args(["--", "list"]).output()?;
    ensure!(list.status.success() && String::from_utf8_lossy(&list.stdout).contains("hello.add"), "{list:?}");
    Ok(())
}
