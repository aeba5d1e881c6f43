//! The recorded transcripts: what RabbitMQ did, and what the embedded broker does where it differs by intent.
//!
//! `GUIRPC_UPDATE=1` writes what comes now instead of comparing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::brokers::Kind;

/// The version of RabbitMQ that did it.
pub(crate) const RECORDED: &str = "3.10.8";

/// Where they lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/transcripts")
}

/// Whether to write rather than to compare.
pub(crate) fn updating() -> bool {
    env::var_os("GUIRPC_UPDATE").is_some_and(|value| value == "1")
}

/// A case with what is recorded of it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// `queues/declare`.
    pub(crate) name: String,
    pub(crate) rabbitmq: String,
    /// Where it differs by intent; its first line says why.
    pub(crate) embedded: Option<String>,
}

impl Recorded {
    /// All of them, in the order of their names.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for topic in fs::read_dir(folder())? {
            for file in fs::read_dir(topic?.path())? {
                let path = file?.path();
                let name = path.strip_prefix(folder())?.to_str().context("it is text")?;
                if let Some(name) = name.strip_suffix(".txt").filter(|name| !name.ends_with(".embedded")) {
                    all.push(Self::read(name)?);
                }
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    pub(crate) fn read(name: &str) -> anyhow::Result<Self> {
        let read = |kind| fs::read_to_string(path(name, kind));
        let rabbitmq = read(Kind::RabbitMq).with_context(|| format!("no transcript of {name}"))?;
        Ok(Self { name: name.to_owned(), rabbitmq, embedded: read(Kind::Embedded).ok() })
    }

    /// The folder that it lies in.
    pub(crate) fn topic(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Its name in that folder.
    pub(crate) fn short_name(&self) -> &str {
        self.name.split('/').next_back().unwrap_or_default()
    }

    /// What this broker is expected to do.
    pub(crate) fn expected(&self, kind: Kind) -> &str {
        match (kind, &self.embedded) {
            (Kind::Embedded, Some(embedded)) => embedded,
            _ => &self.rabbitmq,
        }
    }

    /// Compares what came with what was recorded, or records it.
    pub(crate) fn settle(&self, kind: Kind, came: &str) -> anyhow::Result<()> {
        let own_file = kind == Kind::RabbitMq || self.embedded.is_some();
        if updating() && own_file {
            return Ok(fs::write(path(&self.name, kind), came)?);
        }
        if came != self.expected(kind) {
            bail!("{} differs:\n{}", self.name, difference(self.expected(kind), came));
        }
        let body = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let differs = self.embedded.as_deref().is_none_or(|embedded| body(embedded) != body(&self.rabbitmq));
        ensure!(differs, "{}.embedded.txt is no difference any more", self.name);
        Ok(())
    }
}

fn path(name: &str, kind: Kind) -> PathBuf {
    folder().join(match kind {
        Kind::RabbitMq => format!("{name}.txt"),
        Kind::Embedded => format!("{name}.embedded.txt"),
    })
}

/// The lines of both, those of one side only marked with `-` (recorded) and `+` (came).
pub(crate) fn difference(recorded: &str, came: &str) -> String {
    let (mut old, mut new): (Vec<&str>, Vec<&str>) = (recorded.lines().collect(), came.lines().collect());
    let mut lines = Vec::new();
    while !old.is_empty() || !new.is_empty() {
        if old.first() == new.first() {
            lines.extend([" ", old.remove(0)]);
            new.remove(0);
            continue;
        }
        let resumes = old.iter().position(|line| new.contains(line) && line.starts_with('>')).unwrap_or(old.len());
        let same = old.get(resumes).and_then(|line| new.iter().position(|other| other == line)).unwrap_or(new.len());
        lines.extend(old.drain(..resumes).flat_map(|line| ["-", line]));
        lines.extend(new.drain(..same).flat_map(|line| ["+", line]));
    }
    lines.chunks(2).map(|marked| marked.join(" ") + "\n").collect()
}
