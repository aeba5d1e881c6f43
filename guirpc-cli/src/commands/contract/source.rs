//! Where a contract is read from.

use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;

use guirpc::contract::Contract;

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
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let git = text.strip_prefix("git:").and_then(|text| text.split_once(':'));
        Ok(match (text, git) {
            ("-", _) => Source::StandardInput,
            (_, Some((revision, path))) => Source::Git { revision: revision.to_owned(), path: path.to_owned() },
            _ => Source::File(text.into()),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::StandardInput => f.write_str("the standard input"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Git { revision, path } => write!(f, "git:{revision}:{path}"),
        }
    }
}

impl Source {
    pub(super) fn read(&self) -> Result<Contract, Failure> {
        let text = self.text().map_err(|failure| failure.after(&format!("the contract of {}: ", self.shown())))?;
        let no_contract = |error| Failure::usage(lines(&format!("{}: {error}", self.shown())));
        Contract::from_json(&text).map_err(no_contract)
    }

    fn shown(&self) -> String {
        line(&self.to_string(), usize::MAX)
    }

    fn text(&self) -> Result<String, Failure> {
        match self {
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
