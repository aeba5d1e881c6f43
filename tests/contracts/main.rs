//! Contracts: made of a service, written in each format, compared, and called from other languages.

mod check;
mod conformance;
mod corpus;
mod formats;
mod golden;
mod guide;
mod python;
mod rust;
mod typescript;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        check::cases(),
        conformance::cases(),
        corpus::cases(),
        formats::cases(),
        golden::cases(),
        guide::cases(),
        python::cases(),
        rust::cases(),
        typescript::cases(),
    ];
    harness::main(cases.into_iter().flatten())
}
