//! What is written: the same bytes each time, which mypy and ruff have nothing to say of; and what is refused.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use harness::Case;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{MODELS, Package, generate, shop};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::shared("python::the_same_bytes_are_written_each_time", |_| same_bytes()),
        Case::shared("python::what_is_no_contract_is_refused", |_| refused()),
    ]
}

pub(super) fn with_python() -> Vec<Case> {
    vec![
        Case::shared("python::mypy_and_ruff_have_nothing_to_say", |_| checked()),
        Case::shared("python::any_type_has_its_form", |_| any_type()),
    ]
}

/// All files below a folder, with their text.
fn read(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(read(&path)?);
        } else {
            files.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

fn same_bytes() -> anyhow::Result<()> {
    let mut contract = shop()?;
    contract["hash"] = "0123456789abcdef0123456789abcdef".into();
    let package = Package::of(&contract, MODELS[0])?;
    let first = read(&package.path().join("shop"))?;
    // What is there is replaced.
    let again = generate(&package.path().join("contract.json"), MODELS[0], package.path()).status()?;
    ensure!(again.success() && read(&package.path().join("shop"))? == first);
    ensure!(first.len() == 24, "{} files", first.len());
    for (path, text) in first.iter().filter(|(path, _)| !path.ends_with("py.typed")) {
        let head: Vec<&str> = text.lines().take(2).collect();
        let is_said = head[0].contains("Made by `guirpc contract client`") && head[0].contains("do not edit");
        ensure!(is_said && head[1] == "# Contract: 0123456789abcdef0123456789abcdef", "{path} begins with {head:?}");
    }
    Ok(())
}

fn refused() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let document = folder.path().join("contract.json");
    let check = |text: &str, expected: &str| {
        fs::write(&document, text)?;
        let output = generate(&document, MODELS[0], folder.path()).output()?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(2) && said.contains(expected), "{:?}: {said}", output.status);
        ensure!(!folder.path().join("shop").exists(), "something is written");
        Ok(())
    };
    check("{", "contract.json: this is no contract")?;
    check(r#"{"contract": 99}"#, "version 99")?;
    let mut contract = shop()?;
    contract["functions"]["place"]["output"]["schema"] = json!({ "$ref": "#/definitions/output/Nowhere" });
    check(&contract.to_string(), "functions.place: nothing is at `#/definitions/output/Nowhere`")?;
    contract["functions"]["place"]["output"]["schema"] = json!({ "type": "colour" });
    check(&contract.to_string(), "the unknown type `colour`")
}

/// Holds a package, and programs that use it, to mypy and ruff.
fn check_with_tools(package: &Package, more: &[&Path]) -> anyhow::Result<()> {
    for arguments in [
        &["mypy", "--strict", "shop"][..],
        &["ruff", "check", "--no-cache", "shop"],
        &["ruff", "format", "--no-cache", "--check", "--diff", "shop"],
    ] {
        let mut command = package.module(arguments)?;
        if arguments[0] == "mypy" {
            command.args(more).env("MYPYPATH", package.path());
        }
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}\n{said}");
    }
    Ok(())
}

fn checked() -> anyhow::Result<()> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/python");
    let programs: Vec<_> =
        ["asynchronous.py", "blocking.py", "cases.py", "shop_server.py"].map(|name| programs.join(name)).into();
    let programs: Vec<&Path> = programs.iter().map(AsRef::as_ref).collect();
    for models in MODELS {
        check_with_tools(&Package::of_shop(models)?, &programs)?;
    }
    Ok(())
}

/// A contract with a function that takes and returns each of these types.
fn contract_of(definitions: &Value, types: &[(&str, Value)]) -> anyhow::Result<Value> {
    let mut contract = shop()?;
    let functions = contract["functions"].as_object_mut().context("it has functions")?;
    functions.clear();
    for (name, schema) in types {
        let output: Value = serde_json::from_str(&schema.to_string().replace("/input/", "/output/"))?;
        functions.insert(
            (*name).to_owned(),
            json!({
                "docs": "Says \"a\\b\".\n\n\tAnd \"\"\"more\"\"\", in `lines` of any length: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxxxxxx",
                "deprecated": "say \"no\"",
                "signature": "fn f(class: T, self_: U) -> T",
                "arguments": [
                    { "name": "class", "required": false, "rust": "Option<T>", "schema": schema },
                    { "name": "timeout", "required": true, "rust": "T", "schema": schema }
                ],
                "output": { "rust": "T", "schema": output },
                "error": { "status": 422, "rust": "String", "schema": { "type": "string" } },
                "idempotent": false, "ack": "after-reply", "coalesce": false
            }),
        );
    }
    let outputs: Value = serde_json::from_str(&definitions.to_string().replace("/input/", "/output/"))?;
    contract["definitions"] = json!({ "input": definitions, "output": outputs });
    Ok(contract)
}

fn any_type() -> anyhow::Result<()> {
    let table: Value = serde_json::from_str(include_str!("types.json"))?;
    let types = table["types"].as_object().context("there are types")?;
    let functions: Vec<(&str, Value)> = types.iter().map(|(name, one)| (&**name, one["schema"].clone())).collect();
    let contract = contract_of(&table["definitions"], &functions)?;
    for models in MODELS {
        let package = Package::of(&contract, models)?;
        check_with_tools(&package, &[])?;
        let output = package.run("any_type.py").env("GUIRPC_TYPES", table.to_string()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{models}: {said}");
        let count = format!("{} types", types.len());
        ensure!(String::from_utf8(output.stdout)?.contains(&count), "not all of {count}: {said}");
    }
    Ok(())
}
