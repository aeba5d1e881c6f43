//! A program of the workspace under observation: what it writes, how it takes signals, how it ends.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::eventually;
use crate::transcript::Transcript;

/// How long what a program wrote last may take to be read, on a machine that is busy with other things.
const LAST_LINES: Duration = Duration::from_secs(5);

/// A running program; it is killed when this value is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdout: Arc<Transcript>,
    stderr: Arc<Transcript>,
}

impl Program {
    /// Starts it with nothing on its standard input.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = Path::new(command.get_program()).display().to_string();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (stdout, stderr) = <(Arc<Transcript>, Arc<Transcript>)>::default();
        stdout.follow(child.stdout.take().context("it is piped")?);
        stderr.follow(child.stderr.take().context("it is piped")?);
        Ok(Self { name, child, stdout, stderr })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on its standard output that contains the text.
    pub fn wait_for_line(&self, text: &str, timeout: Duration) -> anyhow::Result<String> {
        self.wait_for(&self.stdout, text, timeout)
    }

    /// Waits for a line on its standard error, where logs go, that contains the text.
    pub fn wait_for_log(&self, text: &str, timeout: Duration) -> anyhow::Result<String> {
        self.wait_for(&self.stderr, text, timeout)
    }

    /// The lines of its standard output until now.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lines()
    }

    /// The lines of its standard error until now.
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lines()
    }

    /// Sends SIGTERM: leave in good order.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Sends SIGINT, what Ctrl-C sends.
    pub fn interrupt(&self) -> anyhow::Result<()> {
        self.signal(Signal::INT)
    }

    /// Sends SIGKILL: a crash that no program can soften.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Waits for its end, and for what it wrote.
    ///
    /// # Errors
    ///
    /// When it is still running after `timeout`, with what it wrote.
    pub fn wait(&mut self, timeout: Duration) -> anyhow::Result<ExitStatus> {
        let mut status = None;
        let ended = eventually(timeout, || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        });
        if let Err(error) = ended {
            let name = &self.name;
            return Err(error.context(format!("{name} does not end\n{}", self.report())));
        }
        // Unless a child of its own goes on writing.
        for stream in [&self.stdout, &self.stderr] {
            stream.wait_for_end(LAST_LINES);
        }
        status.context("a program that ended has a status")
    }

    fn wait_for(&self, stream: &Transcript, text: &str, timeout: Duration) -> anyhow::Result<String> {
        match stream.wait_for(timeout, |line| line.contains(text)) {
            Ok(line) => Ok(line),
            Err(why) => {
                let name = &self.name;
                bail!("no line with `{text}` from {name}: {why}\n{}", self.report())
            }
        }
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        // A child that was not waited for keeps its id, so this never hits a stranger.
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    fn report(&self) -> String {
        let (stdout, stderr) = (self.stdout().join("\n"), self.stderr().join("\n"));
        format!("--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a binary of the workspace (an example, the command), built from the sources as they are.
///
/// Cargo builds the binaries of other packages for no test, so this asks for them, once per test binary.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let path = folder.as_ref().map_err(|error| anyhow!("{error}"))?;
    let path = path.join(name).with_extension(env::consts::EXE_EXTENSION);
    ensure!(path.exists(), "no binary {} in the workspace", path.display());
    Ok(path)
}

/// Takes from a command what cargo tells a test of its package.
///
/// Whatever runs cargo needs that: ring is built anew, and with it what depends on it, where these variables differ.
pub fn outside_of_cargo(command: &mut Command) -> &mut Command {
    for (variable, _) in env::vars_os() {
        let text = variable.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// Builds all binaries of the workspace in the profile of the running test; gives their folder.
fn build() -> anyhow::Result<PathBuf> {
    let test = env::current_exe()?;
    // target/debug/deps/NAME-HASH
    let folder = test.ancestors().nth(2).context("a test is in target")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    outside_of_cargo(&mut cargo);
    // All at once: the features of the dependencies are then always the same, and nothing is built twice.
    cargo.args(["build", "--workspace", "--bins", "--locked", "--quiet"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "the binaries of the workspace do not build");
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_binary_of_the_workspace_is_found() {
        assert!(binary("guirpc").unwrap().is_file());
        assert!(binary("no-such-binary").is_err());
    }

    fn shell(script: &str) -> Program {
        Program::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn a_line_is_awaited_on_its_own_stream() {
        let program = shell("echo out; echo log >&2; sleep 60");
        assert_eq!(program.wait_for_line("ou", LONG).unwrap(), "out");
        assert_eq!(program.wait_for_log("lo", LONG).unwrap(), "log");
    }

    #[test]
    fn all_that_was_written_is_there_at_the_end() {
        let mut program = shell("seq 20000; seq 20000 >&2");
        assert!(program.wait(LONG).unwrap().success());
        for lines in [program.stdout(), program.stderr()] {
            assert_eq!(lines.last().map(String::as_str), Some("20000"));
        }
    }

    #[test]
    fn a_missing_line_shows_what_was_written() {
        let error = shell("echo oops >&2").wait_for_line("ready", LONG).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`ready`") && error.contains("ended first"), "{error}");
    }

    #[test]
    fn a_signal_arrives() {
        let mut program = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        program.wait_for_line("ready", LONG).unwrap();
        program.terminate().unwrap();
        assert_eq!(program.wait(LONG).unwrap().code(), Some(7));
    }

    #[test]
    fn a_program_that_does_not_end_is_an_error() {
        let mut program = shell("exec sleep 60");
        assert!(program.wait(Duration::ZERO).is_err());
        program.kill().unwrap();
        assert_eq!(program.wait(LONG).unwrap().code(), None);
    }
}
