//! Each format, checked by the validators of others.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::{env, str};

use anyhow::{Context, ensure};
use guirpc::contract::{Contract, Format, JSON_SCHEMA};
use harness::Case;
use serde_json::{Value, json};
use tempfile::TempDir;

const SHOP: &str = include_str!("shop.json");

/// Names the folder with the validators.
const VALIDATORS: &str = "GUIRPC_TEST_NODE_FORMATS";

pub(crate) fn cases() -> Vec<Case> {
    let missing = env::var_os(VALIDATORS).is_none().then_some("needs packages of npm: run scripts/test");
    vec![
        Case::embedded("formats::asyncapi_is_valid", |_| is_valid(Format::AsyncApi)).unless_missing(missing),
        Case::embedded("formats::openapi_is_valid", |_| is_valid(Format::OpenApi)).unless_missing(missing),
        Case::embedded("formats::the_document_follows_its_schema", |_| the_document_follows_its_schema()),
        Case::embedded("formats::the_schema_finds_mistakes", |_| the_schema_finds_mistakes()),
    ]
}

/// What a validator says of a document.
fn problems(format: Format, document: &str) -> anyhow::Result<String> {
    let folder = TempDir::new()?;
    let file = folder.path().join("document.json");
    fs::write(&file, document)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/formats/validate.mjs");
    let output = Command::new("node")
        // Packages are looked for where it runs.
        .current_dir(env::var_os(VALIDATORS).context(VALIDATORS)?)
        .args(["--input-type=module", "-", format.name()])
        .arg(&file)
        .stdin(File::open(script)?)
        .output()?;
    ensure!(output.status.success(), "the validator fails\n{}", str::from_utf8(&output.stderr)?);
    Ok(String::from_utf8(output.stdout)?)
}

fn is_valid(format: Format) -> anyhow::Result<()> {
    let mut documents = vec![Contract::from_json(SHOP)?];
    let mut awkward: Value = serde_json::from_str(SHOP)?;
    awkward["service"] = json!("a service/{with} a name");
    for (old, new) in [("find", "find it/{now}"), ("place", "fault")] {
        let functions = awkward["functions"].as_object_mut().context("there are functions")?;
        let function = functions.remove(old).context(old)?;
        functions.insert(new.to_owned(), function);
    }
    documents.push(Contract::from_json(&awkward.to_string())?);
    let no_functions = json!({ "contract": 1, "service": "idle", "hash": "0".repeat(32), "functions": {} });
    documents.push(Contract::from_json(&no_functions.to_string())?);
    for contract in documents {
        let problems = problems(format, &contract.to_format(format))?;
        ensure!(problems.is_empty(), "`{}` as {format}:\n{problems}", contract.service);
    }
    // That it finds any.
    let broken =
        Contract::from_json(SHOP)?.to_format(format).replace("\"description\": \"", "\"descripton\": 1, \"x\": \"");
    ensure!(!problems(format, &broken)?.is_empty(), "the validator takes what is no {format}");
    Ok(())
}

fn the_document_follows_its_schema() -> anyhow::Result<()> {
    let schema = serde_json::from_str(JSON_SCHEMA)?;
    jsonschema::meta::validate(&schema).map_err(jsonschema::ValidationError::to_owned)?;
    let validator = jsonschema::validator_for(&schema)?;
    let written = Contract::from_json(SHOP)?.to_json();
    for text in [SHOP, &written] {
        let document: Value = serde_json::from_str(text)?;
        let mistakes: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        ensure!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    }
    Ok(())
}

fn the_schema_finds_mistakes() -> anyhow::Result<()> {
    let validator = jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA)?)?;
    for (pointer, member, wrong) in [
        ("", "contract", Some(json!(2))),
        ("", "service", Some(json!(""))),
        ("", "service", None),
        ("", "hash", Some(json!("0"))),
        ("", "functions", Some(json!([]))),
        ("/functions/add", "ack", Some(json!("late"))),
        ("/functions/add", "idempotent", None),
        ("/functions/checksum", "timeout_ms", Some(json!("2s"))),
        ("/functions/add", "arguments", Some(json!({ "a": {} }))),
        ("/functions/add/arguments/0", "required", None),
        ("/functions/add/output", "schema", Some(json!({ "type": "int" }))),
        ("/functions/place/error", "status", None),
        ("/functions/place/error", "rust", None),
        ("/definitions/input", "Order", Some(json!({ "properties": [] }))),
    ] {
        let mut document: Value = serde_json::from_str(SHOP)?;
        let members = document.pointer_mut(pointer).and_then(Value::as_object_mut).context(pointer)?;
        match &wrong {
            Some(wrong) => members.insert(member.to_owned(), wrong.clone()),
            None => members.remove(member),
        }
        .with_context(|| format!("{pointer} has no {member}"))?;
        ensure!(!validator.is_valid(&document), "{pointer}/{member}: {wrong:?} is taken");
    }
    // What is not known yet is ignored.
    let mut document: Value = serde_json::from_str(SHOP)?;
    document["functions"]["add"]["new"] = json!(true);
    ensure!(validator.is_valid(&document), "a member that is not known");
    Ok(())
}
