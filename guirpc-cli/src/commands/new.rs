//! `guirpc new`: writes a service that builds, runs and has a passing test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::New;
use crate::failure::Failure;
use crate::output;

mod name;

/// The files of a new service: where they go, and what they contain.
const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../templates/manifest.toml")),
    ("src/main.rs", include_str!("../../templates/main.rs")),
    (".cargo/config.toml", include_str!("../../templates/config.toml")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

const NEXT_STEPS: &str = include_str!("../../templates/next-steps.txt");

pub(super) fn run(new: &New) -> Result<(), Failure> {
    let name = name::of(&new.folder)?;
    let guirpc = dependency(new.guirpc_path.as_deref())?;
    let folder = new.folder.display().to_string();
    let fill = |template: &str| {
        template.replace("{{name}}", name).replace("{{guirpc}}", &guirpc).replace("{{folder}}", &folder)
    };
    create(&new.folder)?;
    if let Err(failure) = FILES.iter().try_for_each(|(path, template)| write(&new.folder.join(path), &fill(template))) {
        // What is half written is of no use; that it could not be removed either is no more helpful to know.
        let _ = fs::remove_dir_all(&new.folder);
        return Err(failure);
    }
    output::print(&fill(NEXT_STEPS))
}

/// Creates the folder, which must not have been there: what is removed on failure is ours.
fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("`{}` exists already, and is left as it is; choose another name", folder.display()))
        }
        _ => cannot_write(folder, &error),
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).and_then(|()| fs::write(path, text)).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("cannot create `{}`: {error}", path.display()))
}

/// Where the manifest says that guirpc comes from.
fn dependency(checkout: Option<&Path>) -> Result<String, Failure> {
    let Some(checkout) = checkout else {
        // All crates of guirpc are released together, under one version.
        return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION")));
    };
    let folder = library_in(checkout)?;
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
