//! A crate that calls the service: functions without bodies, and their types.
//!
//! The sources are written anew each time; the manifest is written once, and is the user's from then on.

use std::fs;
use std::path::Path;

use guirpc::contract::Contract;

use crate::commands::package;
use crate::failure::Failure;
use crate::output;

mod alternatives;
mod boxes;
mod functions;
mod layout;
mod model;
mod names;
mod reader;
mod types;

/// How every source begins, by which it is told from one that is not ours to overwrite.
const MARK: &str = "//! Written by `guirpc contract client --lang rust`;";

/// Writes the crate.
pub(super) fn write(contract: &Contract, out: &Path) -> Result<(), Failure> {
    let model = reader::read(contract)?;
    let name = names::package(&contract.service);
    let sources = [("src/lib.rs", functions::source(contract, &model)), ("src/types.rs", types::source(&model))];
    let manifest = out.join("Cargo.toml");
    for (path, _) in &sources {
        let path = out.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| !there.starts_with(MARK)) {
            let path = path.display();
            return Err(Failure::usage(format!(
                "`{path}` was not written by this command, and is left as it is; choose another folder"
            )));
        }
    }
    let is_new = !manifest.exists();
    if is_new {
        let guirpc = package::dependency(None)?;
        write_file(&manifest, &self::manifest(&name, &guirpc))?;
    }
    for (path, source) in &sources {
        write_file(&out.join(path), source)?;
    }
    if is_new {
        package::join_workspace(out)?;
    }
    let (functions, folder) = (contract.functions.len(), out.display());
    output::print(&format!(
        "wrote the crate `{name}` into `{folder}`: {functions} functions of `{}`\n",
        contract.service
    ))
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::other(format!("cannot write `{}`: {error}", path.display())))
}

fn manifest(name: &str, guirpc: &str) -> String {
    format!(
        r#"# Written once by `guirpc contract client --lang rust`, and not again.

[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[lib]
# The docs are the service's, and so are the examples in them.
doctest = false

[dependencies]
guirpc = {{ {guirpc}, default-features = false }}
serde = {{ version = "1", features = ["derive"] }}
serde_json = "1"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/contracts/shop.json"));

    fn sources(contract: &str) -> Result<[String; 2], Failure> {
        let contract = Contract::from_json(contract).unwrap();
        reader::read(&contract).map(|model| [functions::source(&contract, &model), types::source(&model)])
    }

    /// `GUIRPC_BLESS=1 cargo test -p guirpc-cli contract` rewrites what is expected.
    #[test]
    fn the_sources_are_as_they_were() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contracts/rust/shop");
        for (name, source) in ["lib.rs", "types.rs"].into_iter().zip(sources(SHOP).unwrap()) {
            if std::env::var_os("GUIRPC_BLESS").is_some() {
                write_file(&folder.join(name), &source).unwrap();
            }
            assert_eq!(source, fs::read_to_string(folder.join(name)).unwrap_or_default(), "{name} differs");
        }
    }

    #[test]
    fn what_rust_cannot_call_is_refused() {
        let wrong = |old: &str, new: &str| sources(&SHOP.replacen(old, new, 1)).unwrap_err().to_string();
        let error = wrong(r#""name": "a""#, r#""name": "a-b""#);
        assert_eq!(error, "the function `add` cannot be called from Rust: its argument `a-b` has no name of Rust's");
        let argument = r#"{ "name": "a", "required": true, "rust": "()", "schema": true },"#;
        let error = wrong(r#""arguments": ["#, &format!(r#""arguments": [{}"#, argument.repeat(15)));
        assert_eq!(error, "the function `add` cannot be called from Rust: it has 17 arguments, and 16 is the most");
    }

    #[test]
    fn the_manifest_is_toml() {
        let manifest: toml_edit::DocumentMut = manifest("shop-client", "version = \"0.1\"").parse().unwrap();
        assert_eq!(manifest["dependencies"]["guirpc"]["default-features"].as_bool(), Some(false));
    }
}
