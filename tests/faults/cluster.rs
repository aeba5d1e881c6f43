//! Three nodes of RabbitMQ, and a queue that is on all of them.

use std::time::Duration;

use anyhow::{Context, ensure};
use harness::{Broker, Case, Effect, Proxy, RabbitMq, eventually};

use crate::fleet::LONG;
use crate::functions::SERVICE;
use crate::load::Volume;
use crate::stage::{Plan, Proxies, Stage, USUAL};

const NODE_KILLED: Plan = Plan {
    name: "cluster::node_killed",
    fault: "of three nodes with a quorum queue, that which leads it is killed (`kill -9`), and comes back later",
    volume: Volume {
        // What is published while the nodes elect a leader may be dropped without a return or a confirm.
        timeout: Duration::from_secs(10),
        ..USUAL.volume
    },
    by_proxy: true,
    options: &["--queue-type", "quorum"],
    may: &[Effect::FailedNotRun, Effect::FailedMayHaveRun, Effect::RunAgain, Effect::Discarded],
    ..USUAL
};

pub(crate) fn cases() -> Vec<Case> {
    // The node that all share it leaves alone.
    vec![Case::rabbitmq_shared(NODE_KILLED.name, |_| node_killed())]
}

fn node_killed() -> anyhow::Result<()> {
    let mut nodes = RabbitMq::start_cluster(3)?;
    let ports: Vec<u16> = nodes.iter().map(Broker::port).collect();
    let proxies = Proxies { clients: Proxy::among(&ports)?, servers: Proxy::among(&ports)? };
    let uri = nodes[0].uri();
    let (to_clients, to_servers) = (proxies.clients.detour(&uri), proxies.servers.detour(&uri));
    let mut stage = Stage::set_on(NODE_KILLED, &to_clients, to_servers, Some(proxies))?;
    let leads = leader(&nodes, 0)?;
    nodes[leads].kill()?;
    stage.recover()?;
    nodes[leads].restart()?;
    let survivor = (leads + 1) % nodes.len();
    eventually(LONG, || Ok(nodes[survivor].eval("length(rabbit_nodes:all_running())")? == "3"))?;
    stage.run_on()?;
    // Only the node that leads it knows how many messages it has.
    let leads = leader(&nodes, survivor)?;
    stage.finish(&nodes[leads])
}

/// Which of the nodes leads the service's queue, which has to be on all of them, by this node's account.
fn leader(nodes: &[RabbitMq], asked: usize) -> anyhow::Result<usize> {
    let service: Vec<String> = SERVICE.bytes().map(|byte| byte.to_string()).collect();
    let name = format!("<<{}>>", service.join(","));
    let answer = nodes[asked].eval(&format!(
        "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, {name})), \
         [length(proplists:get_value(members, rabbit_quorum_queue:info(Q, [members]))), \
          proplists:get_value(leader, rabbit_quorum_queue:info(Q, [leader]))]"
    ))?;
    ensure!(answer.starts_with("[3,"), "the queue is not on three nodes: {answer}");
    let leads = nodes.iter().position(|node| answer.contains(&format!("-{}@", node.port())));
    leads.with_context(|| format!("no node leads: {answer}"))
}
