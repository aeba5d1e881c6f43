//! The service that the faults happen to, in a process of its own, so that it can be killed.

mod functions;

use std::env;

use harness::ExecutionLog;

guirpc::main!(services = [functions::SERVICE], |setup| {
    let path = env::var(functions::LOG)?;
    Ok(setup.state(ExecutionLog::open(path)?))
});
