//! `guirpc initproducer`: a client that calls as one in Python does, and its settings.

use super::{package, settings};
use crate::args::InitProducer;
use crate::failure::Failure;
use crate::output;

const FILES: [(&str, &str); 2] = [
    ("Cargo.toml", include_str!("../../templates/producer/manifest.toml")),
    ("src/main.rs", include_str!("../../templates/producer/main.rs")),
];

const NEXT_STEPS: &str = include_str!("../../templates/producer/next-steps.txt");

pub(super) fn run(init: &InitProducer) -> Result<(), Failure> {
    let InitProducer { folder, settings: wanted, guirpc_path } = init;
    let name = package::name(folder)?;
    let ini = settings::file(folder.parent().unwrap_or(folder), name);
    let text = settings::producer(name, name, wanted)?;
    let guirpc = package::dependency(guirpc_path.as_deref())?;
    package::refuse_existing(&ini)?;
    let fill = |template: &str| {
        template
            .replace("{{name}}", name)
            .replace("{{guirpc}}", &guirpc)
            .replace("{{ini}}", &ini.display().to_string())
            .replace("{{folder}}", &folder.display().to_string())
            // Text of Rust is quoted as JSON quotes it, where it is a name.
            .replace("{{service}}", &serde_json::Value::from(wanted.routing_key.as_str()).to_string())
    };
    package::write(folder, &FILES, fill)?;
    package::write_new(&ini, &text)?;
    output::print(&fill(NEXT_STEPS))
}
