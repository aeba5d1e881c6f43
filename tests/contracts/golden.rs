//! The contract of a service, byte for byte: `GUIRPC_BLESS=1 cargo test -p guirpc-tests --test contracts golden`
//! rewrites it.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::ensure;
use harness::{Case, binary};
use serde_json::{Value, json};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("golden::a_service_writes_its_contract", |_| a_service_writes_its_contract()),
        Case::embedded("golden::what_does_not_describe_itself_is_listed", |_| {
            what_does_not_describe_itself_is_listed()
        }),
    ]
}

fn what_does_not_describe_itself_is_listed() -> anyhow::Result<()> {
    let output = Command::new(binary("shop")?).args(["list", "--json"]).output()?;
    let functions: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let (opaque, others): (Vec<_>, Vec<_>) = functions.iter().partition(|function| function["name"] == "opaque");
    ensure!(opaque.len() == 1 && opaque[0]["undescribed"] == json!(["Thing"]), "{opaque:?}");
    ensure!(others.iter().all(|function| function["undescribed"] == json!([])), "{others:?}");
    Ok(())
}

fn a_service_writes_its_contract() -> anyhow::Result<()> {
    let output = Command::new(binary("shop")?).arg("contract").output()?;
    ensure!(output.status.success(), "{output:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/shop.json");
    if env::var_os("GUIRPC_BLESS").is_some() {
        fs::write(&path, &output.stdout)?;
    }
    let (written, golden) = (String::from_utf8(output.stdout)?, fs::read_to_string(&path)?);
    ensure!(written == golden, "it differs from {}:\n{written}", path.display());
    Ok(())
}
