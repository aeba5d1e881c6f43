//! A private RabbitMQ: the real broker, on loopback, for one test binary and gone with it.
//!
//! It runs the installed `rabbitmq-server` with everything of its own (ports, data, log, cookie),
//! so that neither a system service nor another test run notices.
//! What disturbs everybody on the node takes `&mut self`: a case that wants that is given a node of its own.

mod console;
mod install;
mod node;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::node::Node;

/// A node of our own, seen from one of its virtual hosts.
///
/// It ends when the last handle is dropped, and when the test process dies, however it dies.
#[derive(Debug)]
pub struct RabbitMq {
    node: Arc<Node>,
    vhost: String,
}

/// A queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// All its messages: those that wait and those that are delivered but not acked.
    pub messages: u64,
    /// The consumers on it.
    pub consumers: u64,
    /// The messages that are delivered but not acked.
    pub unacked: u64,
}

impl RabbitMq {
    /// Whether a node can be started here, or else why not and what to do about it.
    pub fn available() -> Result<(), String> {
        install::scripts().map(drop)
    }

    /// Starts a node, which takes a few seconds, and waits until it takes connections.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self { node: Arc::new(Node::start()?), vhost: "/".to_owned() })
    }

    /// The same node, seen from a new virtual host, where no queue exists yet.
    pub fn in_fresh_vhost(&self) -> anyhow::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let vhost = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.add_vhost(&vhost)?;
        let node = Arc::clone(&self.node);
        Ok(Self { node, vhost })
    }

    /// Where a client finds this virtual host, as the user `guest`.
    pub fn uri(&self) -> String {
        self.uri_for("guest", "guest", &self.vhost)
    }

    /// Where a client finds a virtual host of this node, with these credentials.
    pub fn uri_for(&self, user: &str, password: &str, vhost: &str) -> String {
        let [user, password, vhost] = [user, password, vhost].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC));
        format!("amqp://{user}:{password}@127.0.0.1:{}/{vhost}", self.port())
    }

    /// The port that takes AMQP connections, on 127.0.0.1 only.
    pub fn port(&self) -> u16 {
        self.node.port()
    }

    /// Adds a virtual host in which `guest` may do everything.
    pub fn add_vhost(&self, name: &str) -> anyhow::Result<()> {
        let name = binary(name);
        self.eval(&format!(
            "ok = rabbit_vhost:add({name}, <<\"tests\">>), \
             ok = rabbit_auth_backend_internal:set_permissions( \
                 <<\"guest\">>, {name}, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"tests\">>)"
        ))?;
        Ok(())
    }

    /// The queue of that name in this virtual host, if there is one.
    pub fn queue(&self, name: &str) -> anyhow::Result<Option<Queue>> {
        let (vhost, name) = (binary(&self.vhost), binary(name));
        let answer = self.eval(&format!(
            "case rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {name})) of \
                 {{ok, Q}} -> [N || {{_, N}} <- rabbit_amqqueue:info( \
                     Q, [messages, consumers, messages_unacknowledged])]; \
                 {{error, not_found}} -> none \
             end"
        ))?;
        if answer == "none" {
            return Ok(None);
        }
        let numbers = answer.trim_matches(['[', ']']).split(',').map(str::parse);
        match numbers.collect::<Result<Vec<u64>, _>>().as_deref() {
            Ok(&[messages, consumers, unacked]) => Ok(Some(Queue { messages, consumers, unacked })),
            _ => bail!("unexpected answer about a queue: {answer}"),
        }
    }

    /// Deletes a queue of this virtual host under the feet of its consumers.
    pub fn delete_queue(&self, name: &str) -> anyhow::Result<()> {
        let (vhost, name) = (binary(&self.vhost), binary(name));
        self.eval(&format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {name})), \
             {{ok, _}} = rabbit_amqqueue:delete(Q, false, false, <<\"tests\">>)"
        ))?;
        Ok(())
    }

    /// Closes every connection to this virtual host, as an operator would; gives their number.
    pub fn close_all_connections(&self, reason: &str) -> anyhow::Result<u64> {
        let vhost = binary(&self.vhost);
        let reason: Vec<u32> = reason.chars().map(u32::from).collect();
        // One that ends by itself in between is closed as well, and no failure.
        let closed = self.eval(&format!(
            "length([catch rabbit_networking:close_connection(C, {reason:?}) \
                || C <- rabbit_networking:connections(), \
                   (catch rabbit_networking:connection_info(C, [vhost])) =:= [{{vhost, {vhost}}}]])"
        ))?;
        closed.parse().context("a length is a number")
    }

    /// Raises or clears the memory alarm, under which the broker reads from no publisher.
    pub fn memory_alarm(&mut self, on: bool) -> anyhow::Result<()> {
        let watermark = if on { "0" } else { "0.4" };
        self.eval(&format!(
            "ok = vm_memory_monitor:set_vm_memory_high_watermark({watermark}), \
             {on} = rabbit_alarm:get_alarms() =/= []"
        ))?;
        Ok(())
    }

    /// Evaluates an Erlang expression inside the node, within milliseconds; gives its value as one line.
    pub fn eval(&self, expression: &str) -> anyhow::Result<String> {
        self.node.eval(expression)
    }

    /// Runs `rabbitmqctl` against the node, which takes about a second; gives its standard output.
    pub fn ctl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.node.ctl(arguments)
    }

    /// Has the node write its definitions to disk: a queue that was declared moments before a kill may be lost,
    /// since RabbitMQ 3 answers before its database has written the declaration.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.eval("ok = mnesia:sync_log(), dumped = mnesia:dump_log()").map(drop)
    }

    /// Kills the node with SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.node.kill()
    }

    /// Starts the node again on the same port with the data that it left, killing it first if it runs.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.node.kill()?;
        self.node.launch()
    }

    /// Stops the node in good order: it says goodbye to every connection.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.node.stop()
    }

    /// Stops the clock of the node: it keeps its connections and says nothing until [`Self::thaw`].
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        self.node.freeze()
    }

    /// Lets a frozen node go on.
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.node.thaw()
    }
}

/// The text as an Erlang binary: by its bytes, so that nothing in it needs an escape.
fn binary(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("<<{}>>", bytes.join(","))
}
