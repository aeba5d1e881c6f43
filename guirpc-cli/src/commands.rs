//! What the commands do, one file each.

use crate::args::{Args, Command};
use crate::failure::Failure;

mod broker;
mod call;
mod completions;
mod createconfig;
mod dashboard;
mod dead;
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

/// Runs the subcommand.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::New(new) => new::run(&new),
        Command::Call(request) => call::run(&request),
        Command::Send(request) => send::run(&request),
        Command::Ping(ping) => ping::run(&ping),
        Command::Ls(ls) => ls::run(&ls),
        Command::Info(info) => info::run(&info),
        Command::Stats(stats) => stats::run(&stats),
        Command::Dashboard(dashboard) => dashboard::run(&dashboard),
        Command::Dead(dead) => dead::run(&dead),
        Command::Broker(settings) => broker::run(&settings),
        Command::InitConsumer(init) => initconsumer::run(&init),
        Command::InitProducer(init) => initproducer::run(&init),
        Command::CreateConfig(create) => createconfig::run(&create),
        Command::PublishOne(publish) => publishone::run(&publish),
        Command::RunConsumer(consumer) => runconsumer::run(&consumer),
        Command::Completions { shell } => completions::run(shell),
    }
}
