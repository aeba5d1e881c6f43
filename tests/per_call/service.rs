//! The server whose calls are counted, in a process of its own.

mod counters;
mod functions;

guirpc::main!(services = ["per-call"]);
