//! A service with one function of every kind, for tests that need one in a process of its own.

mod functions;

guirpc::main!(|setup| Ok(setup.state(functions::Runs::default())));
