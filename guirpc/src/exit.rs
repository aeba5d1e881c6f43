//! How a process ends: the exit codes of a service with `guirpc::main!` and of the command `guirpc`, in one table.

use crate::error::ErrorKind;

/// Why a process ends; the number is its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Done = 0,
    /// Something that has no code of its own.
    Other = 1,
    /// What was typed or set cannot be understood.
    Usage = 2,
    /// The function ran and failed.
    Function = 3,
    /// There is no broker that works.
    Broker = 4,
    /// The service refused the request.
    Refused = 5,
    /// The time was up.
    TimeUp = 6,
    /// No queue takes the request.
    Unroutable = 7,
    /// The program is put together wrongly.
    Setup = 8,
    /// An exchange or a queue is missing, or declared differently.
    Topology = 9,
    /// Worse than an earlier run.
    Regression = 10,
    /// Everything works, and something needs attention.
    Warning = 11,
    /// A contract breaks those who keep to the old one.
    Breaking = 12,
}

/// All of them but those of signals, with what they mean.
const MEANINGS: [(Exit, &str); 13] = [
    (Exit::Done, "done; a service: stopped by SIGTERM or SIGINT, with all that had begun finished"),
    (Exit::Other, "something else: the system refused something, a reply cannot be understood"),
    (Exit::Usage, "the command line, the arguments, a setting, a URI or a file cannot be understood"),
    (Exit::Function, "the function ran and returned its own error (printed as JSON) or a fault"),
    (Exit::Broker, "the broker cannot be reached, refuses the user or vhost, or takes no messages"),
    (Exit::Refused, "the service refused: it has no such function, or the arguments do not fit it"),
    (Exit::TimeUp, "no answer in time, it may have run; a service: not all finished within the drain"),
    (Exit::Unroutable, "no queue takes calls for the service: not served, or its name is misspelt"),
    (Exit::Setup, "a service is put together wrongly: missing state, two functions of one name"),
    (Exit::Topology, "the exchange or a queue is missing, or exists and is declared differently"),
    (Exit::Regression, "`guirpc bench`: worse than the earlier run by more than `--max-regression` allows"),
    (Exit::Warning, "`guirpc doctor` found nothing worse than a warning"),
    (Exit::Breaking, "`guirpc contract check`: the contract breaks callers, or servers as `--direction` says"),
];

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Setup => Exit::Setup,
            ErrorKind::Configuration => Exit::Usage,
            ErrorKind::Unreachable | ErrorKind::Denied => Exit::Broker,
            ErrorKind::Topology => Exit::Topology,
            ErrorKind::System => Exit::Other,
            ErrorKind::Stopped => Exit::Done,
        }
    }
}

impl Exit {
    /// What the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The table as `--help` has it.
pub fn exit_codes() -> String {
    let lines = MEANINGS.iter().map(|(exit, meaning)| format!("  {}  {meaning}\n", *exit as u8));
    format!("Exit codes:\n{}  130, 143  a second SIGINT or SIGTERM: left at once", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/exit_codes.md");

    #[test]
    fn every_code_stands_at_its_place() {
        assert!(MEANINGS.iter().map(|(exit, _)| *exit as usize).eq(0..MEANINGS.len()));
    }

    /// `GUIRPC_BLESS=1 cargo test -p guirpc --lib exit` writes the table into the page.
    #[test]
    fn the_page_has_the_table_of_the_help() {
        let row = |(exit, meaning): &(Exit, &str)| format!("| {} | {meaning} |\n", *exit as u8);
        let rows: String = MEANINGS.iter().map(row).collect();
        let table =
            format!("| code | why |\n|--:|---|\n{rows}| 130, 143 | a second SIGINT or SIGTERM: left at once |\n");
        let page = std::fs::read_to_string(PAGE).unwrap();
        let start = page.find("| code |").expect("the page has the table");
        let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
        let mut blessed = page.clone();
        blessed.replace_range(start..end, &table);
        if std::env::var_os("GUIRPC_BLESS").is_some() {
            return std::fs::write(PAGE, blessed).unwrap();
        }
        assert!(page == blessed, "exit_codes.md differs from the help; write it by GUIRPC_BLESS=1");
    }
}
