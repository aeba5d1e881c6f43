//! A dead letter as the request that it was.

use amiquip::{AmqpProperties, FieldTable};

use super::super::wire::{self, COPIES, PERSISTENT};
use crate::message::dead;

/// The properties with which a letter is put back.
///
/// The broker takes a user's id from that user only, so one of somebody else's is left out; so is an expiration,
/// which a letter does not have if guirpc has put it aside.
pub(super) fn properties(letter: &AmqpProperties, user: &str) -> AmqpProperties {
    let mut properties = wire::copy(letter).with_delivery_mode(PERSISTENT);
    if let Some(reply_to) = letter.reply_to() {
        properties = properties.with_reply_to(reply_to.clone());
    }
    if letter.user_id().as_deref() == Some(user) {
        properties = properties.with_user_id(user.to_owned());
    }
    match letter.headers() {
        Some(headers) => properties.with_headers(own_headers(headers)),
        None => properties,
    }
}

fn own_headers(headers: &FieldTable) -> FieldTable {
    let added = |name: &str| dead::ADDED.contains(&name) || COPIES.contains(&name) || dead::COUNTS.contains(&name);
    headers.iter().filter(|(name, _)| !added(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Checks the name of the queue that a letter says it was taken off, which whoever wrote the letter has chosen.
///
/// # Errors
/// Nothing can be put there; says why.
pub(super) fn check_queue(queue: &str) -> Result<(), String> {
    wire::check_short("the name of the queue that it was taken off", queue)?;
    // Addresses for replies are no queues, and a malformed one costs the connection.
    if queue.is_empty() || queue.starts_with("amq.rabbitmq.reply-to") {
        return Err(format!("there can be no queue `{queue}` to put it back into"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use amiquip::AmqpValue;

    use super::*;

    fn text(text: &str) -> AmqpValue {
        AmqpValue::LongString(text.to_owned())
    }

    fn table<'a>(names: impl IntoIterator<Item = &'a str>) -> FieldTable {
        names.into_iter().map(|name| (name.to_owned(), text("x"))).collect()
    }

    #[test]
    fn what_was_added_is_taken_off_and_the_rest_is_kept() {
        let headers = table(dead::ADDED.into_iter().chain(COPIES).chain(dead::COUNTS).chain([
            "tenant",
            "traceparent",
            "x-death",
        ]));
        let letter = AmqpProperties::default()
            .with_type_("add".to_owned())
            .with_content_type("application/json".to_owned())
            .with_content_encoding("utf-8".to_owned())
            .with_correlation_id("1".to_owned())
            .with_reply_to("guirpc.nobody".to_owned())
            .with_message_id("2".to_owned())
            .with_app_id("tests".to_owned())
            .with_priority(7)
            .with_timestamp(8)
            .with_delivery_mode(PERSISTENT);
        let expected = letter.clone().with_headers(table(["tenant", "traceparent", "x-death"]));
        assert_eq!(properties(&letter.with_headers(headers), "guest"), expected);
    }

    #[test]
    fn what_the_broker_would_refuse_is_left_out() {
        let letter = AmqpProperties::default().with_user_id("ada".to_owned()).with_expiration("soon".to_owned());
        assert_eq!(properties(&letter, "guest"), AmqpProperties::default().with_delivery_mode(PERSISTENT));
        assert_eq!(properties(&letter, "ada").user_id().as_deref(), Some("ada"));
    }

    #[test]
    fn what_is_no_queue_is_refused() {
        assert!(check_queue("shop").is_ok());
        assert!(check_queue("").is_err());
        assert!(check_queue("amq.rabbitmq.reply-to.abc.def").is_err());
        assert!(check_queue(&"q".repeat(256)).is_err());
    }
}
