//! Where RabbitMQ is installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// The folders of RabbitMQ's own scripts: Debian and Fedora, then Homebrew on either processor.
///
/// Not what `PATH` offers: on Debian that is a wrapper which changes to the user `rabbitmq`.
const FOLDERS: [&str; 3] = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"];

/// The folder that holds `rabbitmq-server` and `rabbitmqctl`.
pub(super) fn scripts() -> Result<&'static Path, String> {
    FOLDERS.iter().map(Path::new).find(|folder| folder.join("rabbitmq-server").is_file()).ok_or_else(|| {
        let searched = FOLDERS.join(", ");
        format!(
            "RabbitMQ is not installed (searched {searched}); \
                 run scripts/test, or on Debian: apt-get install -y rabbitmq-server"
        )
    })
}

/// What is installed: `3.10.8`.
pub(super) fn version() -> anyhow::Result<String> {
    let program = scripts().map_err(anyhow::Error::msg)?.join("rabbitmqctl");
    let output = Command::new(program).args(["--silent", "version"]).output().context("cannot run rabbitmqctl")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(output.status.success() && !version.is_empty(), "rabbitmqctl does not tell its version");
    Ok(version)
}
