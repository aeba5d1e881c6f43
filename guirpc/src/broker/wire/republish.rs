//! A request that was delivered, as it is published again: for another attempt, or as a dead letter.

use std::time::{Duration, SystemTime};

use amiquip::{AmqpProperties, AmqpValue, FieldTable};
use uuid::Uuid;

use super::limits::{expiration, frame_size};
use super::{PERSISTENT, value};
use crate::broker::Limits;
use crate::message::{ATTEMPTS, DEADLINE, FAAS_NAME, TIMEOUT, dead};

/// Headers of the broker's that have it send copies elsewhere: it has done so already.
pub(in crate::broker) const COPIES: [&str; 2] = ["CC", "BCC"];
/// Without these a request is another one.
const ESSENTIAL: [&str; 3] = [FAAS_NAME, DEADLINE, TIMEOUT];

/// What is said of a dead letter is no longer than this, in bytes: it travels in the same frame as the headers, and is
/// shorter where that has less room.
const LONGEST_MESSAGE: usize = 4096;
/// Rather than to say less than this, headers are left out.
const LEAST_MESSAGE: usize = 256;
/// What is put back is left this time at least, since the clock of who set the deadline may be behind ours.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The same request, after so many deliveries.
pub(in crate::broker) fn as_attempt(delivered: &AmqpProperties, attempts: u32, now: SystemTime) -> AmqpProperties {
    let mut table = own(delivered);
    // One that the caller made up would be taken for a server's where it is put.
    table.remove(ATTEMPTS);
    if attempts > 0 {
        table.insert(ATTEMPTS.to_owned(), AmqpValue::LongLongInt(attempts.into()));
    }
    let mut properties = copy(delivered);
    if let Some(reply_to) = delivered.reply_to() {
        properties = properties.with_reply_to(reply_to.clone());
    }
    // What is counted is never lost alone out of its queue: RabbitMQ marks nothing any more as delivered before in a queue
    // that has lost transient messages in an orderly restart, and counting rests on the mark.
    if let Some(delivery_mode) = Some(PERSISTENT).filter(|_| attempts > 0).or(*delivered.delivery_mode()) {
        properties = properties.with_delivery_mode(delivery_mode);
    }
    // The broker would let it wait for all of its time once more.
    let left = deadline(delivered).map(|deadline| deadline.duration_since(now).unwrap_or_default());
    let left = left.map_or_else(|| delivered.expiration().clone(), |left| expiration(left.max(LEAST_TIME)));
    if let Some(expiration) = left {
        properties = properties.with_expiration(expiration);
    }
    if table.is_empty() { properties } else { properties.with_headers(table) }
}

/// The same request as a dead letter: it does not expire, and asks for no reply.
pub(in crate::broker) fn as_dead_letter(
    delivered: &AmqpProperties,
    death: &dead::Death<'_>,
    limits: Limits,
) -> AmqpProperties {
    let text = |text: &str| AmqpValue::LongString(text.to_owned());
    let time = death.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let told = [
        (dead::REASON, text(death.reason)),
        (dead::QUEUE, text(death.queue)),
        (dead::TIME, AmqpValue::LongLongInt(i64::try_from(time).unwrap_or(i64::MAX))),
        (ATTEMPTS, AmqpValue::LongLongInt(death.attempts.into())),
        (dead::ID, text(&Uuid::new_v4().to_string())),
        (dead::MESSAGE, text("")),
    ];
    let status = death.status.map(|status| (dead::STATUS, AmqpValue::LongInt(status.into())));
    let dropped = death.dropped.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let dropped = dropped.map(|bytes| (dead::DROPPED, AmqpValue::LongLongInt(bytes)));
    let told: Vec<_> = told.into_iter().chain(status).chain(dropped).collect();
    let letter = |kept: fn(&str) -> bool| {
        let mut table = own(delivered);
        table.retain(|name, _| kept(name));
        table.extend(told.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let letter = copy(delivered).with_delivery_mode(PERSISTENT).with_headers(table.clone());
        let room = limits.frame.saturating_sub(frame_size(&letter)).min(LONGEST_MESSAGE);
        (room, table)
    };
    // What came in one frame may not fit into one with them: then only what the request needs is kept.
    let needed = LEAST_MESSAGE.min(death.message.len());
    let kept: [fn(&str) -> bool; 2] = [|_| true, |name| ESSENTIAL.contains(&name)];
    let fitting = kept.into_iter().map(letter).find(|(room, _)| *room >= needed);
    let (room, mut table) = fitting.unwrap_or_else(|| letter(|_| false));
    let message = &death.message[..death.message.floor_char_boundary(room)];
    table.insert(dead::MESSAGE.to_owned(), text(message));
    copy(delivered).with_delivery_mode(PERSISTENT).with_headers(table)
}

/// The request's headers, without those by which the broker would send it elsewhere as well, and its own counts.
fn own(delivered: &AmqpProperties) -> FieldTable {
    let mut table = delivered.headers().clone().unwrap_or_default();
    table.retain(|name, _| !COPIES.contains(&name.as_str()) && !dead::COUNTS.contains(&name.as_str()));
    table
}

/// What the headers say of the deadline.
fn deadline(delivered: &AmqpProperties) -> Option<SystemTime> {
    let field = delivered.headers().as_ref()?.get(DEADLINE)?;
    crate::message::deadline(&value(field))
}

/// All properties that say what the request is, and none that says what becomes of it.
///
/// The property `user_id` is not among them: the broker takes it only from that user.
pub(in crate::broker) fn copy(delivered: &AmqpProperties) -> AmqpProperties {
    let mut copy = AmqpProperties::default();
    macro_rules! keep {
        ($($property:ident: $with:ident),+) => {
            $(if let Some(value) = delivered.$property() {
                copy = copy.$with(value.clone());
            })+
        };
    }
    keep!(
        content_type: with_content_type,
        content_encoding: with_content_encoding,
        priority: with_priority,
        correlation_id: with_correlation_id,
        message_id: with_message_id,
        timestamp: with_timestamp,
        type_: with_type_,
        app_id: with_app_id
    );
    copy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::wire::deadline_headers;

    fn delivered(headers: impl IntoIterator<Item = (String, AmqpValue)>) -> AmqpProperties {
        AmqpProperties::default()
            .with_type_("add".to_owned())
            .with_correlation_id("7".to_owned())
            .with_reply_to("replies".to_owned())
            .with_user_id("ada".to_owned())
            .with_delivery_mode(1)
            .with_expiration("10000".to_owned())
            .with_headers(headers.into_iter().collect())
    }

    fn header<'a>(properties: &'a AmqpProperties, name: &str) -> Option<&'a AmqpValue> {
        properties.headers().as_ref()?.get(name)
    }

    #[test]
    fn an_attempt_is_counted_and_keeps_its_deadline() {
        let sent = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let delivered = delivered(deadline_headers(Duration::from_secs(10), sent));
        let again = as_attempt(&delivered, 2, sent + Duration::from_secs(4));
        assert_eq!(header(&again, ATTEMPTS), Some(&AmqpValue::LongLongInt(2)));
        assert_eq!(again.expiration().as_deref(), Some("6000"));
        assert_eq!(again.reply_to().as_deref(), Some("replies"));
        assert_eq!((again.type_().as_deref(), again.delivery_mode()), (Some("add"), &Some(PERSISTENT)));
        assert_eq!(again.user_id(), &None, "the broker refuses another user's name");
    }

    #[test]
    fn what_has_not_begun_is_put_back_without_a_count() {
        let invented = (ATTEMPTS.to_owned(), AmqpValue::LongLongInt(3));
        let back = as_attempt(&delivered([invented]), 0, SystemTime::UNIX_EPOCH);
        assert_eq!((header(&back, ATTEMPTS), back.delivery_mode()), (None, &Some(1)));
    }

    #[test]
    fn a_dead_letter_asks_for_no_reply() {
        let copies = ("CC".to_owned(), AmqpValue::FieldArray(vec![]));
        let tenant = ("tenant".to_owned(), AmqpValue::LongString("a".to_owned()));
        let death = dead::Death {
            reason: dead::FAILED,
            queue: "math",
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(2),
            status: Some(422),
            message: "no".to_owned(),
            attempts: 1,
            dropped: None,
        };
        let letter = as_dead_letter(&delivered([copies, tenant.clone()]), &death, Limits::default());
        assert_eq!((letter.reply_to(), letter.expiration(), letter.delivery_mode()), (&None, &None, &Some(2)));
        assert_eq!(header(&letter, "CC"), None, "it would be sent there again");
        assert_eq!(header(&letter, "tenant"), Some(&tenant.1));
        assert_eq!(header(&letter, dead::TIME), Some(&AmqpValue::LongLongInt(2000)));
        assert_eq!(header(&letter, dead::STATUS), Some(&AmqpValue::LongInt(422)));
        let other = as_dead_letter(&delivered([]), &death, Limits::default());
        assert_ne!(header(&letter, dead::ID), header(&other, dead::ID), "each letter has an id of its own");
    }

    #[test]
    fn what_does_not_fit_into_a_frame_any_more_is_left_out() {
        for frame in [4096 - 8, 128 << 10] {
            let limits = Limits { frame, ..Limits::default() };
            let huge = ("huge".to_owned(), AmqpValue::LongString("x".repeat(frame - 300)));
            let name = (FAAS_NAME.to_owned(), AmqpValue::LongString("add".to_owned()));
            let with_huge = delivered([huge, name.clone()]);
            let death = dead::Death {
                reason: dead::FAILED,
                queue: "math",
                time: SystemTime::UNIX_EPOCH,
                status: None,
                message: "ä".repeat(1 << 20),
                attempts: 0,
                dropped: None,
            };
            let letter = as_dead_letter(&with_huge, &death, limits);
            assert_eq!(header(&letter, "huge"), None);
            assert!(header(&letter, FAAS_NAME).is_some() && header(&letter, dead::REASON).is_some());
            assert!(frame_size(&letter) <= frame);
            let letter = as_dead_letter(&delivered([name]), &death, limits);
            let Some(AmqpValue::LongString(message)) = header(&letter, dead::MESSAGE) else { panic!("{letter:?}") };
            assert!(frame_size(&letter) <= frame && message.len() >= frame.min(LONGEST_MESSAGE) - 400);
            let odd = (FAAS_NAME.to_owned(), AmqpValue::LongString("x".repeat(frame - 100)));
            assert!(frame_size(&as_dead_letter(&delivered([odd]), &death, limits)) <= frame);
        }
    }
}
