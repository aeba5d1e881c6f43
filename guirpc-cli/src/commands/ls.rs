//! `guirpc ls`: which services there are, and which servers serve them.

use guirpc::control::{Control, Instance, Pong};

use super::servers::{ago, table};
use crate::args::Ls;
use crate::failure::Failure;

pub(super) fn run(Ls { service, gather }: &Ls) -> Result<(), Failure> {
    let mut pongs = gather.ask(service.as_deref(), Control::ping)?;
    pongs.sort_by(|one, other| key(one).cmp(&key(other)));
    gather.print(&pongs, text)
}

fn key(pong: &Pong) -> (&[String], &str, u32, &str) {
    let Instance { services, host, pid, id, .. } = &pong.instance;
    (services, host, *pid, id)
}

fn text(pongs: &[Pong]) -> String {
    let mut services: Vec<&str> = pongs.iter().flat_map(|pong| &pong.instance.services).map(|name| &**name).collect();
    services.sort_unstable();
    services.dedup();
    let head = ["service", "instance", "host", "pid", "up", "guirpc", "program"].map(str::to_owned).to_vec();
    let rows = services.into_iter().flat_map(|service| {
        let serves = move |pong: &&Pong| pong.instance.services.iter().any(|served| served == service);
        pongs.iter().filter(serves).map(move |Pong { instance, .. }| {
            let Instance { id, host, pid, since, guirpc, program, .. } = instance.clone();
            vec![service.to_owned(), id, host, pid.to_string(), ago(since), guirpc, program]
        })
    });
    table(&[head].into_iter().chain(rows).collect::<Vec<_>>())
}
