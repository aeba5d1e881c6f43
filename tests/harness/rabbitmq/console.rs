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

#[derive(Debug)]
pub(super) struct Console {
    questions: ChildStdin,
    answers: Arc<Transcript>,
    asked: u32,
}

impl Console {
    /// Takes over the pipes of a node that was just started.
    pub(super) fn attach(node: &mut Child) -> anyhow::Result<Self> {
        let answers = Arc::new(Transcript::default());
        answers.follow(node.stdout.take().context("it is piped")?);
        answers.follow(node.stderr.take().context("it is piped")?);
        let questions = node.stdin.take().context("it is piped")?;
        Ok(Self { questions, answers, asked: 0 })
    }

    pub(super) fn eval(&mut self, expression: &str, timeout: Duration) -> anyhow::Result<String> {
        let line = expression.replace('\n', " ");
        writeln!(self.questions, "{line}.").context("the node is gone")?;
        self.asked += 1;
        // By number, so that an answer which nobody waited for long enough is not taken for the next one;
        // and marked, since the node writes other things, too.
        let mark = format!("console {} ", self.asked);
        let answer = self.answers.wait_for(timeout, |line| line.starts_with(&mark));
        let answer = answer.map_err(|why| anyhow!("no answer from the node: {why}"))?;
        match answer[mark.len()..].split_once(' ') {
            Some(("ok", value)) => Ok(value.to_owned()),
            Some(("error", reason)) => bail!("`{line}` failed in the node: {reason}"),
            _ => bail!("unexpected answer from the node: {answer}"),
        }
    }

    /// Everything that the node wrote.
    pub(super) fn lines(&self) -> Vec<String> {
        self.answers.lines()
    }
}
