//! Pairs of functions, the old one and the new one, whose contracts are compared, and which are then called crosswise:
//! what the rules say has to be what happens.
//!
//! Each pair says which differences there are, as `rule place callers servers`, where the place begins behind the name of
//! the function. What is safe has to arrive as it does without the change, what is risky has to arrive otherwise, and what
//! breaks has to fail. Where that is not so the pair says `really callers altered`, and why.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use guirpc::contract::Contract;
use guirpc::contract::compare::{Effect, compare};
use guirpc::{CallError, Client, Server, Setup};
use harness::{Broker, Case};
use serde::Serialize;
use serde_json::Value;

mod arguments;
mod attributes;
mod enums;
mod errors;
mod fields;
mod lists;
mod outputs;
mod pairs;
mod scalars;

use pairs::pairs;

/// A function in two versions.
struct Pair {
    name: &'static str,
    expected: &'static [&'static str],
    old: Option<Call>,
    new: Option<Call>,
}

/// Calls one version of a function with arguments that the change concerns.
type Call = fn(&Client) -> anyhow::Result<Outcome>;

/// How a call ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// With an output: as its caller has it, and as JSON.
    Returned(String, Value),
    /// With an error of the function's own.
    Erred(String),
    /// Without either, since caller and server do not fit.
    Failed(String),
}

/// What becomes of a call that meets the other version.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Intact,
    Altered,
    Fails,
}

pub(crate) fn cases() -> Vec<Case> {
    type Group = (&'static str, fn(&dyn Broker) -> anyhow::Result<()>);

    let groups: [Group; 7] = [
        ("corpus::arguments", |broker| run(broker, arguments::pairs())),
        ("corpus::attributes", |broker| run(broker, attributes::pairs())),
        ("corpus::enums", |broker| run(broker, enums::pairs())),
        ("corpus::errors", |broker| run(broker, errors::pairs())),
        ("corpus::fields", |broker| run(broker, fields::pairs())),
        ("corpus::lists", |broker| run(broker, lists::pairs())),
        ("corpus::values", |broker| run(broker, scalars::pairs().into_iter().chain(outputs::pairs()))),
    ];
    groups.into_iter().map(|(name, body)| Case::shared(name, body)).collect()
}

fn run(broker: &dyn Broker, pairs: impl IntoIterator<Item = Pair>) -> anyhow::Result<()> {
    let servers = ["corpus-old", "corpus-new"].map(|service| Server::start(Setup::new([service]).uri(broker.uri())));
    let [old_server, new_server] = servers;
    let (_old_server, _new_server) = (old_server?, new_server?);
    let client = Client::connect(broker.uri())?;
    let contracts = [Contract::of_service("corpus-old")?, Contract::of_service("corpus-new")?];
    let mut wrong = Vec::new();
    for pair in pairs {
        if let Err(error) = pair.check(&client, &contracts) {
            wrong.push(format!("{}: {error:#}", pair.name));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

impl Pair {
    fn check(&self, client: &Client, [old, new]: &[Contract; 2]) -> anyhow::Result<()> {
        let differences = compare(&self.part(old), &self.part(new));
        let place = |place: &str| match place.strip_prefix(self.name) {
            Some("") | None => "-".to_owned(),
            Some(below) => below.to_owned(),
        };
        let found: Vec<String> = differences
            .iter()
            .map(|one| format!("{} {} {} {}", one.rule, place(&one.place), one.callers.name(), one.servers.name()))
            .collect();
        let (said, really): (Vec<&str>, Vec<&str>) =
            self.expected.iter().partition(|line| !line.starts_with("really "));
        ensure!(found == said, "the rules find {found:?}, not {said:?}");
        let most = |effect: fn(&guirpc::contract::compare::Difference) -> Effect| {
            differences.iter().map(effect).max().unwrap_or(Effect::Safe)
        };
        let takes_nothing = self.takes_nothing([old, new]);
        let sides = [
            ("callers", [self.old, self.new], ["corpus-old", "corpus-new"], most(|one| one.callers)),
            ("servers", [self.new, self.old], ["corpus-new", "corpus-old"], most(|one| one.servers)),
        ];
        for (side, calls, services, effect) in sides {
            let ([Some(call), other], clients) = (calls, services.map(|service| client.with_service(service))) else {
                continue;
            };
            let crossed = self.crossed(call, &clients).context(side)?;
            let fate = match &crossed {
                Outcome::Failed(_) => Fate::Fails,
                crossed if takes_nothing => self.arrived(crossed, (call, other), &clients)?,
                crossed if *crossed == call(&clients[0])? => Fate::Intact,
                _ => Fate::Altered,
            };
            let expected = expected(side, effect, &really)?;
            ensure!(fate == expected, "{side}: {effect:?} is to be {expected:?}, and it is {fate:?}: {crossed:?}");
        }
        Ok(())
    }

    /// What a call ends with at the other version, after it went well at its own.
    fn crossed(&self, call: Call, [own, other]: &[Client; 2]) -> anyhow::Result<Outcome> {
        let straight = call(own)?;
        ensure!(!matches!(straight, Outcome::Failed(_)), "`{}` fails at its own version: {straight:?}", self.name);
        call(other)
    }

    /// Whether it is the output that matters, in either version.
    fn takes_nothing(&self, contracts: [&Contract; 2]) -> bool {
        let functions = contracts.iter().filter_map(|contract| contract.functions.get(self.name));
        functions.into_iter().all(|function| function.arguments.is_empty())
    }

    /// Whether what the other version returned is what arrived.
    fn arrived(
        &self,
        crossed: &Outcome,
        (call, other): (Call, Option<Call>),
        [own, server]: &[Client; 2],
    ) -> anyhow::Result<Fate> {
        let is_intact = match (crossed, server.call_json("corpus", self.name, serde_json::json!([]))) {
            (Outcome::Returned(_, read), Ok(written)) => is_all_of(read, &written),
            // As those have it who know that version's errors, or as it is without the change.
            (Outcome::Erred(_), Err(CallError::Function(_))) => {
                let other = other.map(|other| other(server)).transpose()?;
                other.as_ref() == Some(crossed) || call(own)? == *crossed
            }
            (_, written) => bail!("{crossed:?} is no {written:?}"),
        };
        Ok(if is_intact { Fate::Intact } else { Fate::Altered })
    }

    /// The part of a contract that is this function.
    fn part(&self, contract: &Contract) -> Contract {
        let mut part = contract.clone();
        "corpus".clone_into(&mut part.service);
        part.functions = contract
            .functions
            .get_key_value(self.name)
            .map(|(name, function)| (name.clone(), function.clone()))
            .into_iter()
            .collect::<BTreeMap<_, _>>();
        part
    }
}

/// Whether all that is read was written like that; fields that are not read do not matter.
fn is_all_of(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            read.iter().all(|(name, read)| written.get(name).is_some_and(|written| is_all_of(read, written)))
        }
        (Value::Array(read), Value::Array(written)) => {
            read.len() == written.len() && read.iter().zip(written).all(|(read, written)| is_all_of(read, written))
        }
        (Value::Number(read), Value::Number(written)) => read.as_f64() == written.as_f64(),
        _ => read == written,
    }
}

fn expected(side: &str, effect: Effect, really: &[&str]) -> anyhow::Result<Fate> {
    let said = really.iter().find_map(|line| line.strip_prefix("really ")?.strip_prefix(side)?.strip_prefix(' '));
    Ok(match (said.and_then(|said| said.split([',', ' ']).next()), effect) {
        (Some("intact"), _) | (None, Effect::Safe) => Fate::Intact,
        (Some("altered"), _) | (None, Effect::Risky) => Fate::Altered,
        (Some("fails"), _) | (None, Effect::Breaks) => Fate::Fails,
        (Some(other), _) => bail!("`{other}` is none of intact, altered and fails"),
    })
}

impl Outcome {
    fn of<T: std::fmt::Debug + Serialize, E: std::fmt::Debug + std::fmt::Display>(
        result: Result<T, CallError<E>>,
    ) -> anyhow::Result<Outcome> {
        Ok(match result {
            Ok(output) => Outcome::Returned(format!("{output:?}"), serde_json::to_value(&output)?),
            Err(CallError::Function(error)) => Outcome::Erred(format!("{error:?}")),
            Err(
                error @ (CallError::Fault(_)
                | CallError::Refused(_)
                | CallError::Unroutable { .. }
                | CallError::Undecodable { .. }),
            ) => Outcome::Failed(error.to_string()),
            // A call that meets nobody who could refuse it proves nothing.
            Err(other) => bail!("{other}"),
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}
