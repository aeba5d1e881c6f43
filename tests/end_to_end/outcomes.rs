//! Whatever goes wrong with a call, its caller learns what, and whether the function may have run.

use std::time::{Duration, Instant};

use anyhow::ensure;
use guirpc::{CallError, Server};
use harness::{Broker, Case, eventually};
use serde_json::json;

use crate::service::{LONG, SERVICE, client, serve, setup};
use crate::workload::{add, count, headed, impatient, panic, reversed, sleep, zeros};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("outcomes::a_panic_is_a_fault", a_panic_is_a_fault),
        Case::shared("outcomes::bad_arguments_are_refused", bad_arguments_are_refused),
        Case::shared("outcomes::an_unknown_function_is_refused", an_unknown_function_is_refused),
        Case::shared("outcomes::an_unknown_service_is_unroutable", an_unknown_service_is_unroutable),
        Case::shared("outcomes::a_large_body_is_refused", a_large_body_is_refused),
        Case::shared("outcomes::a_large_or_malformed_reply_is_a_fault", a_large_or_malformed_reply_is_a_fault),
        Case::shared("outcomes::a_large_request_is_not_sent", a_large_request_is_not_sent),
        Case::shared("outcomes::a_call_has_a_deadline", a_call_has_a_deadline),
        Case::shared(
            "outcomes::a_call_outlives_its_client_and_any_timeout_fits",
            a_call_outlives_its_client_and_any_timeout_fits,
        ),
        Case::shared("outcomes::a_future_has_a_deadline", a_future_has_a_deadline),
        Case::shared("outcomes::what_nobody_waits_for_is_not_run", what_nobody_waits_for_is_not_run),
        Case::shared("outcomes::waiting_may_be_interrupted", waiting_may_be_interrupted),
        Case::shared("outcomes::overlong_names_are_not_sent", overlong_names_are_not_sent),
        Case::shared("outcomes::a_send_is_run", a_send_is_run),
        Case::shared("outcomes::an_unroutable_send_is_an_error", an_unroutable_send_is_an_error),
    ]
}

fn a_panic_is_a_fault(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let error = panic::call(&client, "ouch".to_owned()).unwrap_err();
    ensure!(error.may_have_run());
    let CallError::Fault(fault) = error else { anyhow::bail!("no fault: {error:?}") };
    ensure!(fault.status() == 500 && fault.message().contains("ouch"), "{fault:?}");
    // It costs nothing else.
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn bad_arguments_are_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    for (arguments, said) in [
        (json!({ "a": "1", "b": 2 }), "argument `a`"),
        (json!({ "a": 1 }), "`b` is missing"),
        (json!([1, 2, 3]), "too many arguments"),
    ] {
        let error = client.call_json(SERVICE, "add", arguments).unwrap_err();
        ensure!(!error.may_have_run() && !error.is_retryable());
        let CallError::Refused(refusal) = error else { anyhow::bail!("not refused: {error:?}") };
        ensure!(refusal.status() == 400 && refusal.message().contains(said), "{refusal:?}");
    }
    let user = json!({ "user": { "name": "ada", "age": 1000, "picture": [] } });
    let error = client.call_json(SERVICE, "birthday", user).unwrap_err().to_string();
    ensure!(error.contains("argument `user`: `age`"), "{error}");
    Ok(())
}

fn an_unknown_function_is_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let error = client.call_json(SERVICE, "ad", json!({})).unwrap_err();
    let CallError::Refused(refusal) = error else { anyhow::bail!("not refused: {error:?}") };
    ensure!(refusal.status() == 404 && refusal.message().contains("did you mean `add`?"), "{refusal:?}");
    Ok(())
}

fn an_unknown_service_is_unroutable(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    let begun = Instant::now();
    let error = add::call(&client.with_service("mth"), 1, 2).unwrap_err();
    ensure!(error == CallError::Unroutable { service: "mth".to_owned() }, "{error:?}");
    ensure!(!error.may_have_run() && error.is_retryable());
    ensure!(begun.elapsed() < LONG / 2, "it did not fail at once");
    Ok(())
}

fn a_large_body_is_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(1000))?;
    let client = client(broker)?;
    let error = reversed::call(&client, vec![0; 1001]).unwrap_err();
    let CallError::Refused(refusal) = error else { anyhow::bail!("not refused: {error:?}") };
    ensure!(refusal.status() == 413 && refusal.message().contains("1000"), "{refusal:?}");
    ensure!(reversed::call(&client, vec![0; 900])?.len() == 900);
    Ok(())
}

fn a_large_or_malformed_reply_is_a_fault(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).max_body(1000))?;
    let client = client(broker)?;
    let CallError::Fault(fault) = zeros::call(&client, 1001).unwrap_err() else { anyhow::bail!("no fault") };
    ensure!(fault.status() == 500 && fault.message().contains("at most 1000"), "{fault:?}");
    // A header's name of 256 bytes would kill the connection.
    let CallError::Fault(fault) = headed::call(&client, &"x".repeat(256)).unwrap_err() else {
        anyhow::bail!("no fault")
    };
    ensure!(fault.status() == 500 && fault.message().contains("255"), "{fault:?}");
    ensure!(zeros::call(&client, 900)?.len() == 900);
    Ok(())
}

fn a_large_request_is_not_sent(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?.with_max_body(1000);
    let error = reversed::call(&client, vec![0; 1001]).unwrap_err();
    ensure!(matches!(error, CallError::Unsendable { .. }) && error.to_string().contains("1000"), "{error:?}");
    Ok(())
}

fn a_call_has_a_deadline(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let timeout = Duration::from_secs(1);
    // Until a client has asked the broker for the exchange, it has sent nothing.
    ensure!(add::call(&client, 1, 2)? == 3);
    let begun = Instant::now();
    let error = sleep::call(&client.with_timeout(timeout), 3000).unwrap_err();
    ensure!(error == CallError::TimedOut { timeout, idempotent: false }, "{error:?}");
    ensure!(error.may_have_run() && !error.is_retryable());
    ensure!(begun.elapsed() >= timeout);
    // The reply comes all the same, and is dropped.
    eventually(LONG, || Ok(client.late_replies() == 1))?;
    // The function's own timeout holds if the client has none.
    let unset = guirpc::Client::connect(broker.uri())?;
    ensure!(add::call(&unset, 1, 2)? == 3);
    let error = impatient::call(&unset, 3000).unwrap_err();
    ensure!(error == CallError::TimedOut { timeout, idempotent: false }, "{error:?}");
    Ok(())
}

fn a_call_outlives_its_client_and_any_timeout_fits(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let call = sleep::start(&client.with_timeout(Duration::MAX), 100)?;
    drop(client);
    let Ok(outcome) = call.wait_timeout(Duration::MAX) else { anyhow::bail!("it did not wait") };
    ensure!(outcome? == 100);
    Ok(())
}

fn a_future_has_a_deadline(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let timeout = Duration::from_secs(1);
    ensure!(add::call(&client, 1, 2)? == 3);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let error = runtime.block_on(sleep::start(&client.with_timeout(timeout), 3000)?).unwrap_err();
    ensure!(error == CallError::TimedOut { timeout, idempotent: false }, "{error:?}");
    Ok(())
}

fn what_nobody_waits_for_is_not_run(broker: &dyn Broker) -> anyhow::Result<()> {
    let _server = Server::start(setup(broker).workers(1).clock_tolerance(Duration::ZERO))?;
    let client = client(broker)?;
    ensure!(add::call(&client, 1, 2)? == 3);
    let long = sleep::start(&client, 3000)?;
    // It is fetched at once and its turn comes when nobody waits any more.
    let short = count::start(&client.with_timeout(Duration::from_millis(500)), "expired")?;
    ensure!(matches!(short.wait(), Err(CallError::TimedOut { .. })));
    ensure!(long.wait()? == 3000);
    ensure!(count::call(&client, "expired")? == 1, "it was run");
    Ok(())
}

fn waiting_may_be_interrupted(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let pending = sleep::start(&client, 3000)?;
    let Err(pending) = pending.wait_timeout(Duration::from_millis(10)) else { anyhow::bail!("it cannot be done") };
    ensure!(pending.wait()? == 3000);
    Ok(())
}

fn overlong_names_are_not_sent(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    let long = "x".repeat(256);
    let huge = "x".repeat(200_000);
    for client in [
        client.with_service(&long),
        client.with_app_id(&long),
        client.with_header(&long, 1),
        client.with_header("h", huge),
    ] {
        let error = add::call(&client, 1, 2).unwrap_err();
        ensure!(matches!(error, CallError::Unsendable { .. }), "{error:?}");
    }
    // The connection has not suffered.
    ensure!(add::call(&client, 1, 2)? == 3);
    Ok(())
}

fn a_send_is_run(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client) = serve(broker)?;
    count::send(&client, "sent")?;
    client.send_json(SERVICE, "count", json!({ "name": "sent" }))?;
    eventually(LONG, || Ok(broker.queue(SERVICE)?.is_some_and(|queue| queue.messages == 0)))?;
    ensure!(count::call(&client, "sent")? == 3);
    Ok(())
}

fn an_unroutable_send_is_an_error(broker: &dyn Broker) -> anyhow::Result<()> {
    let client = client(broker)?;
    let error = count::send(&client.with_service("nobody"), "lost").unwrap_err();
    ensure!(error == CallError::Unroutable { service: "nobody".to_owned() }, "{error:?}");
    Ok(())
}
