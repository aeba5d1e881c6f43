//! `guirpc contract client`: reads a contract, and writes a package for another language.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use guirpc::contract::Contract;

use super::rust;
use crate::args::{ContractClient, Language};
use crate::failure::Failure;

pub(super) fn run(client: &ContractClient) -> Result<(), Failure> {
    let contract = read(&client.contract)?;
    match client.lang {
        Language::Rust => rust::write(&contract, &client.out),
    }
}

fn read(path: &Path) -> Result<Contract, Failure> {
    let (text, name) = if path == Path::new("-") {
        let mut text = String::new();
        (io::stdin().read_to_string(&mut text).map(|_| text), "the standard input".to_owned())
    } else {
        (fs::read_to_string(path), format!("`{}`", path.display()))
    };
    let text = text.map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    Contract::from_json(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}
