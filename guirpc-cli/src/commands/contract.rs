//! `guirpc contract`: contracts of services, as documents.

use guirpc::__private_0_1::Exit;

use crate::args::Contract;
use crate::failure::Failure;

mod check;
mod report;
mod source;
mod waivers;

pub(crate) use source::Source;

pub(super) fn run(contract: &Contract) -> Result<Exit, Failure> {
    match contract {
        Contract::Check(arguments) => check::run(arguments),
    }
}
