//! `guirpc ls`, `info`, `stats` and `top`: what servers say of themselves, from a shell.

use std::thread;

use anyhow::{Context, ensure};
use harness::{Broker, eventually};
use serde_json::Value;

use super::run::{Ended, check};
use super::terminal::Terminal;
use super::{LONG, ask, shop};

/// Asks until so many servers have answered, which they do soon after they serve.
pub(crate) fn answered(broker: &dyn Broker, servers: u8, arguments: &[&str]) -> anyhow::Result<Ended> {
    let servers = servers.to_string();
    let arguments = [arguments, &["--expect", &servers, "--wait", "2s"]].concat();
    let mut ended = ask(broker, &arguments)?;
    eventually(LONG, || {
        if ended.code != 0 {
            ended = ask(broker, &arguments)?;
        }
        Ok(ended.code == 0)
    })?;
    Ok(ended)
}

pub(crate) fn ls_lists_who_is_there(broker: &dyn Broker) -> anyhow::Result<()> {
    check(&ask(broker, &["ls"])?, 7, "error: no server has answered within 300ms")?;
    let _first = shop::open(broker)?;
    let _second = shop::open(broker)?;
    let ended = answered(broker, 2, &["ls"])?;
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let pid = std::process::id().to_string();
    ensure!(lines.len() == 3 && lines[0].starts_with("service  instance "), "{ended:?}");
    ensure!(lines[1..].iter().all(|line| line.starts_with("shop ") && line.contains(&pid)), "{ended:?}");
    let json: Value = serde_json::from_str(&answered(broker, 2, &["ls", "shop", "--json"])?.stdout)?;
    ensure!(json.as_array().is_some_and(|pongs| pongs.len() == 2) && json[0]["version"] == 1, "{json}");
    ensure!(json[0]["instance"]["services"] == serde_json::json!(["shop"]), "{json}");
    check(&ask(broker, &["ls", "shoe"])?, 7, "error: no server of `shoe` has answered")?;
    check(
        &ask(broker, &["ls", "shop", "--expect", "3", "--wait", "3s"])?,
        6,
        "error: 2 of 3 servers of `shop` have answered",
    )?;
    check(&ask(broker, &["ls", "--wait", "soon"])?, 2, "--wait")
}

pub(crate) fn info_describes_a_service(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let ended = answered(broker, 1, &["info", "shop"])?;
    check(&ended, 0, "fn price(article: &str, amount: u32) -> u32\n")?;
    check(&ended, 0, " workers, prefetch ")?;
    ensure!(!ended.stdout.contains("guest:guest"), "{ended:?}");
    let json: Value = serde_json::from_str(&answered(broker, 1, &["info", "shop", "--json"])?.stdout)?;
    ensure!(json[0]["services"][0]["functions"][0]["name"] == "cancel", "{json}");
    ensure!(json[0]["lanes"][0]["queues"][0] == "shop", "{json}");
    check(&ask(broker, &["info"])?, 2, "<SERVICE>")
}

pub(crate) fn stats_count_what_has_run(broker: &dyn Broker) -> anyhow::Result<()> {
    let (server, _orders) = shop::open(broker)?;
    check(&answered(broker, 1, &["stats", "shop"])?, 0, "no requests yet\n")?;
    for _ in 0..3 {
        check(&ask(broker, &["call", "shop", "price", r#"["tea", 3]"#])?, 0, "9\n")?;
    }
    check(&ask(broker, &["call", "shop", "cancel"])?, 3, "409")?;
    check(&ask(broker, &["call", "shop", "prize"])?, 5, "404")?;
    let ended = answered(broker, 1, &["stats", "shop"])?;
    let columns = |function: &str| {
        let line = ended.stdout.lines().find(|line| line.starts_with(function));
        line.map(|line| line.split_whitespace().take(7).map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default()
    };
    ensure!(columns("shop.price") == ["shop.price", "1", "3", "0", "0", "0", "0"], "{ended:?}");
    ensure!(columns("shop.cancel") == ["shop.cancel", "1", "1", "0", "0", "1", "0"], "{ended:?}");
    ensure!(columns("shop._OTHER") == ["shop._OTHER", "1", "1", "0", "0", "0", "1"], "{ended:?}");
    check(&ended, 0, "409, ")?;
    // Another server counts for itself.
    let _second = shop::open(broker)?;
    let both = answered(broker, 2, &["stats", "--json"])?;
    let both: Value = serde_json::from_str(&both.stdout)?;
    ensure!(both.as_array().is_some_and(|answers| answers.len() == 2), "{both}");
    let ended = answered(broker, 2, &["stats", "shop", "--instances"])?;
    ensure!(ended.stdout.lines().filter(|line| line.starts_with("shop.price ")).count() == 1, "{ended:?}");
    drop(server);
    let left: Value = serde_json::from_str(&ask(broker, &["stats", "shop", "--json", "--wait", "3s"])?.stdout)?;
    ensure!(left.as_array().is_some_and(|answers| answers.len() == 1), "{left}");
    Ok(())
}

pub(crate) fn top_shows_what_happens(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    check(&answered(broker, 1, &["stats"])?, 0, "no requests yet\n")?;
    check(&ask(broker, &["top"])?, 2, "add `--once`")?;
    let (uri, is_over) = (broker.uri(), std::sync::atomic::AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let client = guirpc::Client::connect(&uri).expect("there is a broker");
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                let priced = client.call_json("shop", "price", serde_json::json!(["tea", 3]));
                assert_eq!(priced.expect("it is served"), 9);
            }
        });
        let shown = looks(broker);
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        shown
    })
}

fn looks(broker: &dyn Broker) -> anyhow::Result<()> {
    check(&answered(broker, 1, &["ls"])?, 0, "shop")?;
    let once = ["top", "shop", "--once", "--json", "--expect", "1", "--wait", "5s", "--interval", "500ms"];
    let lines: Value = serde_json::from_str(&ask(broker, &once)?.stdout)?;
    let rate = lines[0]["rate"].as_f64().context("a rate")?;
    ensure!(lines[0]["function"] == "shop.price" && rate > 1.0 && lines[0]["failures"] == 0.0, "{lines}");
    let table = ask(broker, &[&once[..3], &["--filter", "nothing"]].concat())?;
    ensure!(table.stdout.lines().count() == 1 && table.stdout.starts_with("function "), "{table:?}");
    // On a terminal, until a key ends it.
    let mut terminal = Terminal::start(broker, "top --interval 200ms")?;
    terminal.shows(|screen| screen.contains("shop.price") && screen.contains("requests/s, by rate"))?;
    terminal.types("s")?;
    terminal.shows(|screen| screen.contains("shop.price") && screen.contains("requests/s, by failures"))?;
    terminal.types("/prize\r")?;
    terminal.shows(|screen| screen.contains("/: filter prize") && !screen.contains("shop.price"))?;
    terminal.types("q")?;
    terminal.ends()
}
