//! `guirpc contract`: contracts of services, as documents.

use guirpc::__private_0_1::Exit;

use crate::args::Contract;
use crate::failure::Failure;

mod check;
mod client;
mod export;
mod python;
mod report;
mod rust;
mod source;
mod typescript;
mod waivers;

pub(crate) use source::Source;

pub(super) fn run(contract: &Contract) -> Result<Exit, Failure> {
    match contract {
        Contract::Export(arguments) => export::run(arguments).map(|()| Exit::Done),
        Contract::Check(arguments) => check::run(arguments),
        Contract::Client(arguments) => client::run(arguments).map(|()| Exit::Done),
    }
}
