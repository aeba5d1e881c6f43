//! The journal of what is put back: a queue that gets a copy of each request by the same publish.
//!
//! Without one, a process that dies between publishing a request and removing its letter leaves both.
//! It is deleted at the end; what is in it when it is opened belongs to somebody who has died.
//!
//! Its first message is not persistent, so it is gone once the broker has been restarted.
//! Then the journal counts for nothing: the broker may have written the copy, and not the request.

use std::collections::HashSet;

use amiquip::{AmqpProperties, AmqpValue, QueueDeleteOptions};

use super::super::Channel;
use super::super::connection::explain;
use super::{classic, identity};
use crate::error::Error;
use crate::message::dead;

/// The property `type` of the first message.
const MARK: &str = "guirpc.journal";

/// The ids of the letters that have been put back.
pub(super) struct Journal(HashSet<String>);

/// The journal of the queue of dead letters.
pub(super) fn name(queue: &str) -> String {
    format!("{queue}.requeued")
}

/// The first message.
pub(super) fn mark() -> AmqpProperties {
    AmqpProperties::default().with_type_(MARK.to_owned()).with_delivery_mode(1)
}

/// The properties of a request that goes into the journal as well.
pub(super) fn entry(request: AmqpProperties, id: &str, queue: &str) -> AmqpProperties {
    let mut headers = request.headers().clone().unwrap_or_default();
    headers.insert(dead::ID.to_owned(), AmqpValue::LongString(id.to_owned()));
    let copies = vec![AmqpValue::LongString(name(queue))];
    headers.insert("BCC".to_owned(), AmqpValue::FieldArray(copies));
    request.with_headers(headers)
}

/// Makes it, and says how many messages are in it.
pub(super) fn declare(channel: &Channel, name: &str) -> Result<u32, Error> {
    let declared = channel.0.queue_declare(name, classic()).map_err(|error| explain(&error))?;
    Ok(declared.declared_message_count().unwrap_or_default())
}

pub(super) fn delete(channel: &Channel, name: &str) -> Result<(), Error> {
    channel.0.queue_delete(name, QueueDeleteOptions::default()).map(drop).map_err(|error| explain(&error))
}

impl Journal {
    /// Reads it, on a channel that is dropped afterwards, so that it has all of it back.
    pub(super) fn read(channel: &Channel, name: &str) -> Result<Self, Error> {
        let mut ids = HashSet::new();
        if declare(channel, name)? > 0 {
            let next = || channel.0.basic_get(name, false).map_err(|error| explain(&error));
            let is_mark = |properties: &AmqpProperties| properties.type_().as_deref() == Some(MARK);
            if next()?.is_some_and(|first| is_mark(&first.delivery.properties)) {
                while let Some(entry) = next()? {
                    ids.extend(identity::Stamp::of(&entry.delivery.properties).id);
                }
            }
            if ids.is_empty() {
                delete(channel, name)?;
                declare(channel, name)?;
            }
        }
        Ok(Journal(ids))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a letter has been put back; each is asked for once.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.0.remove(id)
    }
}
