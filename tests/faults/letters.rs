//! What is in the dead-letter queue.

use std::collections::BTreeSet;

use amiquip::{AmqpValue, Connection};
use anyhow::{Context, ensure};
use harness::Broker;
use serde::Deserialize;

use crate::functions::SERVICE;
use crate::strangers;

/// A dead letter, as far as the cases look at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    /// The number of the request.
    pub(crate) id: u64,
    /// Why it is dead.
    pub(crate) reason: String,
}

#[derive(Deserialize)]
struct Arguments {
    id: u64,
}

/// The queue of the service's dead letters.
pub(crate) fn queue() -> String {
    format!("{SERVICE}.dead")
}

/// Reads all dead letters but those of strangers, and leaves them there.
pub(crate) fn read(broker: &dyn Broker) -> anyhow::Result<BTreeSet<Letter>> {
    let mut letters = BTreeSet::new();
    if broker.queue(&queue())?.is_none() {
        return Ok(letters);
    }
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    while let Some(get) = channel.basic_get(queue(), false)? {
        let delivery = get.delivery;
        if delivery.properties.app_id().as_deref() == Some(strangers::APP_ID) {
            continue;
        }
        let headers = delivery.properties.headers().as_ref().context("a dead letter has headers")?;
        let reason = match headers.get("guirpc-dead-reason") {
            Some(AmqpValue::LongString(reason)) => reason.clone(),
            other => format!("{other:?}"),
        };
        let arguments: Arguments = rmp_serde::from_slice(&delivery.body).context("a dead letter is the request")?;
        ensure!(delivery.properties.delivery_mode() == &Some(2), "a dead letter is not persistent");
        letters.insert(Letter { id: arguments.id, reason });
    }
    // What was taken and not acknowledged goes back.
    connection.close()?;
    Ok(letters)
}
