//! A service with one function of every kind, for tests that need one in a process of its own.

mod functions;

/// Linked, and not served unless it is asked for.
#[guirpc::function(service = "others")]
fn linked_only() {}

guirpc::main!(|setup| Ok(setup.state(functions::Runs::default())));
