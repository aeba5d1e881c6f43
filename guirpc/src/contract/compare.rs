//! Comparing two contracts of a service: what changed, and whom the change breaks.
//!
//! It knows documents only: no function, no broker, no file. [`compare`] gives every [`Difference`], each by a [`Rule`]
//! whose id stays.
//!
//! Of each value one side writes and the other reads. Arguments are written by callers and read by servers; outputs and
//! errors are written by servers and read by callers. A change breaks *callers* if one that was built with the old
//! contract fails against a server of the new one, and it breaks *servers* if a caller that was built with the new
//! contract fails against a server of the old one. So arguments may widen, and outputs may narrow.
//!
//! ```
//! use guirpc::contract::{Contract, compare::{self, Direction, Rule}};
//!
//! let document = |ty: &str| format!(
//!     r#"{{
//!         "contract": 1, "service": "math", "hash": "", "functions": {{
//!             "square": {{
//!                 "signature": "fn square(n: {ty}) -> u64",
//!                 "arguments": [{{
//!                     "name": "n", "required": true, "rust": "{ty}", "schema": {{"type": "integer", "format": "{ty}"}}
//!                 }}],
//!                 "output": {{"rust": "u64", "schema": {{"type": "integer", "format": "uint64"}}}},
//!                 "idempotent": true, "ack": "after-reply", "coalesce": false
//!             }}
//!         }}
//!     }}"#
//! );
//! let old = Contract::from_json(&document("int64"))?;
//! let new = Contract::from_json(&document("int32"))?;
//! let differences = compare::compare(&old, &new);
//! assert_eq!(differences[0].rule, Rule::IntegerNarrowed);
//! assert_eq!(differences[0].place, "square.n");
//! assert!(differences[0].is_error(Direction::Callers) && !differences[0].is_error(Direction::Servers));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![doc = include_str!("rules.md")]

mod arguments;
mod difference;
mod fit;
mod functions;
mod merge;
mod normalize;
mod rule;
mod shape;
#[cfg(test)]
mod tests;
mod words;

pub use difference::{Difference, Direction, Effect, Severity};
pub use rule::Rule;

use difference::Differences;

use super::Contract;

/// Enough for types that refer to each other a thousand times; what is not used is never touched.
const STACK: usize = 64 << 20;

/// All differences between two contracts of a service, in the order of their places.
///
/// What is not proved to fit is a difference, also where both contracts say the same: [`Rule::Undescribed`] and
/// [`Rule::Unprovable`].
pub fn compare(old: &Contract, new: &Contract) -> Vec<Difference> {
    let run = || {
        let mut differences = Differences::default();
        functions::compare(old, new, &mut differences);
        differences.sorted()
    };
    // Types are followed into each other, as deep as they go.
    let thread = std::thread::Builder::new().stack_size(STACK);
    std::thread::scope(|scope| match thread.spawn_scoped(scope, run).map(std::thread::ScopedJoinHandle::join) {
        Ok(Ok(differences)) => differences,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => {
            let why = format!("no thread to compare it on: {error}");
            let unprovable = Difference::new(Rule::Unprovable, &old.service, &old.hash, why);
            vec![unprovable.callers(Effect::Breaks).servers(Effect::Breaks)]
        }
    })
}
