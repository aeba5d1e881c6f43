//! Traces that no exporter takes part in: they go on from a caller through functions to those that these call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::ensure;
use guirpc::{Client, Context, Dialect, Fault, HeaderValue, Scope, Server, Setup};
use harness::{Broker, Case, eventually};

use crate::service::{LONG, client};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const STATE: &str = "vendor=1";
const BAGGAGE: &str = "user=ada";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("traces::a_trace_goes_on_through_functions", a_trace_goes_on_through_functions),
        Case::shared("traces::a_trace_goes_on_in_pythons_dialect", a_trace_goes_on_in_pythons_dialect),
        Case::shared("traces::what_is_no_trace_does_not_go_on", what_is_no_trace_does_not_go_on),
    ]
}

/// The headers of a trace.
type Trace = BTreeMap<String, String>;

/// What was sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<Trace>>>);

fn trace(context: &Context<'_>) -> Trace {
    let names = ["traceparent", "tracestate", "baggage"].into_iter();
    let text = |name| context.headers().get(name).and_then(HeaderValue::as_str).map(str::to_owned);
    names.filter_map(|name| Some((name.to_owned(), text(name)?))).collect()
}

/// The trace that it belongs to.
#[guirpc::function(service = "traced")]
fn trace_of(#[context] context: &Context<'_>) -> Trace {
    trace(context)
}

/// Keeps the trace that it belongs to.
#[guirpc::function(service = "traced")]
fn keep_trace(#[context] context: &Context<'_>, #[state] sent: &Sent) {
    sent.0.lock().expect("nobody panics with it").push(trace(context));
}

/// The traces that its calls belong to: its own, those of a thread in its scope and of one in none.
#[guirpc::function(service = "traced", timeout = "60s")]
fn traces_within(#[state] client: &Client) -> Result<Vec<Trace>, Fault> {
    keep_trace::send(client)?;
    let (scope, within, without) = (Scope::current(), client.clone(), client.clone());
    let within = thread::spawn(move || scope.run(|| trace_of::call(&within)));
    let without = thread::spawn(move || trace_of::call(&without));
    let join = |thread: thread::JoinHandle<Result<Trace, guirpc::CallError>>| {
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    };
    Ok(vec![trace_of::call(client)?, join(within)?, join(without)?])
}

/// The same of an `async fn`, after it has waited.
#[guirpc::function(service = "traced", timeout = "60s")]
async fn traces_within_later(#[state] client: &Client) -> Result<Vec<Trace>, Fault> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    keep_trace::send_async(client).await?;
    let (within, without) = (client.clone(), client.clone());
    let within = tokio::spawn(Scope::current().wrap(async move { trace_of::call_async(&within).await }));
    let without = tokio::spawn(async move { trace_of::call_async(&without).await });
    Ok(vec![trace_of::call_async(client).await?, within.await??, without.await??])
}

/// The trace that its call in Python's dialect belongs to.
#[guirpc::function(service = "traced", timeout = "60s")]
fn trace_within(#[state] client: &Client) -> Result<Trace, Fault> {
    Ok(trace_of::call(&in_python(client))?)
}

fn in_python(client: &Client) -> Client {
    client.with_dialect(Dialect::Python).with_exchange("guirpc").with_routing_key("traced")
}

fn serve(broker: &dyn Broker) -> anyhow::Result<(Server, Client, Sent)> {
    let (client, sent) = (client(broker)?, Sent::default());
    let setup = Setup::new(["traced"]).uri(broker.uri()).workers(16).state(client.clone()).state(sent.clone());
    Ok((Server::start(setup)?, client, sent))
}

fn of(headers: &[(&str, &str)]) -> Trace {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn a_trace_goes_on_through_functions(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client, sent) = serve(broker)?;
    let traced = client.with_header("traceparent", PARENT).with_header("tracestate", STATE);
    let traced = traced.with_header("baggage", BAGGAGE).with_header("tenant", "a");
    let all = of(&[("traceparent", PARENT), ("tracestate", STATE), ("baggage", BAGGAGE)]);
    let expected = vec![all.clone(), all.clone(), Trace::new()];
    // Several at once, which may travel together; each needs workers beside its own.
    let calls = (0..4).map(|_| traces_within::start(&traced)).collect::<Result<Vec<_>, _>>()?;
    let later = (0..4).map(|_| traces_within_later::start(&traced)).collect::<Result<Vec<_>, _>>()?;
    for call in calls.into_iter().chain(later) {
        let within = call.wait()?;
        ensure!(within == expected, "{within:?}");
    }
    eventually(LONG, || Ok(sent.0.lock().expect("nobody panics with it").len() == 8))?;
    ensure!(sent.0.lock().expect("nobody panics with it").iter().all(|trace| *trace == all));
    ensure!(traces_within::call(&client)? == vec![Trace::new(); 3]);
    Ok(())
}

fn a_trace_goes_on_in_pythons_dialect(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client, _) = serve(broker)?;
    let traced = in_python(&client).with_header("traceparent", HeaderValue::Bytes(PARENT.into()));
    ensure!(trace_within::call(&traced)? == of(&[("traceparent", PARENT)]));
    Ok(())
}

fn what_is_no_trace_does_not_go_on(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, client, _) = serve(broker)?;
    let wrong = client.with_header("traceparent", PARENT.to_uppercase()).with_header("tracestate", STATE);
    ensure!(traces_within::call(&wrong.with_header("baggage", "ada"))? == vec![Trace::new(); 3]);
    Ok(())
}
