//! The methods of AMQP 0-9-1 as data: for scripts that call them, and to show those that come back.
//!
//! It is a codec of its own, so that what the library's broker has in common with amq-protocol is tested too.

use std::sync::LazyLock;

use anyhow::{Context, bail, ensure};

use super::fields::{Bytes, Field, Kind, default, encode};
use super::text::quote;

/// Number, name, fields; a field without a name is reserved.
const METHODS: &str = "
10.10 connection.start u8:major u8:minor identity:server words:mechanisms words:locales
10.11 connection.start-ok table:client short:mechanism long:response short:locale
10.20 connection.secure long:challenge
10.21 connection.secure-ok long:response
10.30 connection.tune u16:channels u32:frame u16:heartbeat
10.31 connection.tune-ok u16:channels u32:frame u16:heartbeat
10.40 connection.open short:vhost short: bit:
10.41 connection.open-ok short:
10.50 connection.close u16:code short:text u16:class u16:method
10.51 connection.close-ok
10.60 connection.blocked short:reason
10.61 connection.unblocked
10.70 connection.update-secret long:secret short:reason
10.71 connection.update-secret-ok
20.10 channel.open short:
20.11 channel.open-ok long:
20.20 channel.flow bit:active
20.21 channel.flow-ok bit:active
20.40 channel.close u16:code short:text u16:class u16:method
20.41 channel.close-ok
30.10 access.request short:realm bit:exclusive bit:passive bit:active bit:write bit:read
30.11 access.request-ok u16:ticket
40.10 exchange.declare u16: short:exchange short:type bit:passive bit:durable bit:auto_delete bit:internal bit:nowait table:arguments
40.11 exchange.declare-ok
40.20 exchange.delete u16: short:exchange bit:if_unused bit:nowait
40.21 exchange.delete-ok
40.30 exchange.bind u16: short:destination short:source short:key bit:nowait table:arguments
40.31 exchange.bind-ok
40.40 exchange.unbind u16: short:destination short:source short:key bit:nowait table:arguments
40.51 exchange.unbind-ok
50.10 queue.declare u16: short:queue bit:passive bit:durable bit:exclusive bit:auto_delete bit:nowait table:arguments
50.11 queue.declare-ok short:queue u32:messages u32:consumers
50.20 queue.bind u16: short:queue short:exchange short:key bit:nowait table:arguments
50.21 queue.bind-ok
50.30 queue.purge u16: short:queue bit:nowait
50.31 queue.purge-ok u32:messages
50.40 queue.delete u16: short:queue bit:if_unused bit:if_empty bit:nowait
50.41 queue.delete-ok u32:messages
50.50 queue.unbind u16: short:queue short:exchange short:key table:arguments
50.51 queue.unbind-ok
60.10 basic.qos u32:size u16:count bit:global
60.11 basic.qos-ok
60.20 basic.consume u16: short:queue short:consumer bit:no_local bit:no_ack bit:exclusive bit:nowait table:arguments
60.21 basic.consume-ok short:consumer
60.30 basic.cancel short:consumer bit:nowait
60.31 basic.cancel-ok short:consumer
60.40 basic.publish u16: short:exchange short:key bit:mandatory bit:immediate
60.50 basic.return u16:code short:text short:exchange short:key
60.60 basic.deliver short:consumer u64:tag bit:redelivered short:exchange short:key
60.70 basic.get u16: short:queue bit:no_ack
60.71 basic.get-ok u64:tag bit:redelivered short:exchange short:key u32:messages
60.72 basic.get-empty short:
60.80 basic.ack u64:tag bit:multiple
60.90 basic.reject u64:tag bit:requeue
60.100 basic.recover-async bit:requeue
60.110 basic.recover bit:requeue
60.111 basic.recover-ok
60.120 basic.nack u64:tag bit:multiple bit:requeue
85.10 confirm.select bit:nowait
85.11 confirm.select-ok
90.10 tx.select
90.11 tx.select-ok
90.20 tx.commit
90.21 tx.commit-ok
90.30 tx.rollback
90.31 tx.rollback-ok
";

/// The properties of a message, from the highest bit of their flags down.
const PROPERTIES: &str = "short:content_type short:content_encoding table:headers u8:delivery_mode u8:priority \
    short:correlation_id short:reply_to short:expiration short:message_id time:timestamp short:type short:user_id \
    short:app_id short:cluster_id";

struct Method {
    id: [u16; 2],
    name: &'static str,
    fields: Vec<Field>,
}

static TABLE: LazyLock<Vec<Method>> = LazyLock::new(|| METHODS.trim().lines().map(Method::parse).collect());
static PROPERTY_FIELDS: LazyLock<Vec<Field>> =
    LazyLock::new(|| PROPERTIES.split_whitespace().map(Field::parse).collect());

impl Method {
    fn parse(line: &'static str) -> Self {
        let mut words = line.split(' ');
        let (class, method) = words.next().and_then(|id| id.split_once('.')).expect("a number is first");
        let number = |text: &str| text.parse().expect("it is a number");
        let id = [number(class), number(method)];
        Self { id, name: words.next().expect("a name is second"), fields: words.map(Field::parse).collect() }
    }
}

/// Takes the value of a field out of the words of a script: `name=value`, or `name` for a bit.
fn take<'a>(words: &mut Vec<&'a str>, field: Field) -> Option<&'a str> {
    let is_it = |word: &&str| word.split('=').next() == Some(field.name);
    let at = words.iter().position(is_it)?;
    Some(words.remove(at).split_once('=').map_or("", |(_, value)| value))
}

/// The payload of a method frame; takes the method's fields out of the words.
pub(crate) fn encode_method(name: &str, words: &mut Vec<&str>) -> anyhow::Result<Vec<u8>> {
    let method = TABLE.iter().find(|method| method.name == name).with_context(|| format!("no method {name}"))?;
    let mut payload = method.id.map(u16::to_be_bytes).concat();
    let mut bits = 0;
    for field in &method.fields {
        let value = if field.name.is_empty() { None } else { take(words, *field) };
        if field.kind != Kind::Bit {
            bits = 0;
            payload.extend(encode(*field, value.unwrap_or(default(field.kind)))?);
            continue;
        }
        if bits == 0 {
            payload.push(0);
        }
        *payload.last_mut().context("a method has a number")? |= u8::from(value.is_some()) << bits;
        bits += 1;
    }
    Ok(payload)
}

/// The name and the fields of a method.
pub(crate) fn decode_method(payload: &[u8]) -> anyhow::Result<String> {
    let mut bytes = Bytes(payload);
    let id = [u16::from_be_bytes(bytes.take()?), u16::from_be_bytes(bytes.take()?)];
    let Some(method) = TABLE.iter().find(|method| method.id == id) else { bail!("no method {id:?}") };
    let mut words = vec![method.name.to_owned()];
    let (mut bits, mut octet) = (0, 0);
    for field in &method.fields {
        if field.kind != Kind::Bit {
            bits = 0;
            words.extend(bytes.field(*field)?);
            continue;
        }
        if bits == 0 {
            [octet] = bytes.take()?;
        }
        if octet >> bits & 1 == 1 {
            words.push(field.name.to_owned());
        }
        bits += 1;
    }
    ensure!(bytes.0.is_empty(), "{} follows {}", quote(bytes.0), method.name);
    Ok(words.join(" "))
}

/// The payload of a header frame; takes the properties out of the words.
pub(crate) fn encode_header(class: u16, size: u64, words: &mut Vec<&str>) -> anyhow::Result<Vec<u8>> {
    let (mut flags, mut values) = (0_u16, Vec::new());
    for (at, field) in PROPERTY_FIELDS.iter().enumerate() {
        if let Some(value) = take(words, *field) {
            flags |= 0x8000 >> at;
            values.extend(encode(*field, value)?);
        }
    }
    Ok([&class.to_be_bytes(), &[0, 0], &size.to_be_bytes()[..], &flags.to_be_bytes(), &values].concat())
}

/// The size of the body that a header announces, and the properties.
pub(crate) fn decode_header(payload: &[u8]) -> anyhow::Result<(u64, Vec<String>)> {
    let mut bytes = Bytes(payload);
    let class_and_weight: [u8; 4] = bytes.take()?;
    ensure!(class_and_weight == [0, 60, 0, 0], "a header of {class_and_weight:?}");
    let size = u64::from_be_bytes(bytes.take()?);
    let flags = u16::from_be_bytes(bytes.take()?);
    let set = PROPERTY_FIELDS.iter().enumerate().filter(|(at, _)| flags & 0x8000 >> at != 0);
    let words = set.filter_map(|(_, field)| bytes.field(*field).transpose()).collect::<Result<_, _>>()?;
    ensure!(bytes.0.is_empty(), "{} follows the properties", quote(bytes.0));
    Ok((size, words))
}
