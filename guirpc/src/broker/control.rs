//! Both sides of the control exchange: a server's queue on it, and whoever asks all servers something.

use std::convert::Infallible;
use std::time::{Duration, Instant, SystemTime};

use amiquip::{
    AmqpProperties, AmqpValue, ConsumerMessage, ConsumerOptions, FieldTable, Publish, QueueDeclareOptions, Return,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, select};
use uuid::Uuid;

use super::attempt::bounded;
use super::connection::{Opener, explain};
use super::{
    Addresses, Attempt, BlockedNote, Channel, Connection, Exchange, Failure, OPEN_TIMEOUT, ReplyTo, no_answer, program,
};
use crate::codec::Codec;
use crate::config::ExchangeType;
use crate::error::{Error, ErrorKind};

/// Where servers are asked what they are and how they do.
pub(crate) const CONTROL_EXCHANGE: &str = "guirpc.control";
/// Questions that wait for a server; whoever asks more often is not answered each time.
const MOST_QUESTIONS: i32 = 100;

fn exchange() -> Exchange {
    Exchange { name: CONTROL_EXCHANGE.to_owned(), kind: ExchangeType::Topic, durable: true }
}

/// A queue that ends with its connection, for no more than so many messages; its name begins with that of the exchange, so
/// that a permission for that is one for the queue.
fn temporary_queue(channel: &Channel, most: Option<i32>) -> Result<String, Error> {
    let mut arguments = FieldTable::from([("x-queue-type".to_owned(), AmqpValue::LongString("classic".to_owned()))]);
    if let Some(most) = most {
        arguments.insert("x-max-length".to_owned(), AmqpValue::LongInt(most));
    }
    let options =
        QueueDeclareOptions { exclusive: true, auto_delete: true, arguments, ..QueueDeclareOptions::default() };
    // Another one each time: that of a connection which was lost may still be there.
    let name = format!("{CONTROL_EXCHANGE}.{}", Uuid::new_v4());
    channel.0.queue_declare(&*name, options).map_err(|error| explain(&error))?;
    Ok(name)
}

/// Answers questions on a connection of a server, on a channel of its own.
pub(crate) struct ControlServer {
    opener: Opener,
    /// By which questions reach it.
    routing_keys: Vec<String>,
}

impl ControlServer {
    /// `connection` is one that publishes anyway.
    pub(crate) fn on(connection: &Connection, routing_keys: Vec<String>) -> Self {
        ControlServer { opener: connection.opener(), routing_keys }
    }

    /// Answers until it is over, or its queue is gone; `answer` makes the body of the answer to a type of question.
    ///
    /// # Errors
    /// What the broker refused, or how the channel was lost.
    pub(crate) fn serve(
        &self,
        over: &Receiver<Infallible>,
        answer: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let channel = self.opener.open_channel()?;
        let exchange = exchange();
        channel.declare_exchange(&exchange)?;
        let queue = temporary_queue(&channel, Some(MOST_QUESTIONS))?;
        for key in &self.routing_keys {
            channel.bind(&exchange, key, &queue)?;
        }
        let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
        let consumer = channel.start_consumer(&*queue, options).map_err(|error| explain(&error))?;
        let questions = consumer.receiver();
        loop {
            let question = select! {
                recv(over) -> _ => return Ok(()),
                recv(questions) -> question => question,
            };
            match question {
                Ok(ConsumerMessage::Delivery(question)) => {
                    let kind = question.properties.type_().as_deref().unwrap_or_default();
                    let Some((address, body)) = address(&question.properties).zip(answer(kind)) else { continue };
                    let mut properties = AmqpProperties::default()
                        .with_type_(kind.to_owned())
                        .with_content_type(Codec::Json.content_type().to_owned());
                    if let Some(id) = question.properties.correlation_id() {
                        properties = properties.with_correlation_id(id.clone());
                    }
                    let answer = Publish::with_properties(&body, address.as_str(), properties);
                    channel.0.basic_publish("", answer).map_err(|error| explain(&error))?;
                }
                Ok(end) => return Err(Error::new(ErrorKind::Unreachable, Failure::from(&end).reason)),
                Err(_) => return Err(Error::new(ErrorKind::Unreachable, Failure::silent().reason)),
            }
        }
    }
}

/// Where the answer goes: a queue. Another kind of address could cost the server its connection.
fn address(properties: &AmqpProperties) -> Option<ReplyTo> {
    let address = ReplyTo::parse(properties.reply_to().as_deref()?).ok()?;
    address.node().is_none().then_some(address)
}

/// Asks servers questions, each on a connection of its own.
pub(crate) struct ControlClient(Addresses);

/// How long answers are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) wait: Duration,
    /// So many are enough.
    pub(crate) expected: Option<usize>,
}

/// An answer, how long after the question it came, and when that was.
pub(crate) struct ControlAnswer {
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
    pub(crate) received: SystemTime,
}

impl ControlClient {
    /// Connects once, so that a mistake is told at once.
    ///
    /// # Errors
    /// No broker answers, or it refuses the user or the virtual host.
    pub(crate) fn connect(addresses: Addresses) -> Result<Self, Error> {
        connect(&addresses)?;
        Ok(ControlClient(addresses))
    }

    /// Asks whoever has this routing key, and gathers the answers.
    ///
    /// # Errors
    /// No broker answers, it refuses the question, or the connection is lost.
    pub(crate) fn ask(&self, kind: &str, routing_key: &str, patience: Patience) -> Result<Vec<ControlAnswer>, Error> {
        let (addresses, kind, routing_key) = (self.0.clone(), kind.to_owned(), routing_key.to_owned());
        let asked = bounded(OPEN_TIMEOUT + patience.wait, move |attempt: &Attempt| {
            let connection = connect(&addresses)?;
            attempt.hold(connection.socket());
            ask(attempt, &connection, (&kind, &routing_key), patience)
        });
        asked.unwrap_or_else(|| Err(no_answer(&self.0)))
    }
}

fn connect(addresses: &Addresses) -> Result<Connection, Error> {
    Connection::open(addresses, &program(), "asking servers")
}

fn ask(
    attempt: &Attempt,
    connection: &Connection,
    (kind, routing_key): (&str, &str),
    patience: Patience,
) -> Result<Vec<ControlAnswer>, Error> {
    let channel = connection.opener().open_channel()?;
    match channel.0.exchange_declare_passive(CONTROL_EXCHANGE) {
        Ok(_) => {}
        // No server has ever been asked anything.
        Err(amiquip::Error::ServerClosedChannel { code: 404, .. }) => return Ok(Vec::new()),
        Err(error) => return Err(explain(&error)),
    }
    let returned = channel.0.listen_for_returns().map_err(|error| explain(&error))?;
    let queue = temporary_queue(&channel, None)?;
    let options = ConsumerOptions { no_ack: true, ..ConsumerOptions::default() };
    let consumer = channel.start_consumer(&*queue, options).map_err(|error| explain(&error))?;
    let properties = AmqpProperties::default()
        .with_type_(kind.to_owned())
        .with_content_type(Codec::Json.content_type().to_owned())
        .with_expiration(patience.wait.as_millis().max(1).to_string())
        .with_reply_to(queue);
    let question = Publish { mandatory: true, ..Publish::with_properties(b"{}", routing_key, properties) };
    let begun = Instant::now();
    channel.0.basic_publish(CONTROL_EXCHANGE, question).map_err(|error| explain(&error))?;
    let answers = gather(consumer.receiver(), &returned, begun, patience)?;
    let Some(BlockedNote::Blocked(why)) = connection.blocked().try_iter().last() else { return Ok(answers) };
    // The broker reads nothing more on this connection, so that nothing could be closed in order.
    attempt.give_up();
    if answers.is_empty() {
        let message = format!("the broker takes no messages at the moment: {why}");
        return Err(Error::new(ErrorKind::Unreachable, message));
    }
    Ok(answers)
}

fn gather(
    answers: &Receiver<ConsumerMessage>,
    returned: &Receiver<Return>,
    begun: Instant,
    Patience { wait, expected }: Patience,
) -> Result<Vec<ControlAnswer>, Error> {
    let until = crossbeam_channel::at(begun + wait);
    let mut gathered = Vec::new();
    while expected.is_none_or(|expected| gathered.len() < expected) {
        let answer = select! {
            recv(answers) -> answer => answer.map_err(|_| RecvTimeoutError::Disconnected),
            // There is nobody to ask.
            recv(returned) -> _ => break,
            recv(until) -> _ => break,
        };
        match answer {
            Ok(ConsumerMessage::Delivery(answer)) => {
                let (after, received) = (begun.elapsed(), SystemTime::now());
                gathered.push(ControlAnswer { body: answer.body, after, received });
            }
            Ok(end) => return Err(Error::new(ErrorKind::Unreachable, Failure::from(&end).reason)),
            Err(_) => return Err(Error::new(ErrorKind::Unreachable, Failure::silent().reason)),
        }
    }
    Ok(gathered)
}
