//! The recorded transcripts: what RabbitMQ did, and what the embedded broker does where it differs by intent.
//!
//! `GUIRPC_UPDATE=1` writes what comes now instead of comparing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::brokers::Kind;

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
    /// Where version 4 differs.
    pub(crate) rabbitmq_4: Option<String>,
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
                if let Some(name) = name.strip_suffix(".txt").filter(|name| !name.contains('.')) {
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
        Ok(Self {
            name: name.to_owned(),
            rabbitmq,
            rabbitmq_4: read(Kind::RabbitMq4).ok(),
            embedded: read(Kind::Embedded).ok(),
        })
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
        self.own(kind).unwrap_or(&self.rabbitmq)
    }

    /// What is recorded of this broker by itself.
    fn own(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::RabbitMq => Some(&self.rabbitmq),
            Kind::RabbitMq4 => self.rabbitmq_4.as_deref(),
            Kind::Embedded => self.embedded.as_deref(),
        }
    }

    /// Compares what came with what was recorded, or records it.
    pub(crate) fn settle(&self, kind: Kind, came: &str) -> anyhow::Result<()> {
        // What the embedded broker does otherwise is decided by whoever writes it, and not by what comes.
        if updating() && (self.own(kind).is_some() || kind == Kind::RabbitMq4) {
            let path = path(&self.name, kind);
            if kind == Kind::RabbitMq || came != self.rabbitmq {
                fs::write(path, came)?;
            } else if path.exists() {
                fs::remove_file(path)?;
            }
            return Ok(());
        }
        if came != self.expected(kind) {
            bail!("{} differs:\n{}", self.name, difference(self.expected(kind), came));
        }
        let body = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let differs = kind == Kind::RabbitMq || self.own(kind).is_none_or(|own| body(own) != body(&self.rabbitmq));
        ensure!(differs, "{} is no difference any more", path(&self.name, kind).display());
        Ok(())
    }
}

fn path(name: &str, kind: Kind) -> PathBuf {
    folder().join(match kind {
        Kind::RabbitMq => format!("{name}.txt"),
        Kind::RabbitMq4 => format!("{name}.rabbitmq-4.txt"),
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
