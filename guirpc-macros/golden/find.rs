use std::collections::BTreeMap;

use guirpc::{Context, Fault};

pub struct Db(pub BTreeMap<String, u64>);

/// Finds the number of a name.
///
/// Takes what a function can take beside its arguments.
#[guirpc::function(service = "directory", lane = "lookups", name = "find-number", timeout = "1500ms", idempotent, coalesce, ack = "early")]
pub fn find(#[state] db: &Db, #[context] context: &Context, name: &str) -> Result<u64, Fault> {
    let missing = || Fault::new(404, format!("{} does not know {name}", context.service()));
    db.0.get(name).copied().ok_or_else(missing)
}
