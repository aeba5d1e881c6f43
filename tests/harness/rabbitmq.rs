//! A private RabbitMQ: the real broker, on loopback, for one test binary and gone with it.
//!
//! It runs the installed `rabbitmq-server` with everything of its own (ports, data, log, cookie),
//! so that neither a system service nor another test run notices.
//! What disturbs everybody on the node takes `&mut self`: a case that wants that is given a node of its own.

mod console;
mod install;
mod node;
mod tls;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};

use self::install::Installation;
use self::node::{Extras, Member, Node};
use self::tls::Tls;
use crate::broker::{Broker, Queue, uri};
use crate::eventually;
use crate::port::Port;

pub(crate) const NAME: &str = "rabbitmq";

/// How long a quorum queue may be without a leader.
const ELECTION_TIME: Duration = Duration::from_secs(30);

/// A node of our own, seen from one of its virtual hosts.
///
/// It ends when the last handle is dropped, and when the test process dies, however it dies.
#[derive(Debug)]
pub struct RabbitMq {
    node: Arc<Node>,
    vhost: String,
}

impl RabbitMq {
    /// Whether a node can be started here, or else why not and what to do about it.
    pub fn available() -> Result<(), String> {
        Installation::find().map(drop)
    }

    /// The version that is installed, which takes half a second to tell.
    pub fn version() -> anyhow::Result<String> {
        Installation::find().map_err(anyhow::Error::msg)?.version()
    }

    /// Starts a node, which takes a few seconds, and waits until it takes connections.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(Extras::default())
    }

    fn start_with(extras: Extras) -> anyhow::Result<Self> {
        Ok(Self { node: Arc::new(Node::start(Member::alone()?, extras)?), vhost: "/".to_owned() })
    }

    /// Starts one that takes connections with TLS as well, by which its URIs lead.
    ///
    /// `options` are Erlang's, the content of the list `ssl_options`; `parameters` are what clients need to know.
    pub fn start_with_tls(options: &str, parameters: &str) -> anyhow::Result<Self> {
        Self::start_with(Extras { tls: Some(Tls::new(options, parameters)?), ..Extras::default() })
    }

    /// Starts one with the management API, in which `guest` may see everything.
    pub fn start_with_management() -> anyhow::Result<Self> {
        Self::start_with(Extras { management: Some(Port::claim()?), ..Extras::default() })
    }

    /// Starts one that has both, and speaks TLS in the management API, too.
    pub fn start_with_tls_and_management(options: &str, parameters: &str) -> anyhow::Result<Self> {
        Self::start_with(Extras { tls: Some(Tls::new(options, parameters)?), management: Some(Port::claim()?) })
    }

    /// Where the management API is, if the node has it.
    pub fn management(&self) -> Option<String> {
        // A certificate is for a name.
        let server = if self.node.tls().is_some() { "https://localhost" } else { "http://127.0.0.1" };
        self.node.management().map(|port| format!("{server}:{port}"))
    }

    /// Where clients find it without TLS.
    pub fn plain_uri(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port())
    }

    /// Starts a cluster of so many nodes, one after another; gives each of them.
    pub fn start_cluster(nodes: u8) -> anyhow::Result<Vec<Self>> {
        let first = Arc::new(Node::start(Member::first()?, Extras::default())?);
        let others = (2..=nodes).map(|number| Ok(Arc::new(first.start_beside(number)?)));
        let others = others.collect::<anyhow::Result<Vec<_>>>()?;
        let nodes = std::iter::once(first).chain(others);
        Ok(nodes.map(|node| Self { node, vhost: "/".to_owned() }).collect())
    }

    /// The same node, seen from a new virtual host, where no queue exists yet.
    pub fn in_fresh_vhost(&self) -> anyhow::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let vhost = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.add_vhost(&vhost)?;
        let node = Arc::clone(&self.node);
        Ok(Self { node, vhost })
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

    /// Adds a user with the password `secret` who has these rights in this virtual host: to configure, to write and to
    /// read; gives the URI.
    pub fn add_user(&self, name: &str, [configure, write, read]: [&str; 3]) -> anyhow::Result<String> {
        let uri = self.uri_for(name, "secret", &self.vhost);
        let [name, vhost, configure, write, read] = [name, &self.vhost, configure, write, read].map(binary);
        self.eval(&format!(
            "ok = rabbit_auth_backend_internal:add_user({name}, <<\"secret\">>, <<\"tests\">>), \
             ok = rabbit_auth_backend_internal:set_permissions( \
                 {name}, {vhost}, {configure}, {write}, {read}, <<\"tests\">>)"
        ))?;
        Ok(uri)
    }

    /// The name of this virtual host.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Sets one of the node's parameters, as its configuration would, for connections and channels to come.
    pub fn set(&mut self, parameter: &str, value: &str) -> anyhow::Result<()> {
        // Version 4 keeps some of them in a second place, from its start on.
        self.eval(&format!(
            "ok = application:set_env(rabbit, {parameter}, {value}), ok = persistent_term:put({parameter}, {value})"
        ))
        .map(drop)
    }

    /// Evaluates an Erlang expression inside the node, within milliseconds; gives its value as one line.
    pub fn eval(&self, expression: &str) -> anyhow::Result<String> {
        self.node.eval(expression)
    }

    /// Runs `rabbitmqctl` against the node, which takes about a second; gives its standard output.
    pub fn ctl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.node.ctl(arguments)
    }
}

impl Broker for RabbitMq {
    fn name(&self) -> &'static str {
        NAME
    }

    fn port(&self) -> u16 {
        self.node.port()
    }

    fn uri(&self) -> String {
        self.uri_for("guest", "guest", &self.vhost)
    }

    fn uri_for(&self, user: &str, password: &str, vhost: &str) -> String {
        let uri = uri(self.port(), user, password, vhost);
        self.node.tls().map_or(uri.clone(), |tls| tls.uri(&uri))
    }

    fn queue(&self, name: &str) -> anyhow::Result<Option<Queue>> {
        let (vhost, name) = (binary(&self.vhost), binary(name));
        // The counters of a quorum queue are seconds old, so its leader is asked, as soon as there is one.
        let counts = "case amqqueue:get_type(Q) of \
                 rabbit_quorum_queue -> \
                     case [ra:leader_query(amqqueue:get_pid(Q), Count) || Count <- [ \
                             fun rabbit_fifo:query_messages_total/1, fun rabbit_fifo:query_consumer_count/1, \
                             fun rabbit_fifo:query_messages_checked_out/1]] of \
                         [{ok, {_, M}, _}, {ok, {_, C}, _}, {ok, {_, U}, _}] -> [M, C, U]; \
                         _ -> no_leader \
                     end; \
                 _ -> [N || {_, N} <- rabbit_amqqueue:info(Q, [messages, consumers, messages_unacknowledged])] \
             end";
        let expression = format!(
            "case rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {name})) of \
                 {{ok, Q}} -> case catch {counts} of {{'EXIT', _}} -> none; Counts -> Counts end; \
                 {{error, not_found}} -> none \
             end"
        );
        let mut answer = String::new();
        eventually(ELECTION_TIME, || {
            answer = self.eval(&expression)?;
            Ok(answer != "no_leader")
        })?;
        if answer == "none" {
            return Ok(None);
        }
        let numbers = answer.trim_matches(['[', ']']).split(',').map(str::parse);
        match numbers.collect::<Result<Vec<usize>, _>>().as_deref() {
            Ok(&[messages, consumers, unacked]) => Ok(Some(Queue { messages, consumers, unacked })),
            _ => bail!("unexpected answer about a queue: {answer}"),
        }
    }

    fn queues(&self) -> anyhow::Result<Option<BTreeSet<String>>> {
        let vhost = binary(&self.vhost);
        // With a space after each, since the answer comes as one line; that of none is an empty list.
        let names = self.eval(&format!(
            "lists:append([binary_to_list(element(4, amqqueue:get_name(Q))) ++ \" \" \
                || Q <- rabbit_amqqueue:list({vhost})])"
        ))?;
        Ok(Some(names.trim_matches(['"', '[', ']']).split_whitespace().map(str::to_owned).collect()))
    }

    fn delete_queue(&self, name: &str) -> anyhow::Result<()> {
        let (vhost, name) = (binary(&self.vhost), binary(name));
        self.eval(&format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {name})), \
             {{ok, _}} = rabbit_amqqueue:delete(Q, false, false, <<\"tests\">>)"
        ))?;
        Ok(())
    }

    fn close_channels(&self, queue: &str) -> anyhow::Result<usize> {
        let (vhost, queue) = (binary(&self.vhost), binary(queue));
        // As if the client had acknowledged what it never got, which RabbitMQ closes a channel for.
        let closed = self.eval(&format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {queue})), \
             Channels = lists:usort([element(1, C) || C <- rabbit_amqqueue:consumers(Q)]), \
             [rabbit_channel:do(C, {{'basic.ack', 18446744073709551615, false}}) || C <- Channels], \
             length(Channels)"
        ))?;
        closed.parse().context("a length is a number")
    }

    fn fail_queue(&self, name: &str) -> anyhow::Result<()> {
        let (vhost, name) = (binary(&self.vhost), binary(name));
        self.eval(&format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r({vhost}, queue, {name})), exit(amqqueue:get_pid(Q), kill)"
        ))
        .map(drop)
    }

    fn close_all_connections(&self, reason: &str) -> anyhow::Result<usize> {
        let vhost = binary(&self.vhost);
        let reason: Vec<u32> = reason.chars().map(u32::from).collect();
        // All are found before the first is closed: a server closes its other one then, which counts as well.
        let closed = self.eval(&format!(
            "length([catch rabbit_networking:close_connection(C, {reason:?}) \
                || C <- [C || C <- rabbit_networking:connections(), \
                        (catch rabbit_networking:connection_info(C, [vhost])) =:= [{{vhost, {vhost}}}]]])"
        ))?;
        closed.parse().context("a length is a number")
    }

    fn memory_alarm(&mut self, on: bool) -> anyhow::Result<()> {
        let watermark = if on { "0" } else { "0.4" };
        self.eval(&format!(
            "ok = vm_memory_monitor:set_vm_memory_high_watermark({watermark}), \
             {on} = rabbit_alarm:get_alarms() =/= []"
        ))?;
        Ok(())
    }

    fn sync(&self) -> anyhow::Result<()> {
        // A queue that was declared moments before a kill may be lost,
        // since RabbitMQ 3 answers before its database has written the declaration.
        self.eval("ok = mnesia:sync_log(), dumped = mnesia:dump_log()").map(drop)
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.node.kill()
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        self.node.kill()?;
        self.node.launch()
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        self.node.stop()
    }

    fn freeze(&mut self) -> anyhow::Result<()> {
        self.node.freeze()
    }

    fn thaw(&mut self) -> anyhow::Result<()> {
        self.node.thaw()
    }
}

/// The text as an Erlang binary: by its bytes, so that nothing in it needs an escape.
fn binary(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("<<{}>>", bytes.join(","))
}
