//! Where RabbitMQ is installed: on this system, or in a folder that holds another one.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The folders of RabbitMQ's own scripts: Debian and Fedora, then Homebrew on either processor.
///
/// Not what `PATH` offers: on Debian that is a wrapper which changes to the user `rabbitmq`.
const FOLDERS: [&str; 3] = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"];
/// Names a folder with the root of a system whose RabbitMQ is to be used, as `scripts/rabbitmq-4` makes one.
const ROOT: &str = "GUIRPC_TEST_RABBITMQ_ROOT";
/// Runs a program in another root, where it finds our temporary files in the same place; nothing is left mounted.
///
/// Each program is replaced by the next, so that all are one process.
const ENTER: &str = r#"
    root=$0 temporary=$1
    shift
    mount -t proc proc "$root/proc"
    mkdir -p "$root$temporary"
    mount --bind "$temporary" "$root$temporary"
    exec chroot "$root" "$@"
"#;

/// What is installed.
#[derive(Debug)]
pub(super) struct Installation {
    root: Option<PathBuf>,
    /// Holds `rabbitmq-server` and `rabbitmqctl`.
    scripts: &'static Path,
}

impl Installation {
    pub(super) fn find() -> Result<Self, String> {
        let root = env::var_os(ROOT).map(PathBuf::from);
        let within = root.as_deref().unwrap_or(Path::new("/"));
        let is_there =
            |folder: &Path| within.join(folder.strip_prefix("/").unwrap_or(folder)).join("rabbitmq-server").is_file();
        let scripts = FOLDERS.iter().map(Path::new).find(|folder| is_there(folder)).ok_or_else(|| {
            let (searched, within) = (FOLDERS.join(", "), within.display());
            format!(
                "RabbitMQ is not installed (searched {searched} in {within}); \
                 run scripts/test, or on Debian: apt-get install -y rabbitmq-server"
            )
        })?;
        Ok(Installation { root, scripts })
    }

    /// One of RabbitMQ's scripts.
    pub(super) fn script(&self, name: &str) -> Command {
        let script = self.scripts.join(name);
        let Some(root) = &self.root else { return Command::new(script) };
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", ENTER]).arg(root).arg(env::temp_dir()).arg(script);
        command
    }

    /// `3.10.8`.
    pub(super) fn version(&self) -> anyhow::Result<String> {
        let output = self.script("rabbitmqctl").args(["--silent", "version"]).output();
        let output = output.context("cannot run rabbitmqctl")?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(output.status.success() && !version.is_empty(), "rabbitmqctl does not tell its version");
        Ok(version)
    }
}
