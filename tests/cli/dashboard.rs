//! `guirpc dashboard`: every query asks for metrics and labels that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, ensure};
use guirpc::metrics::Metrics;
use guirpc::{Client, Server};
use harness::{Broker, eventually};
use serde_json::{Value, json};

use super::run::check;
use super::{LONG, ask, shop};

/// What Prometheus adds to all that it scrapes.
const OF_THE_SCRAPE: [&str; 1] = ["instance"];

/// The labels of each metric, by its name as queries have it.
type Exported = BTreeMap<String, BTreeSet<String>>;

/// What is at `/metrics`: samples only, so that a metric without any is none.
fn exported(text: &str) -> Exported {
    let mut exported = Exported::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
        let labels = exported.entry(name.to_owned()).or_default();
        if let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            labels.extend(matched(inside));
        }
    }
    exported
}

/// The labels of a matcher such as `a="b",c=~"d"`; no value has a quote in it.
fn matched(matcher: &str) -> impl Iterator<Item = String> {
    let outside = matcher.split('"').step_by(2);
    outside
        .map(|part| part.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned())
        .filter(|label| !label.is_empty())
}

/// Every metric of a query, with the labels that it is asked for.
fn asked(query: &str) -> Vec<(String, BTreeSet<String>)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let groups = query.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
    let by: BTreeSet<String> = groups.flat_map(|(labels, _)| labels.split(", ").map(str::to_owned)).collect();
    let mut asked = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c| is_word(c) || c == '"') {
        rest = &rest[start..];
        if let Some(text) = rest.strip_prefix('"') {
            rest = text.split_once('"').map_or("", |(_, rest)| rest);
            continue;
        }
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        rest = after;
        if word.starts_with("guirpc_") || word.starts_with("rpc_") {
            let mut labels = by.clone();
            if let Some((matcher, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                labels.extend(matched(matcher));
                rest = after;
            }
            asked.push((word.to_owned(), labels));
        }
    }
    asked
}

/// Whatever is called `expr`, at any depth.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| expressions(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

fn check_query(query: &str, exported: &Exported, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let asked = asked(query);
    ensure!(!asked.is_empty(), "no metric in `{query}`");
    for (metric, labels) in asked {
        let has = exported.get(&metric).with_context(|| format!("there is no {metric}, for which `{query}` asks"))?;
        for label in labels.iter().filter(|label| !OF_THE_SCRAPE.contains(&label.as_str())) {
            ensure!(has.contains(label), "{metric} has no label {label}, for which `{query}` asks: {has:?}");
        }
        seen.insert(metric);
    }
    Ok(())
}

pub(crate) fn asks_for_what_there_is(broker: &dyn Broker) -> anyhow::Result<()> {
    let metrics = Metrics::new();
    let (setup, _orders) = shop::setup(broker);
    let _server = Server::start(setup.metrics(&metrics))?;
    let client = Client::connect(broker.uri())?.with_metrics(&metrics);
    client.call_json("shop", "price", json!(["tea", 3]))?;
    ensure!(client.call_json("shop", "prize", json!({})).is_err());
    client.send_json("shop", "place", json!(["tea"]))?;
    let refused = "guirpc_server_refusals_total{service=\"shop\",function=\"_OTHER\",lane=\"\",status=\"404\"} 1";
    eventually(LONG, || Ok(metrics.encode().lines().any(|line| line == refused)))?;
    let exported = exported(&metrics.encode());

    let dashboard = ask(broker, &["dashboard"])?;
    let mut queries = Vec::new();
    expressions(&serde_json::from_str(&dashboard.stdout)?, &mut queries);
    let mut seen = BTreeSet::new();
    queries.iter().try_for_each(|query| check_query(query, &exported, &mut seen))?;
    let is_shown = |metric: &String| {
        let kinds = ["_bucket", "_sum", "_count"].map(|part| metric.trim_end_matches(part));
        seen.iter().any(|seen| kinds.iter().any(|name| seen.starts_with(name)))
    };
    let hidden: Vec<&String> = exported.keys().filter(|metric| !is_shown(metric)).collect();
    ensure!(hidden.is_empty(), "not on the dashboard: {hidden:?}");

    let alerts = ask(broker, &["dashboard", "--alerts"])?;
    let queries = alerts.stdout.lines().filter_map(|line| line.trim_start().strip_prefix("expr: "));
    ensure!(queries.clone().count() == alerts.stdout.matches("- alert: ").count(), "each rule has its query on a line");
    for query in queries {
        check_query(query, &exported, &mut seen)?;
    }
    for invented in ["guirpc_server_runs", "sum by (user) (guirpc_clients)", "guirpc_clients{lane=\"\"}"] {
        ensure!(check_query(invented, &exported, &mut seen).is_err(), "{invented}");
    }

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("guirpc.json");
    check(&ask(broker, &["dashboard", "--out", &file.display().to_string()])?, 0, "")?;
    ensure!(fs::read_to_string(&file)? == dashboard.stdout);
    let nowhere = folder.path().join("nowhere").join("guirpc.json");
    check(&ask(broker, &["dashboard", "--out", &nowhere.display().to_string()])?, 1, "error: cannot write ")
}
