//! The original in Python and this library, each calling the other, on both brokers.
//!
//! Nothing here stands in for the original where it can answer itself: it is the released package,
//! in a venv that `scripts/test` makes.

mod foobar;
mod moving;
mod python;
mod python_calls;
mod rust_calls;
mod stand_in;

use std::process::ExitCode;

fn main() -> ExitCode {
    let with_python = [python_calls::cases(), rust_calls::cases(), moving::with_python()].into_iter().flatten();
    let with_python = with_python.map(|case| case.unless_missing(python::missing()));
    harness::main(with_python.chain(stand_in::cases()).chain(moving::cases()))
}
