//! Where a contract is read from.

use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use guirpc::contract::Contract;
use guirpc::control::{Control, Target};

use crate::args::Servers;
use crate::failure::Failure;
use crate::terminal::{line, lines};

/// Where a contract is read from, as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
    /// A file of a commit.
    Git {
        revision: String,
        path: String,
    },
    /// A service that runs.
    Service(String),
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let git = text.strip_prefix("git:").and_then(|text| text.split_once(':'));
        Ok(match (text, git) {
            ("-", _) => Source::StandardInput,
            (_, Some((revision, path))) => Source::Git { revision: revision.to_owned(), path: path.to_owned() },
            _ => match text.strip_prefix("service:") {
                Some(service) => Source::Service(service.to_owned()),
                None if is_service(text) => Source::Service(text.to_owned()),
                None => Source::File(text.into()),
            },
        })
    }
}

/// A file has a path or an ending, or is there.
fn is_service(text: &str) -> bool {
    !text.is_empty() && !text.contains(['.', '/', '\\']) && !Path::new(text).exists()
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::StandardInput => f.write_str("the standard input"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Git { revision, path } => write!(f, "git:{revision}:{path}"),
            Source::Service(name) => write!(f, "service:{name}"),
        }
    }
}

impl Source {
    pub(super) fn read(&self, servers: &Servers) -> Result<Contract, Failure> {
        if let Source::Service(name) = self {
            return of_service(name, servers);
        }
        let text = self.text().map_err(|failure| failure.after(&format!("the contract of {}: ", self.shown())))?;
        let no_contract = |error| Failure::usage(lines(&format!("{}: {error}", self.shown())));
        Contract::from_json(&text).map_err(no_contract)
    }

    fn shown(&self) -> String {
        line(&self.to_string(), usize::MAX)
    }

    fn text(&self) -> Result<String, Failure> {
        match self {
            Source::Service(name) => Err(Failure::usage(format!("`{name}` is a service, which is asked"))),
            Source::StandardInput => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map_err(Failure::usage)?;
                Ok(text)
            }
            Source::File(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!(
                    "{error}; it is written by `my-service contract`, and `git:REV:PATH` is one of a commit"
                ))
            }),
            Source::Git { revision, path } => show(revision, path),
        }
    }
}

/// The contract that the servers of a service have; all of them have the same, or it is not known which is meant.
fn of_service(name: &str, servers: &Servers) -> Result<Contract, Failure> {
    let control = Control::configured(&servers.broker.settings()?)?.wait(servers.wait.into());
    let running = control.ping(&Target::service(name))?.len();
    if running == 0 {
        return Err(Failure::unroutable(format!(
            "no server of `{}` has answered within {}: none runs there, or its `control` is off; a file is written as \
             `./contract.json`",
            line(name, 60),
            servers.wait
        )));
    }
    let answers = control.expect(running).contracts(&Target::service(name))?;
    let mut contracts = answers.into_iter().flat_map(|answer| answer.contracts).filter(|found| found.service == name);
    let Some(contract) = contracts.next() else {
        return Err(Failure::other(format!(
            "the servers of `{}` have no contract: they are built without the feature `schema` of guirpc",
            line(name, 60)
        )));
    };
    match contracts.find(|other| other.hash != contract.hash) {
        Some(other) => Err(Failure::other(format!(
            "the servers of `{}` have different contracts, such as {} and {}: `guirpc ls` shows who they are; ask again \
             when all of them are of one version",
            line(name, 60),
            line(&contract.hash, 32),
            line(&other.hash, 32)
        ))),
        None => Ok(contract),
    }
}

/// A file as it was in a commit.
fn show(revision: &str, path: &str) -> Result<String, Failure> {
    if revision.is_empty() || revision.starts_with('-') || path.is_empty() {
        return Err(Failure::usage(
            "a file of a commit is written as `git:REV:PATH`, such as `git:main:contract.json`",
        ));
    }
    let mut command = Command::new("git");
    command.args(["show", "--no-textconv"]).arg(format!("{revision}:{path}"));
    let output = command.output().map_err(|error| Failure::other(format!("`git` cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(Failure::usage(lines(String::from_utf8_lossy(&output.stderr).trim())));
    }
    String::from_utf8(output.stdout).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let git = |revision: &str, path: &str| Source::Git { revision: revision.to_owned(), path: path.to_owned() };
        for (text, source) in [
            ("-", Source::StandardInput),
            ("contract.json", Source::File("contract.json".into())),
            ("./git:a", Source::File("./git:a".into())),
            ("orders", Source::Service("orders".to_owned())),
            ("service:orders.v2", Source::Service("orders.v2".to_owned())),
            ("git:main:contract.json", git("main", "contract.json")),
            ("git:HEAD~1:./a:b.json", git("HEAD~1", "./a:b.json")),
        ] {
            assert_eq!(text.parse(), Ok(source));
        }
    }

    #[test]
    fn a_revision_is_no_option_of_gits() {
        let failure = show("--output=/tmp/x", "a").unwrap_err();
        assert!(failure.message().contains("git:REV:PATH"), "{failure}");
    }
}
