//! End-to-end cases, and the runner that gives each of them a broker.
//!
//! One node serves all cases of a test binary, each in a virtual host of its own, so queue names never clash;
//! it starts with the first case that runs and ends with the last.
//! A case that kills, stops or freezes the broker is exclusive: it has a node to itself.

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::anyhow;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::RabbitMq;

/// The environment variable that asks for these tests.
const WANTED: &str = "GUIRPC_TEST_RABBITMQ";

/// An end-to-end test.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    name: &'static str,
    run: Run,
}

#[derive(Debug, Clone, Copy)]
enum Run {
    Shared(fn(&RabbitMq) -> anyhow::Result<()>),
    Exclusive(fn(&mut RabbitMq) -> anyhow::Result<()>),
}

/// The node of the cases that can share one, or why it does not start.
type SharedNode = OnceLock<Result<RabbitMq, String>>;

impl Case {
    /// A case that leaves the broker alone, so that others may run on it at the same time.
    pub fn shared(name: &'static str, run: fn(&RabbitMq) -> anyhow::Result<()>) -> Self {
        Self { name, run: Run::Shared(run) }
    }

    /// A case that does something to the broker itself.
    pub fn exclusive(name: &'static str, run: fn(&mut RabbitMq) -> anyhow::Result<()>) -> Self {
        Self { name, run: Run::Exclusive(run) }
    }

    /// As a test of the runner; ignored, with the reason, where nobody asked for RabbitMQ.
    fn into_trial(self, shared: &Arc<SharedNode>, wanted: bool) -> Trial {
        let shared = Arc::clone(shared);
        let reason = if wanted { "" } else { " (needs RabbitMQ: run scripts/test)" };
        Trial::test(format!("rabbitmq::{}{reason}", self.name), move || {
            let outcome = self.execute(&shared);
            outcome.map_err(|error| Failed::from(format!("{error:?}")))
        })
        .with_ignored_flag(!wanted)
    }

    fn execute(self, shared: &SharedNode) -> anyhow::Result<()> {
        match self.run {
            Run::Shared(run) => {
                let start = || RabbitMq::start().map_err(|error| format!("{error:?}"));
                let node = shared.get_or_init(start).as_ref();
                run(&node.map_err(|error| anyhow!("{error}"))?.in_fresh_vhost()?)
            }
            Run::Exclusive(run) => run(&mut RabbitMq::start()?),
        }
    }
}

/// Runs the cases as the arguments of the test binary say: the `main` of a test with `harness = false`.
///
/// They run where the environment says `GUIRPC_TEST_RABBITMQ=1`, and fail there if RabbitMQ is missing;
/// elsewhere they are shown as ignored.
pub fn main(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    let wanted = env::var_os(WANTED).is_some_and(|value| value == "1");
    let shared = Arc::new(SharedNode::new());
    let trials = cases.into_iter().map(|case| case.into_trial(&shared, wanted)).collect();
    // Returned rather than exited with, so that the node is dropped.
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
