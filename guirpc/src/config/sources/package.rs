//! What a file of settings says of the program that it belongs to.

use std::path::{Path, PathBuf};

use super::errors::invalid;
use super::file::{FileKind, kind, text};
use super::ini::Sections;
use crate::error::Error;

/// The package that an INI file's `root` names, a folder or its `Cargo.toml`, seen from the file.
///
/// # Errors
/// The file cannot be read, is no INI file, or names none.
pub fn package_of(path: &Path) -> Result<PathBuf, Error> {
    let file = path.display();
    if kind(path)? != FileKind::Ini {
        return Err(invalid(format!("{file} names no package to run: only an INI file has a `root`")));
    }
    let root = Sections::read(&text(path)?, &file)?.value("server", "root", &file)?.filter(|root| !root.is_empty());
    let root = root.ok_or_else(|| invalid(format!("{file} names no package to run: `root` in [server] is missing")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(folder.join(root))
}
