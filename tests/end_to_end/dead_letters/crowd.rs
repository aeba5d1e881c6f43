//! Many letters, and several who do something with them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use guirpc::dead_letters::Selection;
use harness::{Broker, Program, binary, eventually};

use super::letters;
use super::written::{Letter, Post, check_count};
use crate::service::LONG;

/// For thousands of letters.
const LONGER: Duration = Duration::from_mins(2);

/// `guirpc dead …` as a program of its own.
pub(super) fn guirpc_dead(broker: &dyn Broker, arguments: &[&str]) -> anyhow::Result<Program> {
    let mut command = Command::new(binary("guirpc")?);
    Program::start(command.env("AMQP_URI", broker.uri()).arg("dead").args(arguments))
}

fn write(post: &Post, count: usize, size: usize) -> anyhow::Result<()> {
    post.declare("shop")?;
    let body = vec![0xc0; size];
    post.write("shop", (0..count).map(|n| Letter::new("shop", "price", &format!("id-{n}"), "").body(body.clone())))
}

/// How often each request is in the queue, by its correlation id.
pub(super) fn requeued(post: &Post, queue: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut times = BTreeMap::new();
    while let Some(got) = post.channel.basic_get(queue, true)? {
        let id = got.delivery.properties.correlation_id().clone().context("every letter has one")?;
        *times.entry(id).or_default() += 1;
    }
    Ok(times)
}

pub(super) fn ten_thousand_in_little_memory(broker: &dyn Broker) -> anyhow::Result<()> {
    const COUNT: usize = 10_001;
    const MOST_KIB: u64 = 100 << 10;
    let post = Post::open(broker)?;
    // 200 MB in all.
    write(&post, COUNT, 20_000)?;
    let mut program = guirpc_dead(broker, &["list", "shop", "--function", "price"])?;
    let mut most = 0;
    eventually(LONGER, || {
        most = most.max(memory(&program));
        Ok(program.wait(Duration::ZERO).is_ok())
    })?;
    ensure!(program.wait(LONG)?.success(), "{:?}", program.stderr());
    let lines = program.stdout();
    ensure!(lines.len() == 20_001 && lines[20_000] == "and 1 younger ones that were not looked at", "{}", lines.len());
    ensure!(lines[19_998].starts_with("10000  ") && lines[19_998].ends_with("id-9999"), "{}", lines[19_998]);
    ensure!(most > 0 && most < MOST_KIB, "{most} KiB");
    check_count(broker, "shop", COUNT)?;
    ensure!(letters(broker, "shop")?.drop(&Selection::all())?.done == COUNT);
    check_count(broker, "shop", 0)
}

/// The most memory that a program has had, in KiB; nothing if it is gone.
fn memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
