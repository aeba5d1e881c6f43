//! `guirpc bench`: real services under load. Nothing here judges speed, but for what sleeps.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use guirpc::{Server, Setup};
use harness::{Broker, Program, binary, eventually};
use serde_json::Value;
use tempfile::TempDir;

use super::run::{Ended, check};
use super::{LONG, ask, shop};

/// What a slow function takes.
const SLOW: Duration = Duration::from_millis(20);

/// How many naps are over.
#[derive(Clone, Default)]
struct Naps(Arc<AtomicU64>);

impl Naps {
    fn wait_for(&self, naps: u64) -> anyhow::Result<()> {
        eventually(LONG, || Ok(self.0.load(Ordering::Relaxed) >= naps))
    }
}

#[guirpc::function(service = "nap")]
fn nap(milliseconds: u64, #[state] naps: &Naps) {
    thread::sleep(Duration::from_millis(milliseconds));
    naps.0.fetch_add(1, Ordering::Relaxed);
}

/// Serves it with one worker, so that its rate is known.
fn serve_naps(broker: &dyn Broker) -> anyhow::Result<(Server, Naps)> {
    let naps = Naps::default();
    Ok((Server::start(Setup::new(["nap"]).uri(broker.uri()).workers(1).state(naps.clone()))?, naps))
}

/// Runs the command with its results as JSON.
fn bench(broker: &dyn Broker, arguments: &[&str]) -> anyhow::Result<(Ended, Value)> {
    let ended = ask(broker, &[&["bench", "--json"], arguments].concat())?;
    let json = serde_json::from_str(&ended.stdout).with_context(|| format!("no JSON: {ended:?}"))?;
    Ok((ended, json))
}

fn number(value: &Value) -> anyhow::Result<u64> {
    value.as_u64().with_context(|| format!("`{value}` is no count"))
}

/// Runs it on a program of its own, which can be signalled.
fn start(broker: &dyn Broker, arguments: &[&str]) -> anyhow::Result<Program> {
    let mut command = Command::new(binary("guirpc")?);
    Program::start(command.env("AMQP_URI", broker.uri()).arg("bench").args(arguments))
}

pub(crate) fn shows_each_step(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let arguments =
        ["shop", "price", r#"["tea", 3]"#, "--concurrency", "1,4", "--duration", "300ms", "--warm-up", "0s"];
    let ended = ask(broker, &[&["bench"], &arguments[..]].concat())?;
    check(&ended, 0, "shop/price; latencies in ms\n\nconcurrency")?;
    let rows: Vec<&str> = ended.stdout.lines().skip(3).take(2).collect();
    ensure!(rows.iter().map(|row| row.split_whitespace().next()).eq([Some("1"), Some("4")]), "{ended:?}");
    for row in rows {
        ensure!(row.split_whitespace().count() == 9 && row.ends_with(" 0"), "{ended:?}");
    }
    Ok(())
}

pub(crate) fn json_is_consistent(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let load = ["--concurrency", "1,8", "--duration", "60s", "--max-calls", "500", "--coalesce"];
    let (ended, json) = bench(broker, &[&["shop", "price", r#"{"article": "tea", "amount": 3}"#], &load[..]].concat())?;
    ensure!(ended.code == 0 && ended.stderr.is_empty(), "{ended:?}");
    ensure!(json["guirpc_bench"] == 1 && json["ended"] == "done" && json["coalesce"] == true, "{json}");
    ensure!(json["arguments"]["amount"] == 3 && json["max_calls"] == 500, "{json}");
    let steps = json["steps"].as_array().context("there are steps")?;
    ensure!(steps.iter().map(|step| &step["load"]["concurrency"]).eq([1, 8]), "{json}");
    for step in steps {
        ensure!(
            step["made"] == 500
                && step["answered"] == 500
                && step["errors"].as_object().is_some_and(serde_json::Map::is_empty),
            "{step}"
        );
        let histogram = step["histogram_us"].as_array().context("there is a histogram")?;
        let sum = histogram.iter().map(|bucket| number(&bucket[1])).sum::<anyhow::Result<u64>>()?;
        ensure!(sum == 500, "{step}");
        let latency = &step["latency_us"];
        let order = ["p50", "p90", "p99", "p99.9", "max"].iter().map(|name| number(&latency[*name]));
        let order = order.collect::<anyhow::Result<Vec<u64>>>()?;
        ensure!(order.is_sorted() && order[0] > 0, "{step}");
        ensure!(histogram.last().map(|bucket| &bucket[0]) == Some(&latency["max"]), "{step}");
        let rate = step["calls_per_s"].as_f64().unwrap_or_default() * step["elapsed_s"].as_f64().unwrap_or_default();
        ensure!((rate - 500.0).abs() < 0.01, "{step}");
    }
    Ok(())
}

pub(crate) fn failures_are_counted_by_their_kind(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let load = ["--concurrency", "2", "--max-calls", "50", "--warm-up", "0s"];
    for (function, arguments, kind, first) in [
        ("reserve", r#"["tea"]"#, "function error", r#"{"article":"tea","left":2}"#),
        ("cancel", "{}", "fault", "fault 409: it has left the house"),
    ] {
        let (ended, json) = bench(broker, &[&["shop", function, arguments], &load[..]].concat())?;
        ensure!(ended.code == 3, "{ended:?}");
        ensure!(ended.stderr.starts_with("error: 50 of 50 calls failed, most so: "), "{ended:?}");
        let errors = &json["steps"][0]["errors"];
        let is_first = errors[kind]["first"].as_str().is_some_and(|text| text.starts_with(first));
        ensure!(errors[kind]["count"] == 50 && is_first, "{errors}");
    }
    // What can be known from one call, or none, costs no load.
    for (arguments, code, text) in [
        (&["shoe", "price", "{}"][..], 7, "no queue takes calls for service `shoe`"),
        (&["shop", "prize", "{}"], 5, "did you mean `price`?"),
        (&["shop", "price", "{}"], 5, "`article`"),
        (&["shop", "price", "{"], 2, "the arguments are not JSON"),
        (&["shop", "price", "--coalesce", "--dialect=python"], 2, "`--coalesce` belongs to `--dialect native`"),
        (&["shop", "price", "--concurrency=1,1"], 2, "the step with concurrency 1 is there twice"),
    ] {
        check(&ask(broker, &[&["bench"], arguments].concat())?, code, text)?;
    }
    Ok(())
}

/// One worker that takes 20 ms does not do 200 calls a second. Each is answered within little more than 20 ms once the
/// worker takes it: without the correction for coordinated omission nobody would see that it waited for a second.
pub(crate) fn a_rate_that_is_not_kept_shows_the_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    let _nap = serve_naps(broker)?;
    let slow = format!("[{}]", SLOW.as_millis());
    let load = ["--warm-up", "0s", "--timeout", "60s"];
    let (ended, json) =
        bench(broker, &[&["nap", "nap", &slow, "--rate", "200", "--duration", "1s"], &load[..]].concat())?;
    let step = &json["steps"][0];
    ensure!(ended.code == 0 && step["made"] == 200 && step["answered"] == 200, "{ended:?}");
    // The last call is due at 995 ms, and 199 that take 20 ms stand before it.
    ensure!(number(&step["latency_us"]["p99"])? >= 2_800_000, "{step}");
    ensure!(number(&step["latency_us"]["p50"])? >= 1_300_000, "{step}");
    ensure!(step["rate_kept"] == false, "{step}");
    ensure!(step["warnings"].to_string().contains("did not keep the rate: of 200 calls/s"), "{step}");
    let (ended, json) =
        bench(broker, &[&["nap", "nap", "[0]", "--rate", "2", "--duration", "3s"], &load[..]].concat())?;
    ensure!(ended.code == 0 && json["steps"][0]["rate_kept"] == true, "{ended:?}");
    ensure!(json["steps"][0]["made"] == 6, "{json}");
    Ok(())
}

pub(crate) fn against_finds_a_slowdown(broker: &dyn Broker) -> anyhow::Result<()> {
    let _nap = serve_naps(broker)?;
    let folder = TempDir::new()?;
    let [quick, plot] = ["quick.json", "plot.svg"].map(|name| folder.path().join(name).display().to_string());
    let run = |milliseconds: &str, more: &[&str]| {
        let load = ["--concurrency", "2", "--duration", "2s", "--warm-up", "0s"];
        ask(broker, &[&["bench", "nap", "nap", milliseconds], &load[..], more].concat())
    };
    let ended = run("[5]", &["--json"])?;
    check(&ended, 0, "guirpc_bench")?;
    fs::write(&quick, &ended.stdout)?;
    // Eight times as slow.
    let slow = ["--against", &quick, "--plot", &plot];
    let ended = run("[40]", &slow)?;
    check(&ended, 0, "concurrency 2  calls/s")?;
    for figure in ["  calls/s ", "  p50 "] {
        let row = ended.stdout.lines().rfind(|line| line.contains(figure));
        ensure!(row.is_some_and(|row| row.ends_with("WORSE")), "{figure}: {ended:?}");
    }
    ensure!(ended.stdout.contains("note: the earlier run had other arguments"), "{ended:?}");
    let ended = run("[40]", &[&slow[..], &["--max-regression", "50%", "--json"]].concat())?;
    ensure!(ended.code == 10, "{ended:?}");
    ensure!(ended.stderr.starts_with("error: worse than the earlier run by more than 50 %: calls/s at"), "{ended:?}");
    let json: Value = serde_json::from_str(&ended.stdout)?;
    let change = &json["comparison"]["steps"][0]["changes"][0];
    ensure!(change["figure"] == "calls_per_s" && change["verdict"] == "worse", "{json}");
    // The other way round it is better, which is no regression; an output with a comparison can be compared with.
    let slow = folder.path().join("slow.json").display().to_string();
    fs::write(&slow, &ended.stdout)?;
    let ended = run("[5]", &["--against", &slow, "--max-regression", "10%"])?;
    check(&ended, 0, "better")?;
    ensure!(!ended.stdout.contains("WORSE"), "{ended:?}");
    // Whoever compares with something else is told before any call is made.
    check(&run("[5]", &["--against", &plot])?, 2, "is not an output of `guirpc bench --json`")?;
    check(&run("[5]", &["--plot", "/nonexistent/plot.svg"])?, 2, "`/nonexistent/plot.svg`")
}

pub(crate) fn plot_holds_the_steps(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let folder = TempDir::new()?;
    let plot = folder.path().join("plot.svg");
    let load = ["--concurrency", "1,3", "--max-calls", "200", "--plot", &plot.display().to_string()];
    check(&ask(broker, &[&["bench", "shop", "price", r#"["tea", 3]"#], &load[..]].concat())?, 0, "shop/price")?;
    let svg = fs::read_to_string(plot)?;
    ensure!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    for text in ["shop/price", "concurrency 1", "concurrency 3", "Latency by percentile, in ms", "99%"] {
        ensure!(svg.contains(text), "{text}: {svg}");
    }
    // Two panels with a line for each step.
    ensure!(svg.matches("<polyline").count() >= 4, "{svg}");
    Ok(())
}

pub(crate) fn a_service_that_hangs_ends_it(broker: &dyn Broker) -> anyhow::Result<()> {
    let _nap = serve_naps(broker)?;
    let begun = Instant::now();
    let arguments = ["bench", "nap", "nap", "[5000]", "--concurrency", "4", "--duration", "1h", "--timeout", "2s"];
    check(&ask(broker, &arguments)?, 6, "no reply within 2s\n`nap`: ")?;
    ensure!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    Ok(())
}

pub(crate) fn ctrl_c_ends_it_with_the_results_so_far(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_nap, naps) = serve_naps(broker)?;
    let load = ["--concurrency", "2,4", "--duration", "1h", "--warm-up", "0s", "--json"];
    let mut bench = start(broker, &[&["nap", "nap", "[5]"], &load[..]].concat())?;
    naps.wait_for(30)?;
    bench.interrupt()?;
    let status = bench.wait(LONG)?;
    let (stdout, stderr) = (bench.stdout().join("\n"), bench.stderr().join("\n"));
    ensure!(status.code() == Some(0), "{status}: {stdout} {stderr}");
    ensure!(stderr == "warning: interrupted: these are the results so far", "{stderr}");
    let json: Value = serde_json::from_str(&stdout)?;
    ensure!(json["ended"] == "interrupted" && json["steps"].as_array().is_some_and(|steps| steps.len() == 1), "{json}");
    ensure!(number(&json["steps"][0]["answered"])? > 10, "{json}");
    Ok(())
}

pub(crate) fn a_broker_that_goes_away_ends_it(broker: &mut dyn Broker) -> anyhow::Result<()> {
    for (load, what) in [(["--concurrency", "2"], "calls in flight"), (["--rate", "0.1"], "no calls in flight")] {
        let (_nap, naps) = serve_naps(broker)?;
        let more = ["--duration", "1h", "--warm-up", "0s"];
        let mut bench = start(broker, &[&["nap", "nap", "[5]"], &load[..], &more].concat())?;
        naps.wait_for(2)?;
        // Nothing shows that the reply has come.
        thread::sleep(Duration::from_millis(200));
        broker.kill()?;
        let begun = Instant::now();
        let status = bench.wait(LONG)?;
        let (stdout, stderr) = (bench.stdout().join("\n"), bench.stderr().join("\n"));
        ensure!(begun.elapsed() < Duration::from_secs(10), "{what}: it took {:?}", begun.elapsed());
        ensure!(status.code() == Some(4), "{what}: {status}: {stderr}");
        ensure!(stderr.contains("error: the connection to the broker was lost: "), "{what}: {stderr}");
        ensure!(stdout.contains("nap/nap; latencies in ms"), "{what}: {stdout}");
        broker.restart()?;
    }
    Ok(())
}

pub(crate) fn an_alarm_of_the_broker_ends_it(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let (_nap, naps) = serve_naps(broker)?;
    // At a rate, since the broker tells only those who publish, and the service may be told first.
    let mut bench = start(broker, &["nap", "nap", "[5]", "--rate", "50", "--duration", "1h", "--warm-up", "0s"])?;
    naps.wait_for(2)?;
    broker.memory_alarm(true)?;
    let status = bench.wait(LONG)?;
    let stderr = bench.stderr().join("\n");
    ensure!(status.code() == Some(4) && stderr.contains("takes no messages at the moment"), "{status}: {stderr}");
    broker.memory_alarm(false)
}
