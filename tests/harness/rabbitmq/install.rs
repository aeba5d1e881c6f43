//! Where RabbitMQ is installed.

use std::path::Path;

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
