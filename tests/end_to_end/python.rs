//! A caller that writes as the Python original does, by a client that is not ours.

use amiquip::{
    AmqpProperties, AmqpValue, Connection, ConsumerMessage, ConsumerOptions, FieldTable, Publish, QueueDeclareOptions,
};
use anyhow::{bail, ensure};
use harness::{Broker, Case};

use crate::service::{LONG, SERVICE, serve};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::shared("python::its_clients_are_answered_in_its_own_way", its_clients_are_answered_in_its_own_way)]
}

/// A text as a long string.
fn text(text: &str) -> AmqpValue {
    AmqpValue::LongString(text.to_owned())
}

fn its_clients_are_answered_in_its_own_way(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_server, _client) = serve(broker)?;
    let mut connection = Connection::insecure_open(&broker.uri())?;
    let channel = connection.open_channel(None)?;
    let queue = channel.queue_declare("", QueueDeclareOptions { exclusive: true, ..Default::default() })?;
    let consumer = queue.consume(ConsumerOptions { no_ack: true, ..Default::default() })?;
    // What `{"a": 2, "b": 3}`, `5` and the error look like in base64.
    let request = b"eyJhIjogMiwgImIiOiAzfQ==\n";
    let sum = (b"NQ==\n".as_slice(), "application/json", 200, "JsonSerializer");
    let unknown = "W1JlcXVlc3RFcnJvcl0gRmFhUyB3aXRoIG5hbWUgJ05vbmUnIGlzIG5vdCByZWdpc3RlcmVk\n";
    let unknown = (unknown.as_bytes(), "text/plain", 400, "TextSerializer");
    for (name, (body, content_type, status, serializer)) in [(Some("add"), sum), (None, unknown)] {
        let headers: FieldTable = name.iter().map(|name| ("FaaS-Name".to_owned(), text(name))).collect();
        let properties = AmqpProperties::default()
            .with_content_type("application/json".to_owned())
            .with_content_encoding("ascii".to_owned())
            .with_delivery_mode(2)
            .with_headers(headers)
            .with_reply_to(queue.name().to_owned())
            .with_correlation_id("id".to_owned());
        channel.basic_publish("", Publish::with_properties(request, SERVICE, properties))?;
        let ConsumerMessage::Delivery(reply) = consumer.receiver().recv_timeout(LONG)? else {
            bail!("the consumer was cancelled");
        };
        let headers = [
            ("Response-Serializer".to_owned(), text(serializer)),
            ("Response-Status".to_owned(), AmqpValue::LongInt(status)),
        ];
        let expected = AmqpProperties::default()
            .with_content_type(content_type.to_owned())
            .with_content_encoding("ascii".to_owned())
            .with_headers(headers.into_iter().collect())
            .with_correlation_id("id".to_owned());
        ensure!(reply.properties == expected, "{:?}", reply.properties);
        ensure!(reply.body == body, "{}", String::from_utf8_lossy(&reply.body));
    }
    Ok(())
}
