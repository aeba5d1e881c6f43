//! A client or a server in a process of its own, whose threads, sockets, memory and log somebody looks at.
//!
//!     attacked client URI           calls every second, whatever comes of it
//!     attacked server URI           serves, and tries again whenever it cannot
//!     attacked connections URI N    connects so often, and prints how many bytes each connection has left behind
//!
//! With `ATTACKED_LOG` in the environment it logs all that there is, of all crates.

use std::alloc::System;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyhow::{Context, bail};
use guirpc::{Client, Server, Setup};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tracing_subscriber::filter::LevelFilter;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Adds two integers.
#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() -> ExitCode {
    if env::var_os("ATTACKED_LOG").is_some() {
        tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).init();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", uri] => {
            let client = Client::lazy(uri)?.with_timeout(Duration::from_secs(1));
            loop {
                match add::call(&client, 1, 2) {
                    Ok(sum) => println!("answered {sum}"),
                    Err(error) => println!("not answered: {error}"),
                }
                thread::sleep(Duration::from_secs(1));
            }
        }
        ["server", uri] => loop {
            let setup = Setup::new([env!("CARGO_PKG_NAME")]).uri(*uri).workers(1);
            match Server::start(setup) {
                Ok(server) => {
                    println!("serving");
                    server.wait();
                }
                Err(error) => println!("not serving: {error}"),
            }
            thread::sleep(Duration::from_millis(100));
        },
        ["connections", uri, count] => {
            let count = count.parse().context("not a number")?;
            // What is allocated once is by then.
            connect(uri, count)?;
            let before = settled();
            connect(uri, count)?;
            let after = settled();
            println!("{} bytes for each connection", after.saturating_sub(before) / count);
            Ok(())
        }
        _ => bail!("attacked client|server URI, or attacked connections URI N"),
    }
}

fn connect(uri: &str, count: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        let client = Client::connect(uri)?.with_timeout(Duration::from_secs(30));
        add::call(&client, 1, 2)?;
    }
    Ok(())
}

/// How many bytes are allocated when the threads of connections that are closed have ended.
fn settled() -> usize {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut fewest = usize::MAX;
    while Instant::now() < deadline {
        let stats = ALLOCATOR.stats();
        fewest = fewest.min(stats.bytes_allocated - stats.bytes_deallocated);
        thread::sleep(Duration::from_millis(50));
    }
    fewest
}
