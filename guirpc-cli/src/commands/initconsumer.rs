//! `guirpc initconsumer`: a service for callers in Python, and its settings.

use super::{package, settings};
use crate::args::InitConsumer;
use crate::failure::Failure;
use crate::output;

const FILES: [(&str, &str); 2] = [
    ("Cargo.toml", include_str!("../../templates/consumer/manifest.toml")),
    ("src/main.rs", include_str!("../../templates/consumer/main.rs")),
];

const NEXT_STEPS: &str = include_str!("../../templates/consumer/next-steps.txt");

pub(super) fn run(init: &InitConsumer) -> Result<(), Failure> {
    let InitConsumer { folder, settings: wanted, guirpc_path } = init;
    let name = package::name(folder)?;
    let ini = settings::file(folder.parent().unwrap_or(folder), name);
    let text = settings::consumer(name, name, wanted)?;
    let guirpc = package::dependency(guirpc_path.as_deref())?;
    package::refuse_existing(&ini)?;
    let fill = |template: &str| {
        template
            .replace("{{name}}", name)
            .replace("{{guirpc}}", &guirpc)
            .replace("{{ini}}", &ini.display().to_string())
            .replace("{{exchange}}", &wanted.exchange)
            .replace("{{routing_key}}", &wanted.routing_key)
    };
    package::write(folder, &FILES, fill)?;
    package::write_new(&ini, &text)?;
    output::print(&fill(NEXT_STEPS))
}
