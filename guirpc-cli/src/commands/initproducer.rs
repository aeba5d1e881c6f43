//! `guirpc initproducer`: a client that calls as one in Python does, and its settings.

use super::init::{self, Templates};
use super::settings;
use crate::args::InitProducer;
use crate::failure::Failure;

const TEMPLATES: Templates = Templates {
    files: &[
        ("Cargo.toml", include_str!("../../templates/producer/manifest.toml")),
        ("src/main.rs", include_str!("../../templates/producer/main.rs")),
    ],
    next_steps: include_str!("../../templates/producer/next-steps.txt"),
};

pub(super) fn run(command: &InitProducer) -> Result<(), Failure> {
    let InitProducer { folder, settings: wanted, guirpc_path } = command;
    // Text of Rust is quoted as JSON quotes it, where it is a name.
    let service = serde_json::Value::from(wanted.routing_key.as_str()).to_string();
    let settings_of = |name: &str| settings::producer(name, name, wanted);
    init::write(folder, guirpc_path.as_deref(), &TEMPLATES, settings_of, &[("service", &service)])
}
