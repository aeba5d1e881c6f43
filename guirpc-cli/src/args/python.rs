//! The commands of the Python original, with its options and defaults.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::PossibleValuesParser;

use super::{Broker, Serializer};

const EXCHANGE: &str = "rpc_gateway";
const QUEUE: &str = "my_queue";
const BROKER: &str = "guest:guest@localhost:5672";

#[derive(Debug, clap::Args)]
pub(crate) struct InitConsumer {
    /// The folder to write; its last part names the package, and with it the service
    #[arg(value_name = "NAME")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) settings: ConsumerSettings,
    /// Depend on this checkout of guirpc [default: the one that this command was built from, while it is there, or else
    /// the released version]
    #[arg(long, value_name = "PATH")]
    pub(crate) guirpc_path: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConsumerSettings {
    /// The exchange
    #[arg(short = 'E', long, value_name = "NAME", default_value = EXCHANGE, value_parser = line)]
    pub(crate) exchange: String,
    /// How the exchange chooses queues
    #[arg(short = 't', long, default_value = "direct", value_parser = PossibleValuesParser::new(["direct", "fanout", "topic"]))]
    pub(crate) exchange_type: String,
    /// The queue
    #[arg(short, long, value_name = "NAME", default_value = QUEUE, value_parser = line)]
    pub(crate) queue: String,
    /// The routing key
    #[arg(short, long, value_name = "KEY", default_value = QUEUE, value_parser = line)]
    pub(crate) routing_key: String,
    /// How many requests to fetch ahead; with 1, one function runs at a time
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) prefetch_count: u16,
    /// How many functions may run at once
    #[arg(short = 'w', long, alias = "max_workers", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_workers: u32,
    /// The broker; an empty text leaves it to `AMQP_URI`
    #[arg(short = 'U', long, value_name = "USER:PASSWORD@HOST:PORT", default_value = BROKER)]
    pub(crate) connect: Connect,
}

impl ConsumerSettings {
    /// The defaults, with this broker.
    pub(crate) fn new(connect: Connect) -> Self {
        ConsumerSettings {
            exchange: EXCHANGE.to_owned(),
            exchange_type: "direct".to_owned(),
            queue: QUEUE.to_owned(),
            routing_key: QUEUE.to_owned(),
            prefetch_count: 1,
            max_workers: 4,
            connect,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitProducer {
    /// The folder to write; its last part names the package
    #[arg(value_name = "NAME")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) settings: ProducerSettings,
    /// Depend on this checkout of guirpc [default: the one that this command was built from, while it is there, or else
    /// the released version]
    #[arg(long, value_name = "PATH")]
    pub(crate) guirpc_path: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProducerSettings {
    /// Who calls: the `app_id` of requests
    #[arg(short, long, value_name = "ID", default_value = "", value_parser = line)]
    pub(crate) producer_id: String,
    /// The exchange
    #[arg(short = 'E', long, value_name = "NAME", default_value = EXCHANGE, value_parser = line)]
    pub(crate) exchange: String,
    /// The routing key
    #[arg(short, long, value_name = "KEY", default_value = QUEUE, value_parser = line)]
    pub(crate) routing_key: String,
    /// The `response_consumer` of the file, which nothing reads
    #[arg(short = 'C', long, value_name = "NAME", default_value = "", value_parser = line)]
    pub(crate) consumer: String,
    /// The broker; an empty text leaves it to `AMQP_URI`
    #[arg(short = 'U', long, value_name = "USER:PASSWORD@HOST:PORT", default_value = BROKER)]
    pub(crate) connect: Connect,
}

impl ProducerSettings {
    /// The defaults, with this broker.
    pub(crate) fn new(connect: Connect) -> Self {
        ProducerSettings {
            producer_id: "client_uuid".to_owned(),
            exchange: EXCHANGE.to_owned(),
            routing_key: QUEUE.to_owned(),
            consumer: String::new(),
            connect,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CreateConfig {
    /// The name of the file, without `.ini`
    pub(crate) name: String,
    /// Write the settings of a client, not of a server
    #[arg(long)]
    pub(crate) client: bool,
    /// The folder to write to, if not this one
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,
    /// The broker; an empty text leaves it to `AMQP_URI`
    #[arg(short = 'U', long, value_name = "USER:PASSWORD@HOST:PORT", default_value = BROKER)]
    pub(crate) connect: Connect,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunConsumer {
    /// The file of settings, which `GUIRPC_CONFIG`, `CONSUMER_CONFIG` or `CONSUMER_CONFIG_FILEPATH` may name as well
    #[arg(short, long = "with-config", visible_alias = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Flags for the service, such as `-- --workers 8`
    #[arg(last = true, value_name = "FLAGS")]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PublishOne {
    /// The exchange, which must be there; an empty text is the default exchange, which routes to the queue that the routing key names
    pub(crate) exchange: String,
    /// The routing key
    pub(crate) routing_key: String,
    /// The message, sent as it stands; `-` reads it from standard input
    #[arg(allow_negative_numbers = true)]
    pub(crate) message: String,
    /// Call this function with the message, wait, and print what it gives
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// How the function reads the message [default: json]
    #[arg(long, value_enum, requires = "function")]
    pub(crate) serializer: Option<Serializer>,
    #[command(flatten)]
    pub(crate) broker: Broker,
}

/// A broker as `user:password@host:port`; not shown, since there is a password in it.
#[derive(Clone)]
pub(crate) struct Connect(pub(crate) String);

impl FromStr for Connect {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Connect(text.to_owned()))
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect")
    }
}

/// A value that fits on a line of a file, and means the same there.
fn line(text: &str) -> Result<String, &'static str> {
    if text.contains(char::is_control) || text.trim() != text {
        return Err("it has no line breaks, and no spaces at its ends");
    }
    Ok(text.to_owned())
}
