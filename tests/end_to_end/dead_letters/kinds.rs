//! Queues of every type and under every limit keep their letters, whoever looks, and whoever is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use amiquip::AmqpValue;
use anyhow::{Context, ensure};
use guirpc::DeadLetter;
use guirpc::dead_letters::Selection;
use harness::{Broker, RabbitMq, eventually};

use super::crowd::{guirpc_dead, requeued};
use super::written::{Letter, Post, check_count, text};
use super::{ids, letters};
use crate::service::LONG;

/// A queue of dead letters, and the service that it is of.
struct Kind {
    service: &'static str,
    arguments: Vec<(&'static str, AmqpValue)>,
}

fn kinds() -> Vec<Kind> {
    let number = AmqpValue::LongInt;
    let kind = |service, arguments| Kind { service, arguments };
    let classic = ("x-queue-type", text("classic"));
    let quorum = || ("x-queue-type", text("quorum"));
    vec![
        kind("classic", vec![]),
        kind("explicit", vec![classic]),
        kind("prior", vec![("x-max-priority", number(5))]),
        kind("short", vec![("x-max-length", number(3))]),
        kind("quorum", vec![quorum()]),
        kind("ours", vec![quorum(), ("x-delivery-limit", number(1_000_000))]),
        kind("limit-3", vec![quorum(), ("x-delivery-limit", number(3))]),
        kind("limit-0", vec![quorum(), ("x-delivery-limit", number(0))]),
        kind("quorum-short", vec![quorum(), ("x-max-length", number(3)), ("x-delivery-limit", number(3))]),
        kind(
            "quorum-rejecting",
            vec![
                quorum(),
                ("x-max-length", number(4)),
                ("x-overflow", text("reject-publish")),
                ("x-delivery-limit", number(3)),
            ],
        ),
    ]
}

/// Of one letter guirpc says the id, of the others it does not.
fn write_three(post: &Post, kind: &Kind) -> anyhow::Result<()> {
    let letter = |id: &str| Letter::new(kind.service, "price", id, "[1]");
    post.declare(kind.service)?;
    post.declare_with(&format!("{}.dead", kind.service), &kind.arguments)?;
    let stamped = letter("second").header("guirpc-dead-id", text("an-id"));
    post.write_into_declared(kind.service, [letter("first"), stamped, letter("third")])
}

/// Looks at three letters thirty times, in every way in which one can look.
fn look_thirty_times(broker: &dyn Broker, service: &str) -> anyhow::Result<()> {
    let letters = letters(broker, service)?;
    for look in 0..30 {
        let list = match look % 3 {
            0 => letters.list(&Selection::all())?,
            1 => letters.list(&Selection::all().limit(2))?,
            _ => {
                let letter = letters.first(&Selection::all().id("second"))?.context("it is there")?;
                ensure!(letter.number() == 2 && letter.body() == Some(b"[1]"), "{letter:?}");
                ensure!(letter.headers().iter().map(|(name, _)| name).eq(["tenant"]), "{letter:?}");
                ensure!(letters.requeue(&Selection::all().id("nobody"))?.done == 0);
                letters.list(&Selection::all())?
            }
        };
        let expected = ["first", "second", "third"];
        let count = if look % 3 == 1 { 2 } else { 3 };
        ensure!(ids(&list.letters) == expected[..count] && list.unread == 3 - count, "look {look}: {list:?}");
        ensure!(list.letters.iter().map(DeadLetter::number).eq(1..=count), "look {look}: {list:?}");
    }
    eventually(LONG, || Ok(check_count(broker, service, 3).is_ok())).context("three letters, and none is held")?;
    ensure!(broker.queue(&format!("{service}.dead.requeued"))?.is_none(), "the journal is left");
    Ok(())
}

fn requeue_three(broker: &dyn Broker, post: &Post, service: &str) -> anyhow::Result<()> {
    ensure!(letters(broker, service)?.requeue(&Selection::all())?.done == 3);
    let times = requeued(post, service)?;
    ensure!(times.len() == 3 && times.values().all(|times| *times == 1), "{times:?}");
    eventually(LONG, || Ok(check_count(broker, service, 0).is_ok()))
}

pub(super) fn thirty_looks_change_nothing(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    for kind in kinds() {
        let service = kind.service;
        let looked = write_three(&post, &kind)
            .and_then(|()| look_thirty_times(broker, service))
            .and_then(|()| requeue_three(broker, &post, service));
        looked.with_context(|| format!("queue `{service}`"))?;
    }
    Ok(())
}

pub(super) fn policies_take_no_letter(broker: &RabbitMq) -> anyhow::Result<()> {
    let uri = broker.uri();
    let (_, vhost) = uri.rsplit_once('/').context("it names a virtual host")?;
    let vhost = &vhost.replace("%2D", "-");
    let post = Post::open(broker)?;
    for (service, policy) in [
        ("delivery", r#"{"delivery-limit": 3}"#),
        ("impatient", r#"{"delivery-limit": 0}"#),
        ("length", r#"{"max-length": 3, "delivery-limit": 3}"#),
        ("expiring", r#"{"message-ttl": 600000, "delivery-limit": 1}"#),
    ] {
        let pattern = format!("^{service}");
        broker.ctl(&["set_policy", "-p", vhost, "--apply-to", "queues", service, &pattern, policy])?;
        for (queue, arguments) in [
            (format!("{service}-classic"), vec![]),
            (format!("{service}-quorum"), vec![("x-queue-type", text("quorum"))]),
        ] {
            let kind = Kind { service: queue.leak(), arguments };
            write_three(&post, &kind)
                .and_then(|()| look_thirty_times(broker, kind.service))
                .and_then(|()| requeue_three(broker, &post, kind.service))
                .with_context(|| format!("queue `{}` with {policy}", kind.service))?;
        }
    }
    Ok(())
}

/// Queues of each type that can be killed at: a delivery limit is above what kills can cost one letter.
fn durable_kinds() -> [Kind; 2] {
    let quorum = vec![("x-queue-type", text("quorum")), ("x-delivery-limit", AmqpValue::LongInt(3))];
    [Kind { service: "classic", arguments: vec![] }, Kind { service: "quorum", arguments: quorum }]
}

fn write_many(post: &Post, kind: &Kind, count: usize) -> anyhow::Result<()> {
    post.declare(kind.service)?;
    post.declare_with(&format!("{}.dead", kind.service), &kind.arguments)?;
    let letter = |n| Letter::new(kind.service, "price", &format!("id-{n}"), "[1]");
    post.write_into_declared(kind.service, (0..count).map(letter))
}

fn messages(broker: &dyn Broker, queue: &str) -> anyhow::Result<usize> {
    Ok(broker.queue(queue)?.context("it is there")?.messages)
}

fn check_once(times: &BTreeMap<String, usize>, count: usize) -> anyhow::Result<()> {
    let lost = count - times.len();
    let doubled: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(lost == 0 && doubled.is_empty(), "{lost} are lost, and doubled are {doubled:?}");
    Ok(())
}

/// Killed between the publishing and the removing of a letter, or anywhere else.
pub(super) fn a_killed_requeue(broker: &dyn Broker) -> anyhow::Result<()> {
    const COUNT: usize = 1500;
    const KILLS: usize = 5;
    let post = Post::open(broker)?;
    for kind in durable_kinds() {
        write_many(&post, &kind, COUNT)?;
        for _ in 0..KILLS {
            let mut program = guirpc_dead(broker, &["requeue", kind.service, "--all"])?;
            let before = messages(broker, kind.service)?;
            eventually(LONG, || Ok(messages(broker, kind.service)? > before + 20))?;
            program.kill()?;
            ensure!(!program.wait(LONG)?.success(), "it was done before it was killed");
            // What was put back is no letter any more.
            let letters = letters(broker, kind.service)?;
            let left = letters.list(&Selection::all())?.letters.len();
            ensure!(left + messages(broker, kind.service)? == COUNT, "{left} are left");
        }
        let left = letters(broker, kind.service)?.requeue(&Selection::all())?.done;
        ensure!(left > 0 && left < COUNT, "{left}");
        eventually(LONG, || Ok(check_count(broker, kind.service, 0).is_ok()))?;
        check_once(&requeued(&post, kind.service)?, COUNT).with_context(|| format!("queue `{}`", kind.service))?;
    }
    Ok(())
}

/// A look that is killed has taken letters, copied some, and removed some of these.
pub(super) fn a_killed_look(broker: &dyn Broker) -> anyhow::Result<()> {
    const COUNT: usize = 500;
    let post = Post::open(broker)?;
    for kind in durable_kinds() {
        write_many(&post, &kind, COUNT)?;
        for _ in 0..5 {
            let mut program = guirpc_dead(broker, &["list", kind.service])?;
            let queue = format!("{}.dead", kind.service);
            eventually(LONG, || {
                // A look that is over before it is seen is followed by another.
                if program.wait(Duration::ZERO).is_ok() {
                    program = guirpc_dead(broker, &["list", kind.service])?;
                }
                Ok(broker.queue(&queue)?.is_some_and(|queue| queue.unacked > 0))
            })?;
            program.kill()?;
            program.wait(LONG)?;
        }
        let letters = letters(broker, kind.service)?;
        let list = letters.list(&Selection::all())?.letters;
        ensure!(list.len() == COUNT, "{} letters of `{}`", list.len(), kind.service);
        ensure!(letters.requeue(&Selection::all())?.done == COUNT);
        check_once(&requeued(&post, kind.service)?, COUNT).with_context(|| format!("queue `{}`", kind.service))?;
    }
    Ok(())
}

pub(super) fn two_who_requeue_the_same_do_it_once(broker: &dyn Broker) -> anyhow::Result<()> {
    const COUNT: usize = 300;
    let post = Post::open(broker)?;
    for kind in durable_kinds() {
        write_many(&post, &kind, COUNT)?;
        let requeue = || guirpc_dead(broker, &["requeue", kind.service, "--all"]);
        let look = || guirpc_dead(broker, &["list", kind.service]);
        let mut programs = [requeue()?, look()?, requeue()?];
        let letters = letters(broker, kind.service)?;
        while letters.requeue(&Selection::all().limit(50))?.done > 0 {}
        for program in &mut programs {
            ensure!(program.wait(LONG)?.success(), "{:?}", program.stderr());
        }
        eventually(LONG, || Ok(check_count(broker, kind.service, 0).is_ok()))?;
        check_once(&requeued(&post, kind.service)?, COUNT).with_context(|| format!("queue `{}`", kind.service))?;
    }
    Ok(())
}

/// As they lie there after a look died between copying a letter and removing it.
pub(super) fn copies_of_one_letter_are_merged(broker: &dyn Broker) -> anyhow::Result<()> {
    let post = Post::open(broker)?;
    let [_, kind] = durable_kinds();
    write_three(&post, &kind)?;
    let copy = Letter::new(kind.service, "price", "second", "[1]")
        .header("guirpc-dead-id", text("an-id"))
        .header("guirpc-dead-look", text("somebody who died"));
    post.write_into_declared(kind.service, [copy])?;
    let letters = letters(broker, kind.service)?;
    ensure!(ids(&letters.list(&Selection::all())?.letters) == ["first", "second", "third"]);
    // Two that say the same were never one.
    let same = || Letter::new(kind.service, "price", "same", "[1]");
    post.write_into_declared(kind.service, [same(), same()])?;
    for _ in 0..3 {
        let list = letters.list(&Selection::all())?;
        ensure!(ids(&list.letters) == ["first", "second", "third", "same", "same"], "{list:?}");
    }
    Ok(())
}
