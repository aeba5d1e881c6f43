//! What is in the way loses no letter, and is told in words and in time.

use std::time::{Duration, Instant};

use amiquip::QueueDeclareOptions;
use anyhow::ensure;
use guirpc::dead_letters::Selection;
use harness::{Broker, eventually};

use super::written::{Letter, Post, check_count};
use super::{letters, write_three};
use crate::service::LONG;

const SHORT: Duration = Duration::from_millis(500);

pub(super) fn a_missing_origin_loses_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    post.declare("shop")?;
    let from = |queue: &str, id: &str| Letter::new(queue, "price", id, "[1]");
    post.write("shop", [from("shop.gone", "a"), from("shop", "b"), from("", "c"), from("shop", "d")])?;
    let letters = letters(broker, "shop")?;
    let outcome = letters.requeue(&Selection::all())?;
    ensure!((outcome.done, outcome.kept_count) == (2, 2), "{outcome:?}");
    ensure!(outcome.kept[0].reason == "there is no queue `shop.gone` to put it back into", "{outcome:?}");
    ensure!(outcome.kept[1].correlation_id.as_deref() == Some("c"), "{outcome:?}");
    check_count(broker, "shop", 2)?;
    ensure!(broker.queue("shop")?.is_some_and(|queue| queue.messages == 2));
    let outcome = letters.requeue_into("amq.rabbitmq.reply-to.abc.def", &Selection::all())?;
    ensure!((outcome.done, outcome.kept_count) == (0, 2), "{outcome:?}");
    post.declare("shop.gone")?;
    ensure!(letters.requeue(&Selection::all().id("a"))?.done == 1);
    check_count(broker, "shop", 1)
}

pub(super) fn a_forged_origin_is_not_trusted(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    for queue in ["shop", "bank"] {
        post.declare(queue)?;
    }
    let forged = |id: &str| Letter::new("bank", "transfer", id, "[1]");
    post.write("shop", [forged("a"), forged("b")])?;
    let letters = letters(broker, "shop")?;
    let outcome = letters.requeue(&Selection::all())?;
    ensure!((outcome.done, outcome.kept_count) == (0, 2), "{outcome:?}");
    ensure!(outcome.kept[0].reason.contains("taken off `bank`"), "{outcome:?}");
    check_count(broker, "shop", 2)?;
    // The operator may know better, and may put it into the service's own as well.
    ensure!(letters.requeue_into("bank", &Selection::all().id("a"))?.done == 1);
    ensure!(letters.requeue_into("shop", &Selection::all().id("b"))?.done == 1);
    for queue in ["shop", "bank"] {
        ensure!(broker.queue(queue)?.is_some_and(|queue| queue.messages == 1));
    }
    check_count(broker, "shop", 0)
}

pub(super) fn whoever_looks_keeps_others_waiting(broker: &dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?;
    // Another one looks: it has this queue, and holds a letter.
    let other = Post::open(broker)?;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    other.channel.queue_declare("shop.dead.reader", options)?;
    other.channel.basic_get("shop.dead", false)?;
    let error = letters.clone().timeout(Duration::from_secs(3)).list(&Selection::all()).unwrap_err();
    ensure!(error.to_string().contains("somebody else has been looking through `shop.dead` for 3s"), "{error}");
    let waiting = std::thread::spawn(move || letters.list(&Selection::all()));
    other.close()?;
    let list = waiting.join().expect("it does not panic")?;
    ensure!(list.letters.len() == 3, "{list:?}");
    check_count(broker, "shop", 3)
}

pub(super) fn a_frozen_broker_is_given_up(broker: &mut dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?.timeout(SHORT);
    broker.freeze()?;
    let begun = Instant::now();
    let error = letters.drop(&Selection::all()).unwrap_err();
    ensure!(begun.elapsed() < LONG, "{error} after {:?}", begun.elapsed());
    broker.thaw()?;
    let letters = letters.timeout(LONG);
    ensure!(letters.list(&Selection::all())?.letters.len() == 3);
    check_count(broker, "shop", 3)
}

pub(super) fn short_of_memory_loses_nothing(broker: &mut dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?.timeout(SHORT);
    broker.memory_alarm(true)?;
    // What only reads is served all the same.
    ensure!(letters.clone().timeout(LONG).list(&Selection::all())?.letters.len() == 3);
    let begun = Instant::now();
    let error = letters.requeue(&Selection::all()).unwrap_err();
    ensure!(begun.elapsed() < LONG, "{error} after {:?}", begun.elapsed());
    // The letter is in its place again, although the connection that publishes is stuck.
    eventually(LONG, || Ok(check_count(broker, "shop", 3).is_ok()))?;
    broker.memory_alarm(false)?;
    ensure!(letters.timeout(LONG).requeue(&Selection::all())?.done == 3);
    // Nothing was published under the alarm that could have come through after it.
    ensure!(broker.queue("shop")?.is_some_and(|queue| queue.messages == 3));
    check_count(broker, "shop", 0)
}
