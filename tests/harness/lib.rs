//! What the tests that cross crates stand on: a private broker, programs to watch, cases to run.
//!
//! - [`RabbitMq`] is a node of our own: free ports, data in a temporary folder, ended with the test.
//! - [`Program`] is a binary of the workspace under observation: its lines, its signals, its end.
//! - [`Proxy`] is a road to the broker that a test can freeze or cut.
//! - [`Case`] and [`main`] run end-to-end tests against one node, each in a virtual host of its own.
//! - [`eventually`] awaits a condition, so that no test sleeps for a fixed time.
//!
//! It knows nothing of guirpc: what is under test comes in as a URI or as a program.

mod eventually;
mod port;
mod program;
mod proxy;
mod rabbitmq;
mod suite;
mod transcript;

pub use eventually::eventually;
pub use program::{Program, binary};
pub use proxy::Proxy;
pub use rabbitmq::{Queue, RabbitMq};
pub use suite::{Case, main};
