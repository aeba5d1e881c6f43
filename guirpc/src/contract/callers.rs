//! Whether the functions without a body that are linked into this program would work with a service as it is.

use std::collections::BTreeSet;

use super::Contract;
use super::compare::{Difference, Direction, compare};
use crate::registry::called;

impl Contract {
    /// What would fail if this program called a service of this contract: by the functions without a body of that service
    /// which are linked into the program.
    ///
    /// Empty if nothing would. For a test in CI, with the document of the service; or at the start of a program, with
    /// [`Control::check_callers`](crate::control::Control::check_callers), which asks the servers that run.
    ///
    /// ```no_run
    /// let served = guirpc::contract::Contract::from_json(&std::fs::read_to_string("orders.json")?)?;
    /// let broken = served.check_callers();
    /// assert!(broken.is_empty(), "{broken:#?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_callers(&self) -> Vec<Difference> {
        let mut callers = Contract::of_callers(&self.service);
        let mut served = self.clone();
        served.functions.retain(|name, _| callers.functions.contains_key(name));
        for (name, function) in &mut callers.functions {
            // Only the server knows.
            if let Some(served) = served.functions.get(name) {
                function.ack.clone_from(&served.ack);
            }
        }
        compare(&callers, &served).into_iter().filter(|difference| difference.is_error(Direction::Callers)).collect()
    }
}

/// The services that functions without a body name which are linked into this program.
pub(crate) fn called_services() -> BTreeSet<&'static str> {
    called().map(|function| function.service).collect()
}
