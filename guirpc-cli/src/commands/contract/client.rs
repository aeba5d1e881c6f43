//! `guirpc contract client`: reads a contract, and writes a package for another program or language.

use super::{python, rust, typescript};
use crate::args::{ContractClient, Language};
use crate::failure::Failure;

pub(super) fn run(client: &ContractClient) -> Result<(), Failure> {
    let contract = client.contract.read(&client.servers)?;
    match client.lang {
        Language::Rust => rust::write(&contract, &client.out),
        Language::Python => python::write(&contract, client.models, &client.out),
        Language::Typescript => typescript::write(&contract, &client.out),
    }
}
