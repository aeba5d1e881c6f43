//! Dead letters are read, put back and thrown away; none is lost, and their order stays.

mod crowd;
mod kinds;
mod trouble;
pub(crate) mod written;

use std::time::Duration;

use amiquip::{AmqpProperties, AmqpValue, FieldTable};
use anyhow::{Context, ensure};
use guirpc::dead_letters::Selection;
use guirpc::{DeadLetter, DeadLetters};
use harness::{Broker, Case, eventually};
use serde_json::json;
use written::{Letter, Post, check_count, text};

use crate::raw::{Publisher, long, short};
use crate::service::{LONG, SERVICE, serve};
use crate::workload::counted;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("dead_letters::a_list_is_oldest_first_and_changes_nothing", a_list_changes_nothing),
        Case::shared("dead_letters::one_letter_is_shown_whole", one_letter_is_shown_whole),
        Case::shared("dead_letters::requeue_runs_the_function_again", requeue_runs_the_function_again),
        Case::shared("dead_letters::what_is_requeued_is_the_request_that_it_was", it_is_the_request_that_it_was),
        Case::shared("dead_letters::drop_takes_what_was_chosen", drop_takes_what_was_chosen),
        Case::shared("dead_letters::no_queue_is_no_letters", no_queue_is_no_letters),
        Case::shared("dead_letters::a_missing_origin_loses_nothing", trouble::a_missing_origin_loses_nothing),
        Case::shared("dead_letters::a_forged_origin_is_not_trusted", trouble::a_forged_origin_is_not_trusted),
        Case::shared("dead_letters::odd_letters_are_letters", odd_letters_are_letters),
        Case::shared("dead_letters::whoever_looks_keeps_others_waiting", trouble::whoever_looks_keeps_others_waiting),
        Case::exclusive("dead_letters::a_frozen_broker_is_given_up", trouble::a_frozen_broker_is_given_up),
        Case::exclusive("dead_letters::a_broker_short_of_memory_loses_nothing", trouble::short_of_memory_loses_nothing),
        Case::shared("dead_letters::thirty_looks_change_nothing_on_any_queue", kinds::thirty_looks_change_nothing),
        Case::shared("dead_letters::a_killed_requeue_loses_and_doubles_nothing", kinds::a_killed_requeue),
        Case::shared("dead_letters::a_killed_look_loses_and_doubles_nothing", kinds::a_killed_look),
        Case::shared("dead_letters::two_who_requeue_the_same_do_it_once", kinds::two_who_requeue_the_same_do_it_once),
        Case::shared("dead_letters::copies_of_one_letter_are_merged", kinds::copies_of_one_letter_are_merged),
        Case::rabbitmq_shared("dead_letters::policies_take_no_letter", kinds::policies_take_no_letter),
        Case::shared("dead_letters::ten_thousand_are_listed_in_little_memory", crowd::ten_thousand_in_little_memory),
    ]
}

fn letters(broker: &dyn Broker, service: &str) -> anyhow::Result<DeadLetters> {
    Ok(DeadLetters::connect(&broker.uri(), service)?.timeout(LONG))
}

/// Letters that can be told apart, in a service that nobody serves.
fn write_three(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    post.declare("shop")?;
    post.write(
        "shop",
        [
            Letter::new("shop", "price", "first", "[1]"),
            Letter::new("shop", "place", "second", "[2]").header("guirpc-dead-reason", text("crashed")),
            Letter::new("shop", "price", "third", "[3]"),
        ],
    )?;
    post.close()
}

fn ids(letters: &[DeadLetter]) -> Vec<&str> {
    letters.iter().filter_map(DeadLetter::correlation_id).collect()
}

fn a_list_changes_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?;
    for _ in 0..3 {
        let list = letters.list(&Selection::all())?;
        ensure!(ids(&list.letters) == ["first", "second", "third"] && list.unread == 0, "{list:?}");
        ensure!(list.letters.iter().map(DeadLetter::number).eq(1..=3));
        // One that ends early lets go of what it holds as well.
        let list = letters.list(&Selection::all().limit(2))?;
        ensure!(ids(&list.letters) == ["first", "second"] && list.unread == 1, "{list:?}");
        check_count(broker, "shop", 3)?;
    }
    let list = letters.list(&Selection::all().function("price").reason("failed"))?;
    ensure!(ids(&list.letters) == ["first", "third"], "{list:?}");
    Ok(())
}

fn one_letter_is_shown_whole(broker: &dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?;
    for id in ["2", "second"] {
        let letter = letters.first(&Selection::all().id(id))?.context("it is there")?;
        ensure!((letter.number(), letter.function(), letter.reason()) == (2, "place", Some("crashed")), "{letter:?}");
        ensure!((letter.status(), letter.message(), letter.attempts()) == (Some(500), Some("no tea"), 4), "{letter:?}");
        ensure!((letter.queue(), letter.app_id(), letter.size()) == ("shop", Some("tests"), 3), "{letter:?}");
        ensure!(letter.body() == Some(b"[2]") && letter.arguments() == Ok(json!([2])), "{letter:?}");
        ensure!(letter.headers().iter().map(|(name, _)| name).eq(["tenant"]), "{letter:?}");
        ensure!(letter.dead_since().is_some(), "{letter:?}");
    }
    ensure!(letters.first(&Selection::all().id("4"))?.is_none());
    check_count(broker, "shop", 3)
}

fn requeue_runs_the_function_again(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let post = Post::open(broker)?;
    post.write(SERVICE, (0..3).map(|n| Letter::new(SERVICE, "count", &format!("id-{n}"), r#"["tea"]"#)))?;
    let letters = letters(broker, SERVICE)?;
    let outcome = letters.requeue(&Selection::all().id("id-1"))?;
    ensure!(outcome.done == 1 && outcome.kept_count == 0 && outcome.missing.is_empty(), "{outcome:?}");
    eventually(LONG, || Ok(counted::call(&client, "tea")? == 1))?;
    ensure!(ids(&letters.list(&Selection::all())?.letters) == ["id-0", "id-2"]);
    ensure!(letters.requeue(&Selection::all())?.done == 2);
    eventually(LONG, || Ok(counted::call(&client, "tea")? == 3))?;
    check_count(broker, SERVICE, 0)
}

fn it_is_the_request_that_it_was(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    for queue in ["shop.reports", "elsewhere"] {
        post.declare(queue)?;
    }
    let copies = AmqpValue::FieldArray(vec![text("elsewhere")]);
    let letter = Letter::new("shop.reports", "place", "id", "[1]").header("CC", copies.clone());
    post.write("shop", [letter])?;
    // The broker has done what it asks for when it was written.
    post.take("elsewhere")?;
    ensure!(letters(broker, "shop")?.requeue(&Selection::all())?.done == 1);
    let mut request = post.take("shop.reports")?;
    let mut headers = request.properties.headers().clone().unwrap_or_default();
    ensure!(headers.remove("guirpc-dead-id").is_some(), "it says which letter it was");
    request.properties = request.properties.with_headers(headers);
    let mut headers = FieldTable::new();
    headers.insert("tenant".to_owned(), text("acme"));
    let expected = AmqpProperties::default()
        .with_type_("place".to_owned())
        .with_content_type("application/json".to_owned())
        .with_correlation_id("id".to_owned())
        .with_app_id("tests".to_owned())
        .with_delivery_mode(2)
        .with_headers(headers);
    ensure!(request.properties == expected, "{:?}", request.properties);
    ensure!(request.body == b"[1]" && !request.redelivered);
    ensure!(broker.queue("elsewhere")?.is_some_and(|queue| queue.messages == 0));
    Ok(())
}

fn drop_takes_what_was_chosen(broker: &dyn Broker) -> anyhow::Result<()> {
    write_three(broker)?;
    let letters = letters(broker, "shop")?;
    let outcome = letters.drop(&Selection::all().id("secund").id("9"))?;
    ensure!(outcome.done == 0 && outcome.missing.len() == 2, "{outcome:?}");
    ensure!(outcome.missing[0].to_string() == "there is no dead letter `secund`; did you mean `second`?");
    ensure!(outcome.missing[1].to_string() == "there is no dead letter `9`; there are 3");
    ensure!(letters.drop(&Selection::all().function("price").limit(1))?.done == 1);
    ensure!(ids(&letters.list(&Selection::all())?.letters) == ["second", "third"]);
    ensure!(letters.drop(&Selection::all().id("2").id("1"))?.done == 2);
    check_count(broker, "shop", 0)
}

fn no_queue_is_no_letters(broker: &dyn Broker) -> anyhow::Result<()> {
    let letters = letters(broker, "shop")?;
    ensure!(letters.list(&Selection::all())?.letters.is_empty());
    ensure!(letters.first(&Selection::all())?.is_none());
    ensure!(letters.requeue(&Selection::all())?.done == 0);
    ensure!(letters.drop(&Selection::all().id("1"))?.done == 0);
    // Nothing of the kind was made by looking.
    ensure!(broker.queue("shop.dead")?.is_none());
    ensure!(broker.queue("shop.dead.requeued")?.is_none());
    eventually(LONG, || Ok(broker.queue("shop.dead.reader")?.is_none()))
}

/// Whoever may publish can put anything there.
fn odd_letters_are_letters(broker: &dyn Broker) -> anyhow::Result<()> {
    const HEADERS: u16 = 1 << 13;
    const TYPE: u16 = 1 << 5;
    let post = Post::open(broker)?;
    post.declare("shop")?;
    let odd =
        [AmqpValue::Void, AmqpValue::LongLongInt(i64::MAX), AmqpValue::ByteArray(vec![0xff]), text(&"x".repeat(999))];
    let names =
        ["guirpc-dead-reason", "guirpc-dead-queue", "guirpc-dead-time", "guirpc-dead-status", "guirpc-dead-message"];
    let letters_with = |value: &AmqpValue| {
        let letter = Letter::new("shop", "price", "odd", "[1]").body(vec![0xc1; 100]);
        names.iter().fold(letter, |letter, name| letter.header(name, value.clone()))
    };
    post.write("shop", odd.iter().map(letters_with))?;
    let mut publisher = Publisher::connect(&broker.uri())?;
    let table = |name, field: Vec<u8>| long(&[short(name), field].concat());
    let array = |fields: &[u8]| [b"A", &long(fields)[..]].concat();
    let nested = (0..3000).fold(vec![], |inner: Vec<u8>, _| array(&inner));
    let copy = array(&[b"S", &long(b"shop.dead")[..]].concat());
    for (routing_key, flags, properties) in [
        (&b"shop.dead"[..], 0, vec![]),
        (b"shop.dead", TYPE, short(b"\xff")),
        (b"shop.dead", HEADERS, table(b"nested", nested)),
        // It lies in the queue under a routing key that is no text.
        (b"\xff", HEADERS, table(b"CC", copy)),
    ] {
        publisher.publish(routing_key, flags, &properties, b"\xc1")?;
    }
    publisher.close()?;
    let letters = letters(broker, "shop")?;
    let list = letters.list(&Selection::all())?;
    ensure!(list.letters.len() == 8, "{list:?}");
    for number in 1..=8 {
        let letter = letters.first(&Selection::all().id(number.to_string()))?.context("it is there")?;
        ensure!(letter.arguments().is_err(), "{letter:?}");
    }
    // The one with a queue of 999 letters stays, as it is none of the service's.
    let outcome = letters.requeue(&Selection::all())?;
    ensure!((outcome.done, outcome.kept_count) == (7, 1), "{outcome:?}");
    ensure!(outcome.kept[0].reason.contains("it says that it was taken off `xxx"), "{outcome:?}");
    let outcome = letters.requeue_into(&"x".repeat(999), &Selection::all())?;
    ensure!(outcome.kept[0].reason.contains("AMQP allows 255"), "{outcome:?}");
    ensure!(broker.queue("shop")?.is_some_and(|queue| queue.messages == 7));
    check_count(broker, "shop", 1)?;
    ensure!(letters.timeout(Duration::from_secs(20)).drop(&Selection::all())?.done == 1);
    check_count(broker, "shop", 0)
}
