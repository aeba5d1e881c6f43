//! Running the `guirpc` command, and checking how it ended.

use anyhow::{Context, ensure};
use assert_cmd::Command;
use harness::binary;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command, in an environment that says nothing of any broker.
pub(crate) fn guirpc() -> anyhow::Result<Command> {
    let mut command = Command::new(binary("guirpc")?);
    command.env_remove("AMQP_URI");
    Ok(command)
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Ended> {
    let output = command.output()?;
    Ok(Ended {
        code: output.status.code().context("it was killed")?,
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// Fails unless it ended so: an exit code above 0 means one error on stderr, and nothing on stdout.
pub(crate) fn check(ended: &Ended, code: i32, text: &str) -> anyhow::Result<()> {
    let (says, silent) = if code == 0 { (&ended.stdout, &ended.stderr) } else { (&ended.stderr, &ended.stdout) };
    ensure!(ended.code == code, "expected exit code {code} with `{text}`: {ended:?}");
    ensure!(says.contains(text), "`{text}` is not said: {ended:?}");
    ensure!(silent.is_empty(), "too much is said: {ended:?}");
    ensure!(code == 0 || says.matches("error:").count() == 1, "an error is said once: {ended:?}");
    Ok(())
}
