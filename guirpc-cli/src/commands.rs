//! What the commands do, one file each.

use guirpc::__private_0_1::Exit;

use crate::args::{Args, Command};
use crate::failure::Failure;

mod bench;
mod broker;
mod call;
mod completions;
mod contract;
mod createconfig;
mod dashboard;
mod dead;
mod doctor;
mod info;
mod init;
mod initconsumer;
mod initproducer;
mod ls;
mod new;
mod package;
mod ping;
mod publishone;
mod request;
mod runconsumer;
mod send;
mod servers;
mod settings;
mod stats;
mod top;

/// Runs the subcommand.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let done = match args.command {
        Command::New(new) => new::run(&new),
        Command::Call(request) => call::run(&request),
        Command::Send(request) => send::run(&request),
        Command::Ping(ping) => ping::run(&ping),
        Command::Ls(ls) => ls::run(&ls),
        Command::Info(info) => info::run(&info),
        Command::Stats(stats) => stats::run(&stats),
        Command::Top(top) => top::run(&top),
        Command::Bench(bench) => bench::run(&bench),
        Command::Dashboard(dashboard) => dashboard::run(&dashboard),
        Command::Dead(dead) => dead::run(&dead),
        Command::Contract(command) => contract::run(&command),
        Command::Doctor(doctor) => return doctor::run(&doctor),
        Command::Broker(settings) => broker::run(&settings),
        Command::InitConsumer(init) => initconsumer::run(&init),
        Command::InitProducer(init) => initproducer::run(&init),
        Command::CreateConfig(create) => createconfig::run(&create),
        Command::PublishOne(publish) => publishone::run(&publish),
        Command::RunConsumer(consumer) => runconsumer::run(&consumer),
        Command::Completions { shell } => completions::run(shell),
    };
    done.map(|()| Exit::Done)
}
