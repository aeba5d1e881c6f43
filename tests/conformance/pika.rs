//! Cases with pika, Python's client: each is a function of `pika_client.py`, which writes a line for all that it sees.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::names::Names;
use crate::play::Address;

/// The environment variable that names a Python with pika.
const PYTHON: &str = "GUIRPC_TEST_PYTHON";

/// The version whose words the transcripts hold.
const RECORDED: &str = "1.3.2";

/// Why pika is not there, if it is not.
pub(crate) fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<Option<&'static str>> = OnceLock::new();
    *MISSING.get_or_init(|| {
        let version = Command::new(python()).args(["-c", "import pika; print(pika.__version__)"]).output();
        match version {
            Err(_) => Some("needs python3"),
            Ok(output) => (output.stdout.trim_ascii() != RECORDED.as_bytes())
                .then_some("needs pika 1.3.2 for Python: run scripts/test"),
        }
    })
}

/// The names of its cases.
pub(crate) fn cases() -> Result<Vec<String>> {
    run(&["--list"])
}

/// Plays a case; gives what its client saw.
pub(crate) fn play(name: &str, address: &Address) -> Result<Vec<String>> {
    let mut names = Names::of(&address.vhost);
    Ok(run(&[name, &address.uri()])?.iter().map(|line| names.hide(line)).collect())
}

fn run(arguments: &[&str]) -> Result<Vec<String>> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance/pika_client.py");
    let output = Command::new(python()).arg(script).args(arguments).output().context("cannot start python3")?;
    let stdout = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "it failed after\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
    Ok(stdout.lines().map(str::to_owned).collect())
}

fn python() -> PathBuf {
    env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from)
}
