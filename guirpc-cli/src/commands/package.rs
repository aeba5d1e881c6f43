//! Writing a package: its name, its files, and where it has guirpc from.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

mod name;
mod workspace;

pub(super) use name::of as name;
pub(super) use workspace::join as join_workspace;

/// The files that every package has: where they go, and what they contain.
const COMMON: [(&str, &str); 2] = [
    (".cargo/config.toml", include_str!("../../templates/config.toml")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

/// Writes the package into a folder that must not have been there; what is left half written is removed.
pub(super) fn write(folder: &Path, files: &[(&str, &str)], fill: impl Fn(&str) -> String) -> Result<(), Failure> {
    create(folder)?;
    let mut files = files.iter().chain(&COMMON);
    let written = files.try_for_each(|(path, template)| write_file(&folder.join(path), &fill(template)));
    written.and_then(|()| workspace::join(folder)).inspect_err(|_| {
        // The folder is of no use; that it could not be removed either would not help.
        let _ = fs::remove_dir_all(folder);
    })
}

/// What is there already stays.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("`{}` exists already, and is left as it is; choose another name", path.display()))
}

/// Writes a file that must not have been there.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => cannot_write(path, &error),
    })
}

/// Creates the folder, which must not have been there: what is removed on failure is ours.
fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(folder),
        _ => cannot_write(folder, &error),
    })
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).and_then(|()| fs::write(path, text)).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::other(format!("cannot create `{}`: {error}", path.display()))
}

/// The source of guirpc for the manifest.
pub(super) fn dependency(checkout: Option<&Path>) -> Result<String, Failure> {
    let folder = match checkout {
        Some(checkout) => library_in(checkout)?,
        // Where this command was built: a checkout, unless it was built from a registry.
        None => match library_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")) {
            Ok(folder) => folder,
            // All crates of guirpc are released together, under one version.
            Err(_) => return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))),
        },
    };
    let path = folder.to_str().ok_or_else(|| Failure::usage("the path of guirpc is not UTF-8, which Cargo needs"))?;
    // The escapes of a JSON string are a part of those of a TOML string.
    Ok(format!("path = {}", serde_json::Value::from(path)))
}

/// The folder of the library, as an absolute path: the given one, or the folder `guirpc` in a checkout.
fn library_in(checkout: &Path) -> Result<PathBuf, Failure> {
    let is_library = |folder: &PathBuf| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim() == "name = \"guirpc\"")
    };
    let candidates = [checkout.join("guirpc"), checkout.to_owned()];
    let found = candidates.into_iter().find(is_library).and_then(|folder| folder.canonicalize().ok());
    found.ok_or_else(|| {
        Failure::usage(format!(
            "`{}` is no checkout of guirpc: there is no `guirpc/Cargo.toml` of the library in it",
            checkout.display()
        ))
    })
}
