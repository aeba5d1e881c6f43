//! Calls that travel together, as a server sees them that is written by hand; and many calls at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use amiquip::Delivery;
use anyhow::{Context, bail, ensure};
use futures_util::StreamExt as _;
use guirpc::{CallError, Client, ClientConfig, Coalescing, Pending, Server};
use harness::{Broker, Case, eventually};
use serde_bytes::ByteBuf;
use tokio::runtime;

use by_hand::{ByHand, CALLS, MSGPACK, Reply, correlation_id, output, sum, together};

use crate::service::{LONG, SERVICE, setup};
use crate::workload::{User, add, birthday, describe, find, nothing, sleep};

mod by_hand;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("coalescing::calls_travel_together_and_are_answered_each", answered_each),
        Case::shared("coalescing::no_call_waits_for_ever", no_call_waits_for_ever),
        Case::shared("coalescing::no_call_waits_for_one_that_is_given_up", no_call_waits_for_one_that_is_given_up),
        Case::shared("coalescing::who_does_not_understand_gets_single_calls", who_does_not_understand),
        Case::shared("coalescing::what_is_refused_as_a_whole_is_called_singly", refused_as_a_whole),
        Case::shared("coalescing::replies_that_cannot_be_read_cost_nobody_else", unreadable_replies),
        Case::shared("coalescing::a_lost_connection_is_each_calls_own", a_lost_connection),
        Case::shared("coalescing::a_function_may_say_so", a_function_may_say_so),
        Case::shared("coalescing::settings_may_say_so", settings_may_say_so),
        Case::shared("coalescing::all_kinds_of_calls_at_once", all_kinds_of_calls_at_once),
        Case::shared("coalescing::many_calls_give_their_results_in_order", many_in_order),
        Case::shared("coalescing::many_calls_are_under_way_as_far_as_allowed", many_in_flight),
        Case::shared("coalescing::many_calls_of_a_client_without_room_wait", many_without_room),
        Case::shared("coalescing::a_stream_of_many_calls_blocks_no_thread", a_stream_blocks_no_thread),
    ]
}

mod cheap {
    /// Adds.
    #[guirpc::function(service = "guirpc-tests", coalesce)]
    pub(super) fn add(a: i64, b: i64) -> i64;
}

/// One whose calls travel together only if the test says so.
fn client(broker: &dyn Broker) -> anyhow::Result<Client> {
    Ok(Client::connect(broker.uri())?.with_timeout(LONG))
}

/// Calls that wait for as long as there is one message unanswered.
fn coalescing(client: &Client) -> Client {
    client.with_coalescing(Coalescing::default().window(1).linger(LONG / 3))
}

fn start(client: &Client, numbers: impl IntoIterator<Item = i64>) -> anyhow::Result<Vec<Pending<i64>>> {
    numbers.into_iter().map(|n| add::start(client, n, 1).map_err(Into::into)).collect()
}

/// A call that is under way by itself, so that others wait for each other.
fn occupy(by_hand: &ByHand, client: &Client) -> anyhow::Result<(Pending<i64>, Delivery)> {
    let call = add::start(client, 0, 1)?;
    Ok((call, by_hand.next(SERVICE)?))
}

fn answered_each(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = coalescing(&client(broker)?).with_app_id("tests").with_header("tenant", "a");
    let (first, single) = occupy(&by_hand, &client)?;
    let [one, two, three, four] = <[_; 4]>::try_from(start(&client, 1..=4)?).expect("they are four");
    ensure!(by_hand.is_empty(SERVICE)? && by_hand.is_empty(CALLS)?, "they wait");
    by_hand.answer(&single)?;
    ensure!(first.wait()? == 1);
    let (message, calls) = by_hand.next_together()?;
    let properties = &message.properties;
    ensure!(properties.type_().as_deref() == Some("guirpc.calls"), "{properties:?}");
    ensure!(properties.content_type().as_deref() == Some(MSGPACK), "{properties:?}");
    ensure!(
        (properties.app_id().as_deref(), properties.delivery_mode()) == (Some("tests"), &Some(1)),
        "{properties:?}"
    );
    let expiration: u64 = properties.expiration().as_deref().context("it expires")?.parse()?;
    ensure!((1..=30_000).contains(&expiration) && properties.headers().is_none(), "{properties:?}");
    ensure!(calls.len() == 4, "{calls:?}");
    for (id, function, content_type, deadline, timeout, headers, _) in &calls {
        ensure!(id != correlation_id(&message)? && function == "add" && content_type.is_none(), "{calls:?}");
        ensure!(deadline.is_some() && (1..=30_000).contains(&timeout.unwrap_or_default()), "{calls:?}");
        ensure!(headers.as_ref().is_some_and(|headers| headers["tenant"] == "a"), "{calls:?}");
    }
    let message_of = |text: &str| {
        Ok::<_, anyhow::Error>(ByteBuf::from(rmp_serde::to_vec_named(&BTreeMap::from([("message", text)]))?))
    };
    let refused = |status, kind: &str, id: &str, text| {
        Ok::<Reply, anyhow::Error>((
            id.to_owned(),
            Some(kind.to_owned()),
            status,
            Some(MSGPACK.to_owned()),
            None,
            message_of(text)?,
        ))
    };
    // In any order, together or not.
    by_hand.reply(&message, &calls[3].0, "output", 200, &sum(&calls[3].6)?)?;
    ensure!(four.wait()? == 5);
    by_hand.reply_together(&message, &[refused(500, "fault", &calls[2].0, "broken")?, output(&calls[0])?])?;
    ensure!(one.wait()? == 2);
    let error = three.wait().unwrap_err();
    ensure!(matches!(&error, CallError::Fault(fault) if fault.message() == "broken"), "{error}");
    by_hand.reply_together(&message, &[refused(404, "refusal", &calls[1].0, "unknown")?])?;
    let error = two.wait().unwrap_err();
    ensure!(matches!(&error, CallError::Refused(refusal) if refusal.message() == "unknown"), "{error}");
    ensure!(!error.may_have_run());
    // All are answered, so the next goes by itself again.
    let (next, single) = occupy(&by_hand, &client)?;
    by_hand.answer(&single)?;
    ensure!(next.wait()? == 1 && client.late_replies() == 0);
    Ok(())
}

fn no_call_waits_for_ever(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let linger = Duration::from_secs(1);
    let client = client(broker)?.with_coalescing(Coalescing::default().window(1).linger(linger));
    let _occupied = occupy(&by_hand, &client)?;
    let begun = Instant::now();
    let _two = start(&client, [1, 2])?;
    ensure!(by_hand.next_together()?.1.len() == 2);
    ensure!(begun.elapsed() >= linger && begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    let _one = start(&client, [3])?;
    ensure!(by_hand.next(SERVICE)?.properties.type_().as_deref() == Some("add"), "one is an ordinary call");
    Ok(())
}

fn no_call_waits_for_one_that_is_given_up(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let coalescing = Coalescing::default().window(1).linger(2 * LONG);
    let client = client(broker)?.with_timeout(4 * LONG).with_coalescing(coalescing);
    let (first, _) = occupy(&by_hand, &client)?;
    let _two = start(&client, [1, 2])?;
    drop(first);
    ensure!(by_hand.next_together()?.1.len() == 2);
    Ok(())
}

fn who_does_not_understand(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE])?;
    let client = client(broker)?.with_coalescing(Coalescing::default().window(1).max_calls(3).linger(LONG / 3));
    let (first, single) = occupy(&by_hand, &client)?;
    let calls = start(&client, 1..=7)?;
    by_hand.answer(&single)?;
    ensure!(first.wait()? == 1);
    for _ in &calls {
        by_hand.answer(&by_hand.next(SERVICE)?)?;
    }
    for (n, call) in (2..).zip(calls) {
        ensure!(call.wait()? == n);
    }
    ensure!(by_hand.is_empty(SERVICE)? && client.late_replies() == 0, "each was called once");
    Ok(())
}

fn refused_as_a_whole(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = coalescing(&client(broker)?);
    let (_first, single) = occupy(&by_hand, &client)?;
    let calls = start(&client, 1..=3)?;
    by_hand.answer(&single)?;
    let (message, together) = by_hand.next_together()?;
    ensure!(together.len() == 3, "{together:?}");
    by_hand.reply(&message, correlation_id(&message)?, "refusal", 413, b"\xa3no!")?;
    for _ in &calls {
        by_hand.answer(&by_hand.next(SERVICE)?)?;
    }
    for (n, call) in (2..).zip(calls) {
        ensure!(call.wait()? == n);
    }
    Ok(())
}

fn unreadable_replies(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = coalescing(&client(broker)?);
    let (_first, single) = occupy(&by_hand, &client)?;
    let calls = start(&client, 1..=2)?;
    by_hand.answer(&single)?;
    let (message, together_calls) = by_hand.next_together()?;
    let stranger: Reply = ("A".repeat(32), None, 200, None, None, ByteBuf::from(b"\x01"));
    for body in [&b""[..], b"\x90", b"\xdd\xff\xff\xff\xff", b"\x91\x92\xa1a\xc0", b"no"] {
        by_hand.publish(&message, together(), body)?;
    }
    by_hand.reply_together(&message, &[stranger, output(&together_calls[1])?, output(&together_calls[1])?])?;
    by_hand.reply_together(&message, &[output(&together_calls[0])?])?;
    for (n, call) in (2..).zip(calls) {
        ensure!(call.wait()? == n);
    }
    eventually(LONG, || Ok(client.late_replies() == 2))
}

fn a_lost_connection(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = coalescing(&client(broker)?);
    let (_first, single) = occupy(&by_hand, &client)?;
    let ada = User { name: "ada".to_owned(), age: 36, picture: Vec::new() };
    let once = add::start(&client, 1, 1)?;
    let repeated = birthday::start(&client, ada.clone(), None)?;
    by_hand.answer(&single)?;
    let (_, calls) = by_hand.next_together()?;
    let waiting = start(&client, [7])?;
    drop(by_hand);
    broker.close_all_connections("for the test")?;
    let error = once.wait().unwrap_err();
    ensure!(matches!(error, CallError::Disconnected { sent: true, .. }) && error.may_have_run(), "{error:?}");
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let again = by_hand.next(SERVICE)?;
    ensure!(again.properties.type_().as_deref() == Some("birthday"), "{:?}", again.properties);
    ensure!(correlation_id(&again)? == calls[1].0, "it is the same call");
    by_hand.reply(&again, correlation_id(&again)?, "output", 200, &rmp_serde::to_vec_named(&ada)?)?;
    ensure!(repeated.wait()? == ada);
    by_hand.answer(&by_hand.next(SERVICE)?)?;
    for call in waiting {
        ensure!(call.wait()? == 8, "it had not been sent");
    }
    Ok(())
}

/// A client with these settings, whose calls wait for each other for as long as that takes.
fn configured(broker: &dyn Broker, settings: &str) -> anyhow::Result<Client> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("client.toml");
    let always = format!("uri = \"{}\"\ncoalescing_linger = \"10s\"\n", broker.uri());
    std::fs::write(&file, format!("[client]\n{always}{settings}"))?;
    Ok(Client::configured(&ClientConfig::from_file(file)?)?.with_timeout(LONG))
}

fn a_function_may_say_so(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = configured(broker, "")?;
    let calls = |client: &Client| (0..66).map(|n| cheap::add::start(client, n, 1)).collect::<Result<Vec<_>, _>>();
    let _calls = calls(&client)?;
    // As many as the window has go alone.
    by_hand.next(SERVICE)?;
    by_hand.answer(&by_hand.next(SERVICE)?)?;
    ensure!(by_hand.next_together()?.1.len() == 64);
    let _calls = calls(&client.without_coalescing())?;
    for _ in 0..66 {
        by_hand.next(SERVICE)?;
    }
    Ok(())
}

fn settings_may_say_so(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = |settings: &str| configured(broker, &format!("coalescing_window = 1\n{settings}"));
    let together = client("coalescing = true\ncoalescing_max_calls = 3\n")?;
    let _calls = start(&together, 0..4)?;
    by_hand.next(SERVICE)?;
    ensure!(by_hand.next_together()?.1.len() == 3);
    let unset = client("coalescing_max_calls = 2\n")?;
    let _calls = start(&unset, 0..2)?;
    let _cheap = (0..3).map(|n| cheap::add::start(&unset, n, 1)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..3 {
        by_hand.next(SERVICE)?;
    }
    ensure!(by_hand.next_together()?.1.len() == 2, "the function says so, the settings say how");
    let _cheap = cheap::add::start(&client("coalescing = false\n")?, 0, 1)?;
    by_hand.next(SERVICE)?;
    Ok(())
}

fn all_kinds_of_calls_at_once(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let client = client(broker)?.with_coalescing(Coalescing::default().window(1));
    let slow = sleep::start(&client, 8000)?;
    let sums = start(&client, 0..2000)?;
    let texts = (0..100).map(|n| describe::start(&client, &n.to_string(), b"12")).collect::<Result<Vec<_>, _>>()?;
    let errors = (0..100).map(|_| find::start(&client, "bob")).collect::<Result<Vec<_>, _>>()?;
    let unknown = client.call_json_async(SERVICE, "ad", serde_json::json!({}));
    for (n, sum) in (1..).zip(sums) {
        ensure!(sum.wait()? == n);
    }
    for (n, text) in (0..).zip(texts) {
        ensure!(text.wait()? == format!("{n}: 2 bytes"));
    }
    for error in errors {
        ensure!(matches!(error.wait(), Err(CallError::Function(_))));
    }
    let unknown = unknown.wait().unwrap_err();
    ensure!(matches!(&unknown, CallError::Refused(refusal) if refusal.status() == 404), "{unknown}");
    let Err(slow) = slow.wait_timeout(Duration::ZERO) else { bail!("the quick ones waited for the slow one") };
    ensure!(slow.wait()? == 8000 && client.late_replies() == 0);
    Ok(())
}

fn many_in_order(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker))?;
    let plain = client(broker)?;
    for client in [plain.clone(), plain.with_coalescing(Coalescing::default())] {
        let sums = add::call_many(&client, (0..5000).map(|n| (n, 1)));
        ensure!(sums.size_hint() == (5000, Some(5000)));
        for (n, sum) in (1..).zip(sums) {
            ensure!(sum? == n);
        }
        let names = ["ada".to_owned(), "bob".to_owned(), "ada".to_owned()];
        let found: Vec<bool> =
            find::call_many(&client, names.iter().map(|name| (name.as_str(),))).map(|user| user.is_ok()).collect();
        ensure!(found == [true, false, true], "an error ends nothing");
        let mut texts = describe::call_many(&client, vec![("a", &b"1"[..]), ("b", b"22")]).in_flight(1);
        ensure!(texts.next().context("one")?? == "a: 1 bytes" && texts.next().context("two")?? == "b: 2 bytes");
        ensure!(texts.next().is_none() && texts.next().is_none());
        ensure!(nothing::call_many(&client, [(); 3]).flatten().count() == 3);
    }
    Ok(())
}

fn many_in_flight(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE])?;
    let client = client(broker)?;
    let mut sums = add::call_many(&client, (0..10).map(|n| (n, 1))).in_flight(3);
    ensure!(by_hand.is_empty(SERVICE)?, "nothing was asked for");
    let answered = std::thread::scope(|scope| {
        let first = scope.spawn(|| sums.next());
        let calls = (0..3).map(|_| by_hand.next(SERVICE)).collect::<Result<Vec<_>, _>>()?;
        ensure!(by_hand.is_empty(SERVICE)?, "three are under way");
        // The last first.
        calls.iter().rev().try_for_each(|call| by_hand.answer(call))?;
        first.join().expect("it does not panic").context("there are ten").map(|sum| (sum, calls.len()))
    })?;
    ensure!(answered == (Ok(1), 3), "{answered:?}");
    drop(sums);
    Ok(())
}

/// Nobody is told that there is no room while others of the same iterator make some.
fn many_without_room(_: &dyn Broker) -> anyhow::Result<()> {
    let client = Client::lazy("amqp://127.0.0.1:1")?.with_timeout(Duration::from_millis(50)).with_max_queued(1);
    let outcomes: Vec<_> = add::call_many(&client, (0..4).map(|n| (n, 1))).collect();
    ensure!(outcomes.len() == 4);
    for outcome in outcomes {
        ensure!(matches!(outcome, Err(CallError::Disconnected { sent: false, .. })), "{outcome:?}");
    }
    Ok(())
}

fn a_stream_blocks_no_thread(broker: &dyn Broker) -> anyhow::Result<()> {
    let by_hand = ByHand::serve(broker, &[SERVICE, CALLS])?;
    let client = coalescing(&client(broker)?);
    runtime::Builder::new_current_thread().build()?.block_on(async {
        let mut sums = add::call_many_async(&client, (0..4).map(|n| (n, 1)));
        let first = futures_util::future::poll_immediate(sums.next()).await;
        ensure!(first.is_none(), "it is under way: {first:?}");
        by_hand.answer(&by_hand.next(SERVICE)?)?;
        ensure!(sums.next().await.context("the first")?? == 1);
        let (message, calls) = by_hand.next_together()?;
        let replies = calls.iter().rev().map(output).collect::<Result<Vec<_>, _>>()?;
        by_hand.reply_together(&message, &replies)?;
        let rest: Vec<_> = sums.collect().await;
        ensure!(rest == [Ok(2), Ok(3), Ok(4)], "{rest:?}");
        Ok(())
    })
}
