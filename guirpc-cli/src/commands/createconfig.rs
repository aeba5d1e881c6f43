//! `guirpc createconfig`: the settings of a server or of a client, with the defaults of the original.

use std::path::Path;

use super::{package, settings};
use crate::args::{Connect, ConsumerSettings, CreateConfig, ProducerSettings};
use crate::failure::Failure;
use crate::output;

pub(super) fn run(create: &CreateConfig) -> Result<(), Failure> {
    let CreateConfig { name, client, out_dir, connect } = create;
    if name.is_empty() || name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\')) {
        return Err(Failure::usage(format!("`{}` cannot be the name of a file", name.escape_default())));
    }
    let connect = Connect(connect.0.clone());
    let text = if *client {
        settings::producer(name, name, &ProducerSettings::new(connect))?
    } else {
        settings::consumer(name, name, &ConsumerSettings::new(connect))?
    };
    let file = settings::file(out_dir.as_deref().unwrap_or(Path::new("")), name);
    package::write_new(&file, &text)?;
    let whose = if *client { "a client" } else { "a server" };
    output::print(&format!("Wrote the settings of {whose}, {}.\n", file.display()))
}
