//! An echo written by hand on lapin and tokio: the other client library, with the same guarantees.
//!
//! lapin sets `TCP_NODELAY` itself.
//! A future of its `basic_publish` or `ack` ends when the frame is written to the socket, so waiting for each in turn would mean one write per frame; here, as lapin is meant to be used, many of them wait at once.

mod client;
mod server;

use anyhow::{Context as _, Result};
use lapin::{Connection, ConnectionProperties};

pub(crate) use client::LapinClient;
pub(crate) use server::serve;

async fn dial(uri: &str) -> Result<Connection> {
    Connection::connect(uri, ConnectionProperties::default()).await.context("connect to the broker")
}
