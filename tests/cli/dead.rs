//! `guirpc dead`: what failed while nobody waited is looked at, put back and dropped from a shell.

use anyhow::ensure;
use harness::Broker;
use serde_json::{Value, json};

use super::run::check;
use super::written::{Letter, Post, check_count, text};
use super::{LONG, ask, shop};

/// Two orders that failed, and a price.
fn write(broker: &dyn Broker) -> anyhow::Result<Post> {
    let post = Post::open(broker)?;
    post.declare("shop")?;
    post.write(
        "shop",
        [
            Letter::new("shop", "place", "order-1", r#"["tea"]"#),
            Letter::new("shop", "price", "price-2", r#"["tea", 3]"#).header("guirpc-dead-reason", text("crashed")),
            Letter::new("shop", "place", "order-3", r#"["\u001b[2J"]"#)
                .header("guirpc-dead-message", text("\u{1b}[2J\nno tea")),
        ],
    )?;
    Ok(post)
}

pub(crate) fn list_shows_what_there_is(broker: &dyn Broker) -> anyhow::Result<()> {
    // A service that the broker does not know is most likely misspelt.
    for command in
        [&["list", "shop"][..], &["show", "shop", "1"], &["requeue", "shop", "--all"], &["drop", "shop", "1"]]
    {
        let unknown = ask(broker, &[&["dead"], command].concat())?;
        check(&unknown, 7, "error: there is no service `shop` on this broker")?;
    }
    Post::open(broker)?.declare("shop")?;
    check(&ask(broker, &["dead", "list", "shop"])?, 0, "no dead letters\n")?;
    write(broker)?;
    let ended = ask(broker, &["dead", "list", "shop"])?;
    check(&ended, 0, "1  2023-11-14T22:13:20.000Z  place  failed 500  order-1\n    no tea\n2  ")?;
    // What strangers have written does not steer the terminal.
    check(&ended, 0, "\n    \\u{1b}[2J\\nno tea\n")?;
    // Nor is anything cut that goes into a pipe.
    let long = "x".repeat(1000);
    Post::open(broker)?.write(
        "shop",
        [Letter::new("shop", &long[..200], &long[..255], "[]").header("guirpc-dead-message", text(&long))],
    )?;
    let whole = ask(broker, &["dead", "list", "shop", "--function", &long[..200]])?;
    check(&whole, 0, &format!("  {}  failed 500  {}\n    {long}\n", &long[..200], &long[..255]))?;
    check(&ask(broker, &["dead", "drop", "shop", "4"])?, 0, "dropped 1\n")?;
    let ended = ask(broker, &["dead", "list", "shop", "--function", "place", "--limit", "1"])?;
    check(&ended, 0, "order-1\n    no tea\nand 2 younger ones that were not looked at\n")?;
    let ended = ask(broker, &["dead", "list", "shop", "--reason", "crashed", "--json"])?;
    check(&ended, 0, "")?;
    let mut list: Value = serde_json::from_str(&ended.stdout)?;
    let letter = list["letters"][0].take();
    let expected = json!({
        "number": 2, "correlation_id": "price-2", "function": "price", "dialect": "native", "reason": "crashed",
        "status": 500, "message": "no tea", "dead_since": "2023-11-14T22:13:20.000Z", "attempts": 4, "queue": "shop",
        "app_id": "tests", "content_type": "application/json", "size": 10, "headers": { "tenant": "acme" },
    });
    ensure!(letter == expected, "{letter}");
    ensure!(list["unread"] == 0 && list["letters"].as_array().is_some_and(|letters| letters.len() == 1), "{list}");
    check_count(broker, "shop", 3)
}

pub(crate) fn show_prints_one_whole(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = write(broker)?;
    for id in ["2", "price-2"] {
        let ended = ask(broker, &["dead", "show", "shop", id])?;
        check(&ended, 0, "function        price\n")?;
        check(&ended, 0, "arguments       [\"tea\",3]\n")?;
        check(&ended, 0, "header          tenant: \"acme\"\n")?;
    }
    post.write("shop", [Letter::new("shop", "price", "bad", "").body(vec![0xff; 300])])?;
    let ended = ask(broker, &["dead", "show", "shop", "bad"])?;
    check(&ended, 0, "not decoded     expected value")?;
    check(&ended, 0, &format!("0x{}\n", "ff".repeat(300)))?;
    let ended = ask(broker, &["dead", "show", "shop", "1", "--json"])?;
    let letter: Value = serde_json::from_str(&ended.stdout)?;
    ensure!(letter["arguments"] == json!(["tea"]) && letter["body"] == "0x5b22746561225d", "{letter}");
    check(&ask(broker, &["dead", "show", "shop", "order"])?, 1, "no dead letter `order`; did you mean `order-1`?")?;
    check(&ask(broker, &["dead", "show", "shop", "9"])?, 1, "error: there is no dead letter `9`; there are 4\n")?;
    check(&ask(broker, &["dead", "show", "shoe", "9"])?, 7, "there is no service `shoe`")
}

pub(crate) fn requeue_has_it_run_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_shop, orders) = shop::open(broker)?;
    write(broker)?;
    check(&ask(broker, &["dead", "requeue", "shop", "1"])?, 0, "requeued 1\n")?;
    ensure!(orders.recv_timeout(LONG)? == "tea acme - false");
    check(&ask(broker, &["dead", "requeue", "shop", "--function", "place"])?, 0, "requeued 1\n")?;
    ensure!(orders.recv_timeout(LONG)? == "\u{1b}[2J acme - false");
    check_count(broker, "shop", 1)
}

pub(crate) fn requeue_says_what_stays(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = write(broker)?;
    post.write("shop", [Letter::new("shop.gone", "place", "order-4", "[]")])?;
    let ended = ask(broker, &["dead", "requeue", "shop", "--all"])?;
    post.close()?;
    check(
        &ended,
        7,
        "error: letter 4 (order-4) stays: there is no queue `shop.gone` to put it back into\nrequeued 3\n",
    )?;
    check_count(broker, "shop", 1)?;
    check(&ask(broker, &["dead", "requeue", "shop", "order-4", "--queue", "gone"])?, 7, "there is no queue `gone`")?;
    let ended = ask(broker, &["dead", "requeue", "shop", "order-5"])?;
    check(&ended, 1, "there is no dead letter `order-5`; did you mean `order-4`?\nrequeued 0\n")
}

pub(crate) fn drop_wants_to_be_told_what(broker: &dyn Broker) -> anyhow::Result<()> {
    write(broker)?;
    for action in ["drop", "requeue"] {
        check(&ask(broker, &["dead", action, "shop"])?, 2, "--all")?;
        check(&ask(broker, &["dead", action, "shop", "1", "--all"])?, 2, "cannot be used with")?;
    }
    check(&ask(broker, &["dead", "drop", "shop", "order-1", "3"])?, 0, "dropped 2\n")?;
    check_count(broker, "shop", 1)?;
    check(&ask(broker, &["dead", "drop", "shop", "--all"])?, 0, "dropped 1\n")?;
    check_count(broker, "shop", 0)?;
    let uri = broker.uri_for("guest", "secret", "/");
    check(&ask(broker, &["dead", "list", "shop", "--uri", &uri])?, 4, "guest")
}
