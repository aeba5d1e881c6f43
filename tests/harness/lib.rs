//! What the tests that cross crates stand on: private brokers, programs to watch, cases to run.
//!
//! - [`Broker`] is what a case may do with its broker, whichever that is: RabbitMQ, or the embedded one.
//! - [`RabbitMq`] is a node of our own: free ports, data in a temporary folder, ended with the test.
//! - [`Program`] is a binary of the workspace under observation: its lines, its signals, its end.
//! - [`Proxy`] is a road to the broker that a test can freeze or cut.
//! - [`Ledger`] holds what callers know against what the [`ExecutionLog`] says has run.
//! - [`Case`], [`main`] and [`main_in_turn`] run end-to-end tests on both brokers from the same body.
//! - [`eventually`] awaits a condition, so that no test sleeps for a fixed time.
//!
//! Of guirpc it knows the embedded broker and nothing else: what is under test comes in as a program,
//! or stands in the case.

mod broker;
mod coalescing;
mod embedded;
mod eventually;
mod execution_log;
mod http;
mod ledger;
mod port;
mod program;
mod proxy;
mod rabbitmq;
mod suite;
mod transcript;

pub use broker::{Broker, Queue};
pub use embedded::on_embedded;
pub use eventually::eventually;
pub use execution_log::{ExecutionLog, Run, Runs};
pub use http::http_get;
pub use ledger::{Counts, Effect, Entry, Ledger, Outcome, Request, Verdict};
pub use port::Port;
pub use program::{Program, binary, outside_of_cargo};
pub use proxy::{Direction, Proxy};
pub use rabbitmq::RabbitMq;
pub use suite::{Case, main, main_in_turn, main_twice, main_twice_in_turn};
