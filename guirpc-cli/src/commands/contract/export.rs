//! `guirpc contract export`: the contract of a service that runs.

use crate::args::ContractExport;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(ContractExport { contract, format, servers }: &ContractExport) -> Result<(), Failure> {
    output::print(&contract.read(servers)?.to_format(*format))
}
