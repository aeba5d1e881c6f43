//! What this machine and its settings say, without a broker.

use guirpc::inspect::ServerSettings;

use super::finding::Finding;

/// A server has two connections for each lane, a client one; systems usually allow 1,024 files or more.
const FEW_FILES: u64 = 1024;

/// How many files this user's processes may have open; connections are some.
pub(super) fn open_files() -> Option<Finding> {
    const CHECK: &str = "machine.open-files";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    // Without one there is none to be reached.
    let current = limit.current?;
    let most = limit.maximum.map_or("any number".to_owned(), |maximum| maximum.to_string());
    let found = format!("a process of this user may have {current} files open, and raise that to {most}");
    if current >= FEW_FILES {
        return Some(Finding::ok(CHECK, found));
    }
    Some(
        Finding::warning(CHECK, found)
            .means("connections are open files: when there are no more, neither servers nor clients can connect again")
            .advise("`ulimit -n 4096` before the service, or `LimitNOFILE=4096` in its unit"),
    )
}

/// Settings of a server on this machine that work against each other.
pub(super) fn conflicts(settings: &ServerSettings) -> Vec<Finding> {
    const CHECK: &str = "settings.server";
    let conflicts = settings.conflicts();
    if conflicts.is_empty() {
        return vec![Finding::ok(
            CHECK,
            "a server that is started with this file and this environment has settings that agree",
        )];
    }
    let finding = |conflict: guirpc::inspect::Conflict| {
        Finding::warning(CHECK, conflict.found).means(conflict.meaning).advise(conflict.advice)
    };
    conflicts.into_iter().map(finding).collect()
}
