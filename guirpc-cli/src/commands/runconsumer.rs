//! `guirpc runconsumer`: builds and runs the service that a file of settings belongs to.

use std::env;
use std::path::{Path, PathBuf, absolute};
use std::process::Command;

use guirpc::__private_0_1::package_of;

use crate::args::RunConsumer;
use crate::failure::Failure;

/// What names the file if the command line does not; the first that is set counts.
const VARIABLES: [&str; 3] = ["GUIRPC_CONFIG", "CONSUMER_CONFIG", "CONSUMER_CONFIG_FILEPATH"];

pub(super) fn run(consumer: &RunConsumer) -> Result<(), Failure> {
    let file = file(consumer)?;
    let manifest = manifest(&package_of(&file)?)?;
    let file = absolute(&file).map_err(|error| Failure::other(format!("cannot find `{}`: {error}", file.display())))?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--manifest-path"]).arg(manifest).args(["--", "--config"]).arg(file);
    // The package's own `.cargo/config.toml` counts in its folder only.
    cargo.args(&consumer.arguments).env("CARGO_FUTURE_INCOMPAT_REPORT_FREQUENCY", "never");
    become_it(cargo)
}

fn file(consumer: &RunConsumer) -> Result<PathBuf, Failure> {
    let named = || VARIABLES.into_iter().find_map(|name| env::var_os(name).filter(|file| !file.is_empty()));
    consumer.config.clone().or_else(|| named().map(PathBuf::from)).ok_or_else(|| {
        Failure::usage(format!("no file of settings is named: `--with-config` does, or {}", VARIABLES.join(", ")))
    })
}

/// The manifest of the package that the file's `root` names.
fn manifest(root: &Path) -> Result<PathBuf, Failure> {
    let manifest = if root.is_dir() { root.join("Cargo.toml") } else { root.to_owned() };
    if manifest.is_file() && manifest.file_name() == Some("Cargo.toml".as_ref()) {
        return Ok(manifest);
    }
    let hint = match root.extension() {
        Some(end) if end == "py" => {
            "a program in Python runs with the guirpc of Python; `guirpc initconsumer` writes one in Rust"
        }
        _ => "`root` in [server] is the folder of a package, seen from the file, or its `Cargo.toml`",
    };
    Err(Failure::usage(format!("there is no package to run at `{}`: {hint}", root.display())))
}

/// Cargo takes the place of this process, and the service that of Cargo: signals and the exit code are its own.
#[cfg(unix)]
fn become_it(mut cargo: Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;

    Err(Failure::other(format!("cannot run cargo: {}", cargo.exec())))
}

/// Waits for it; on a console a signal reaches both.
#[cfg(not(unix))]
fn become_it(mut cargo: Command) -> Result<(), Failure> {
    let ended = cargo.status().map_err(|error| Failure::other(format!("cannot run cargo: {error}")))?;
    std::process::exit(ended.code().unwrap_or(1))
}
