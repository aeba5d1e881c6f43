//! The original: guirpc for Python, its producer and its consumer as programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Program, eventually};
use percent_encoding::percent_decode_str;

/// For what takes moments, on a machine that is busy with other things.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// For the whole suite, each of whose calls has a deadline of its own.
const SUITE: Duration = Duration::from_mins(5);
/// The exchange of both consumers, which is the default of the original's command line.
pub(crate) const EXCHANGE: &str = "rpc_gateway";
/// The queue of both, and its routing key.
pub(crate) const QUEUE: &str = "my_queue";

/// Why the original is not there, if it is not.
pub(crate) fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<bool> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        let import = venv()
            .map(|venv| Command::new(venv.join("bin/python")).args(["-c", "import guirpc.amqp.decorators"]).output());
        !matches!(import, Ok(Ok(output)) if output.status.success())
    });
    missing.then_some("needs guirpc for Python: run scripts/test")
}

/// Where `scripts/test` installs it.
fn venv() -> anyhow::Result<PathBuf> {
    let test = env::current_exe()?;
    // target/debug/deps/NAME-HASH
    Ok(test.ancestors().nth(3).context("a test is in target")?.join("guirpc-0.1"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

/// Adds where the broker is, in the words of both scripts.
fn at<'a>(command: &'a mut Command, broker: &dyn Broker) -> anyhow::Result<&'a mut Command> {
    let uri = broker.uri();
    let (_, vhost) = uri.rsplit_once('/').context("its URI has a path")?;
    let vhost = percent_decode_str(vhost).decode_utf8()?.into_owned();
    let port = broker.port().to_string();
    Ok(command.arg("--venv").arg(venv()?).args(["--port", &port, "--vhost", &vhost, "--exchange", EXCHANGE]))
}

/// Has the original's producer call whoever consumes; gives what it says, of which the last line counts the cases.
///
/// # Errors
/// A case failed; shows what the suite said of each.
pub(crate) fn suite(broker: &dyn Broker, options: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(venv()?.join("bin/python"));
    let command = at(command.arg(script("py_client_suite.py")), broker)?;
    let mut suite = Program::start(command.args(["--routing-key", QUEUE]).args(options))?;
    let status = suite.wait(SUITE)?;
    // Both streams end with the program, and their readers a moment later.
    eventually(LONG, || Ok(suite.stdout().last().is_some_and(|line| line.ends_with("failed"))))?;
    let lines = suite.stdout();
    ensure!(status.success(), "the suite fails\n{}\n{}", lines.join("\n"), suite.stderr().join("\n"));
    Ok(lines)
}

/// The original's consumer, serving; it ends with this value.
pub(crate) struct Consumer(Program);

impl Consumer {
    pub(crate) fn start(broker: &dyn Broker) -> anyhow::Result<Self> {
        Self::start_on(broker, QUEUE)
    }

    pub(crate) fn start_on(broker: &dyn Broker, queue: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(script("py_server.sh"));
        let consumer = Self(Program::start(at(&mut command, broker)?.args(["--queue", queue]))?);
        eventually(LONG, || Ok(broker.queue(queue)?.is_some_and(|queue| queue.consumers == 1)))
            .with_context(|| consumer.0.stderr().join("\n"))?;
        Ok(consumer)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // The script ends Python, which a killed script could not.
        let _ = self.0.terminate();
        let _ = self.0.wait(LONG);
    }
}
