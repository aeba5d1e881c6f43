//! `guirpc new`: writes a service that builds, runs and has a passing test.

use super::package;
use crate::args::New;
use crate::failure::Failure;
use crate::{output, template};

const FILES: [(&str, &str); 2] = [
    ("Cargo.toml", include_str!("../../templates/manifest.toml")),
    ("src/main.rs", include_str!("../../templates/main.rs")),
];

const NEXT_STEPS: &str = include_str!("../../templates/next-steps.txt");

pub(super) fn run(new: &New) -> Result<(), Failure> {
    let name = package::name(&new.folder)?;
    let guirpc = package::dependency(new.guirpc_path.as_deref())?;
    let folder = new.folder.display().to_string();
    let blanks = [("name", name), ("guirpc", &guirpc), ("folder", &folder)];
    let fill = |template: &str| template::fill(template, &blanks);
    package::write(&new.folder, &FILES, fill)?;
    output::print(&fill(NEXT_STEPS))
}
