//! `guirpc contract`: what is made of a service's contract.

use crate::args::Contract;
use crate::failure::Failure;

mod client;
mod rust;

pub(super) fn run(command: &Contract) -> Result<(), Failure> {
    match command {
        Contract::Client(client) => client::run(client),
    }
}
