//! A line into the running node: Erlang expressions in, their values out.
//!
//! `rabbitmqctl` starts an Erlang machine of its own for every question, which costs a second;
//! this one costs milliseconds, so that a test can poll.
//! It is also the node's lifeline: the pipe closes with the process that holds it, even after a `kill -9`,
//! and the node ends when its standard input does.

use std::io::Write;
use std::process::{Child, ChildStdin};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use crate::transcript::Transcript;

/// What the node evaluates after its boot, to answer us.
pub(super) const PROGRAM: &str = include_str!("console.erl");

/// What an answer begins with; everything else on the node's output is talk.
const MARK: &str = "console ";

#[derive(Debug)]
pub(super) struct Console {
    questions: ChildStdin,
    answers: Arc<Transcript>,
    /// The lines that were read for earlier answers.
    read: usize,
}

impl Console {
    /// Takes over the pipes of a node that was just started.
    pub(super) fn attach(node: &mut Child) -> Self {
        let answers = Arc::new(Transcript::default());
        answers.follow(node.stdout.take().expect("it is piped"));
        answers.follow(node.stderr.take().expect("it is piped"));
        Self { questions: node.stdin.take().expect("it is piped"), answers, read: 0 }
    }

    pub(super) fn eval(&mut self, expression: &str, timeout: Duration) -> anyhow::Result<String> {
        writeln!(self.questions, "{expression}.").context("the node is gone")?;
        let (index, line) = self
            .answers
            .wait_for(self.read, timeout, |line| line.starts_with(MARK))
            .map_err(|why| anyhow!("no answer from the node: {why}"))?;
        self.read = index + 1;
        match line[MARK.len()..].split_once(' ') {
            Some(("ok", value)) => Ok(value.to_owned()),
            Some(("error", reason)) => bail!("`{expression}` failed in the node: {reason}"),
            _ => bail!("unexpected answer from the node: {line}"),
        }
    }

    /// Everything that the node wrote.
    pub(super) fn lines(&self) -> Vec<String> {
        self.answers.lines()
    }
}
