//! The suite `scale`: what is large, and what there are many of.

mod connections;
mod in_flight;
mod large;
mod services;

use std::fmt::{self, Display, Formatter};

use anyhow::Result;

use crate::contestant::Contestant;
use crate::stage::Stage;

const ROUNDS: usize = 3;

/// What was measured, a part each.
pub(crate) struct Report(Vec<String>);

/// Measures everything.
pub(crate) fn measure(stage: &Stage) -> Result<Report> {
    let mut parts = vec![large::measure(stage)?, in_flight::measure(stage)?];
    if stage.contestants.contains(&Contestant::Guirpc) {
        parts.extend([services::measure(stage)?, connections::measure(stage)?]);
    }
    Ok(Report(parts))
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| writeln!(f, "{part}"))
    }
}
