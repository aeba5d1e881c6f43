//! End-to-end cases, and the runner that gives each of them its broker.
//!
//! A case on both brokers is two tests with one body, each named for its broker.
//!
//! The embedded broker costs nothing, so each case starts one.
//! One RabbitMQ node serves all cases of a test binary, each in a virtual host of its own, so queue names never clash;
//! it starts with the first case that runs and ends with the last.
//! A case that kills, stops or freezes the broker is exclusive: it has a node to itself.

use std::env;
use std::fmt;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::anyhow;
use guirpc::embedded::Broker as Embedded;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::coalescing::{self, Coalescing};
use crate::{Broker, RabbitMq, embedded, rabbitmq};

/// The environment variable that asks for RabbitMQ.
const WANTED: &str = "GUIRPC_TEST_RABBITMQ";

/// How often each case runs.
#[derive(Clone, Copy)]
struct Passes {
    /// With RabbitMQ, too.
    rabbitmq: bool,
    /// Once more by clients whose calls travel together.
    coalescing: bool,
}

/// An end-to-end test.
pub struct Case {
    name: &'static str,
    /// What it needs beside its broker and does not find.
    missing: Option<&'static str>,
    on_embedded: Option<Body<()>>,
    on_rabbitmq: Option<Body<SharedNode>>,
    /// On the embedded broker once more, by clients whose calls travel together.
    coalescing: Option<Body<()>>,
}

/// What a test does, with what all tests of its broker share.
type Body<Shared> = Box<dyn FnOnce(&Shared) -> anyhow::Result<()> + Send>;

impl Case {
    /// A case on both brokers that leaves the broker alone, so that others may run on it at the same time.
    pub fn shared(name: &'static str, run: fn(&dyn Broker) -> anyhow::Result<()>) -> Self {
        Self {
            name,
            missing: None,
            on_embedded: Some(Box::new(move |()| embedded::on_embedded(|broker| run(broker)))),
            on_rabbitmq: Some(Box::new(move |node| run(&node.in_fresh_vhost()?))),
            coalescing: Some(Box::new(move |()| embedded::on_embedded(|broker| run(&Coalescing(broker))))),
        }
    }

    /// A case on both brokers that does something to the broker itself.
    pub fn exclusive(name: &'static str, run: fn(&mut dyn Broker) -> anyhow::Result<()>) -> Self {
        Self {
            name,
            missing: None,
            on_embedded: Some(Box::new(move |()| embedded::on_embedded(|broker| run(broker)))),
            on_rabbitmq: Some(Box::new(move |_| run(&mut RabbitMq::start()?))),
            coalescing: Some(Box::new(move |()| embedded::on_embedded(|broker| run(&mut Coalescing(broker))))),
        }
    }

    /// A case about what only RabbitMQ has, which leaves the node alone.
    pub fn rabbitmq_shared(name: &'static str, run: fn(&RabbitMq) -> anyhow::Result<()>) -> Self {
        Self {
            name,
            missing: None,
            on_embedded: None,
            on_rabbitmq: Some(Box::new(move |node| run(&node.in_fresh_vhost()?))),
            coalescing: None,
        }
    }

    /// A case about what only RabbitMQ has, which does something to the node itself.
    pub fn rabbitmq_exclusive(name: &'static str, run: fn(&mut RabbitMq) -> anyhow::Result<()>) -> Self {
        Self {
            name,
            missing: None,
            on_embedded: None,
            on_rabbitmq: Some(Box::new(move |_| run(&mut RabbitMq::start()?))),
            coalescing: None,
        }
    }

    /// A case about what only RabbitMQ has, on a node that the case starts itself.
    pub fn rabbitmq_own(name: &'static str, run: fn() -> anyhow::Result<()>) -> Self {
        Self { name, missing: None, on_embedded: None, on_rabbitmq: Some(Box::new(move |_| run())), coalescing: None }
    }

    /// A case about what only the embedded broker can do, such as a fault at one certain moment.
    pub fn embedded(name: &'static str, run: fn(&Embedded) -> anyhow::Result<()>) -> Self {
        let on_embedded: Body<()> = Box::new(move |()| embedded::on_embedded(|broker| run(broker)));
        Self { name, missing: None, on_embedded: Some(on_embedded), on_rabbitmq: None, coalescing: None }
    }

    /// The same case, which is ignored on every broker if something that it needs is missing.
    #[must_use]
    pub fn unless_missing(self, missing: Option<&'static str>) -> Self {
        Self { missing, ..self }
    }

    /// Its name, which a broker's stands before.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// As tests of the runner; that with RabbitMQ is ignored, with the reason, where nobody asked for it.
    fn into_trials(self, node: &Arc<SharedNode>, passes: Passes) -> impl Iterator<Item = Trial> + use<> {
        let Self { name, missing, .. } = self;
        let missing_broker = (!passes.rabbitmq).then_some("needs RabbitMQ: run scripts/test");
        let on_embedded = self.on_embedded.map(|body| trial(embedded::NAME, name, missing, Arc::default(), body));
        let on_rabbitmq = self
            .on_rabbitmq
            .map(|body| trial(rabbitmq::NAME, name, missing.or(missing_broker), Arc::clone(node), body));
        let coalescing = self.coalescing.filter(|_| passes.coalescing);
        let coalescing = coalescing.map(|body| trial(coalescing::NAME, name, missing, Arc::default(), body));
        on_embedded.into_iter().chain(on_rabbitmq).chain(coalescing)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A test; ignored, with the reason, where something that it needs is missing.
fn trial<Shared: Send + Sync + 'static>(
    broker: &str,
    name: &str,
    missing: Option<&str>,
    shared: Arc<Shared>,
    body: Body<Shared>,
) -> Trial {
    let reason = missing.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Trial::test(format!("{broker}::{name}{reason}"), move || {
        body(&shared).map_err(|error| Failed::from(format!("{error:?}")))
    })
    .with_ignored_flag(missing.is_some())
}

/// The node of the cases that can share one, or why it does not start.
#[derive(Default)]
struct SharedNode(OnceLock<Result<RabbitMq, String>>);

impl SharedNode {
    /// The node, started if it is not, seen from a new virtual host.
    fn in_fresh_vhost(&self) -> anyhow::Result<RabbitMq> {
        let node = self.0.get_or_init(|| RabbitMq::start().map_err(|error| format!("{error:?}")));
        node.as_ref().map_err(|error| anyhow!("{error}"))?.in_fresh_vhost()
    }
}

/// Runs the cases as the arguments of the test binary say: the `main` of a test with `harness = false`.
///
/// Those with RabbitMQ run where the environment says `GUIRPC_TEST_RABBITMQ=1`, and fail there if it is missing;
/// elsewhere they are shown as ignored.
pub fn main(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    run(cases, false, &Arguments::from_args())
}

/// The same, and each case on both brokers once more for clients that [let calls travel together](Broker::coalesces).
pub fn main_twice(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    run(cases, true, &Arguments::from_args())
}

/// The same, one case at a time: for cases that measure something, which the others would disturb.
pub fn main_in_turn(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    run(cases, false, &one_at_a_time())
}

/// Both: twice, and one case at a time.
pub fn main_twice_in_turn(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    run(cases, true, &one_at_a_time())
}

fn one_at_a_time() -> Arguments {
    Arguments { test_threads: Some(1), ..Arguments::from_args() }
}

fn run(cases: impl IntoIterator<Item = Case>, coalescing: bool, arguments: &Arguments) -> ExitCode {
    let passes = Passes { rabbitmq: env::var_os(WANTED).is_some_and(|value| value == "1"), coalescing };
    let node = Arc::default();
    let trials = cases.into_iter().flat_map(|case| case.into_trials(&node, passes)).collect();
    // Returned rather than exited with, so that the node is dropped.
    libtest_mimic::run(arguments, trials).exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests that a case becomes, those that are ignored in brackets.
    fn names(case: Case, rabbitmq: bool) -> Vec<String> {
        let trials = case.into_trials(&Arc::default(), Passes { rabbitmq, coalescing: false });
        let show = |trial: Trial| {
            let name = trial.name();
            if trial.has_ignored_flag() { format!("[{name}]") } else { name.to_owned() }
        };
        trials.map(show).collect()
    }

    #[test]
    fn a_case_on_both_brokers_is_two_tests() {
        let both = ["embedded::case", "rabbitmq::case"];
        assert_eq!(names(Case::shared("case", |_| Ok(())), true), both);
        assert_eq!(names(Case::exclusive("case", |_| Ok(())), true), both);
    }

    #[test]
    fn what_nobody_asked_for_is_ignored_with_the_reason() {
        let expected = ["embedded::case", "[rabbitmq::case (needs RabbitMQ: run scripts/test)]"];
        assert_eq!(names(Case::shared("case", |_| Ok(())), false), expected);
        assert_eq!(names(Case::rabbitmq_shared("case", |_| Ok(())), false), expected[1..]);
        assert_eq!(names(Case::rabbitmq_exclusive("case", |_| Ok(())), false), expected[1..]);
        assert_eq!(names(Case::embedded("case", |_| Ok(())), false), expected[..1]);
        let missing = Case::shared("case", |_| Ok(())).unless_missing(Some("needs Python"));
        assert_eq!(names(missing, true), ["[embedded::case (needs Python)]", "[rabbitmq::case (needs Python)]"]);
    }
}
