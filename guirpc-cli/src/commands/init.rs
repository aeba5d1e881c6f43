//! What `initconsumer` and `initproducer` have in common: a package, and a file of settings beside it.

use std::path::Path;

use super::{package, settings};
use crate::failure::Failure;
use crate::{output, template};

/// The templates of a package.
pub(super) struct Templates {
    /// The files: where they go, and what they contain.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// What to do when they are written.
    pub(super) next_steps: &'static str,
}

/// Writes both, and prints what to do next; where either is there already, neither is written.
///
/// The last argument has the values for `{{key}}` in the templates, beside what both have.
pub(super) fn write(
    folder: &Path,
    guirpc_path: Option<&Path>,
    templates: &Templates,
    settings_of: impl FnOnce(&str) -> Result<String, Failure>,
    further: &[(&str, &str)],
) -> Result<(), Failure> {
    let name = package::name(folder)?;
    let ini = settings::file(folder.parent().unwrap_or(folder), name);
    let text = settings_of(name)?;
    let guirpc = package::dependency(guirpc_path)?;
    package::refuse_existing(&ini)?;
    let (shown_ini, shown_folder) = (ini.display().to_string(), folder.display().to_string());
    let own = [("name", name), ("guirpc", &*guirpc), ("ini", &*shown_ini), ("folder", &*shown_folder)];
    let blanks = [&own, further].concat();
    let fill = |template: &str| template::fill(template, &blanks);
    package::write(folder, templates.files, fill)?;
    package::write_new(&ini, &text)?;
    output::print(&fill(templates.next_steps))
}
