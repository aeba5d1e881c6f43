//! `guirpc initconsumer`: a service for callers in Python, and its settings.

use super::init::{self, Templates};
use super::settings;
use crate::args::InitConsumer;
use crate::failure::Failure;

const TEMPLATES: Templates = Templates {
    files: &[
        ("Cargo.toml", include_str!("../../templates/consumer/manifest.toml")),
        ("src/main.rs", include_str!("../../templates/consumer/main.rs")),
    ],
    next_steps: include_str!("../../templates/consumer/next-steps.txt"),
};

pub(super) fn run(command: &InitConsumer) -> Result<(), Failure> {
    let InitConsumer { folder, settings: wanted, guirpc_path } = command;
    let further = [("exchange", wanted.exchange.as_str()), ("routing_key", &wanted.routing_key)];
    let settings_of = |name: &str| settings::consumer(name, name, wanted);
    init::write(folder, guirpc_path.as_deref(), &TEMPLATES, settings_of, &further)
}
