//! `guirpc contract check`: compares two contracts.

use guirpc::__private_0_1::Exit;
use guirpc::contract::compare::compare;

use super::Source;
use super::report::Report;
use super::waivers::{Day, Waivers};
use crate::args::ContractCheck;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(arguments: &ContractCheck) -> Result<Exit, Failure> {
    if (&arguments.new, &arguments.against) == (&Source::StandardInput, &Source::StandardInput) {
        return Err(Failure::usage("only one of the two contracts can be read from the standard input"));
    }
    let waivers = arguments.waivers.as_deref().map(Waivers::read).transpose()?.unwrap_or_default();
    let (old, new) = (arguments.against.read(&arguments.servers)?, arguments.new.read(&arguments.servers)?);
    let report = Report {
        service: &new.service,
        against: &arguments.against,
        file: &arguments.new,
        direction: arguments.direction,
        differences: &compare(&old, &new),
        waivers: &waivers,
        today: Day::today(),
    };
    if arguments.json {
        output::print_json(&report.json())?;
    } else if arguments.github {
        output::print(&report.annotations())?;
    } else {
        output::print(&report.text())?;
    }
    Ok(report.exit())
}
